"""Legs that the API makes: to a number, to a browser, and how each attempt can end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.house import NUMBER, House, told
from tests.sandbox.phones import phone_of

TO = "+12125550177"
EVENTS = "initiated ringing answered completed"


def wanted(home: House, **more: Any) -> dict[str, Any]:
    callback = {"StatusCallback": f"{home.curbe.origin}/leg", "StatusCallbackEvent": EVENTS}
    return {"From": NUMBER, "To": TO, "Url": f"{home.curbe.origin}/made"} | callback | more


async def make(home: House, **more: Any) -> str:
    made = await home.api("POST", f"/texml/calls/{home.application_id}", data=wanted(home, **more))
    return str(made["call_sid"])


@pytest.mark.parametrize(
    ("script", "steps", "sip"),
    [
        ({"ignore": True}, ["initiated", "ringing", "no-answer"], "487"),
        ({"decline_after_ms": 0}, ["initiated", "ringing", "busy"], "486"),
        ({"busy_after_ms": 0}, ["initiated", "busy"], "486"),
        ({"answer_after_ms": 0, "hangup_after_ms": 50}, ["initiated", "ringing", "in-progress", "completed"], "200"),
    ],
)
def test_each_way_that_a_number_answers_is_told_in_its_word(
    tmp_path: Path, script: dict[str, Any], steps: list[str], sip: str
) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", f"/agents/{TO}", script)
        home.curbe.answers["/made"] = ['<Pause length="60"/>']
        sid = await make(home, Timeout="5")
        await home.until_quiet()

        told_of = home.curbe.at("/leg")
        assert sorted(form["CallStatus"] for form in told_of) == sorted(steps)
        assert told_of[-1]["CallSid"] == sid
        [last] = [form for form in told_of if form["CallStatus"] == steps[-1]]
        assert last["SipHangupCause"] == sip
        assert len(home.curbe.at("/made")) == (1 if "in-progress" in steps else 0)

    told(tmp_path, story)


def test_a_number_that_the_profile_forbids_fails_and_one_that_rings_can_be_canceled(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", f"/agents/{TO}", {"ignore": True})
        sid = await make(home)
        await home.api("POST", f"{home.account_path}/Calls/{sid}", data={"Status": "completed"})
        await home.until_quiet()
        canceled = home.curbe.at("/leg")[-1]
        await make(home, From="+13055559999")
        await home.until_quiet()
        failed = home.curbe.at("/leg")[-1]

        assert (canceled["CallStatus"], canceled["SipHangupCause"]) == ("canceled", "487")
        assert (failed["CallStatus"], failed["ErrorCode"]) == ("failed", "10010")
        assert "D35" in failed["ErrorMessage"]

    told(tmp_path, story)


def test_a_browser_is_rung_with_the_headers_of_the_uri_and_canceled_by_the_api(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        async with phone_of(home, "ana") as ana:
            to = f"sip:{home.agents['ana']}@sip.telnyx.com?X-Curbe-Call=42&X-Curbe-Step=3"
            sid = await make(home, To=to)
            invite = await ana.asked("invite")
            await home.until(lambda: len(home.curbe.at("/leg")) == 2)
            await home.api("POST", f"{home.account_path}/Calls/{sid}", data={"Status": "completed"})
            bye = await ana.asked("bye")
            await home.until_quiet()

        headers = {header["name"]: header["value"] for header in invite["dialogParams"]["custom_headers"]}
        assert headers == {"X-Curbe-Call": "42", "X-Curbe-Step": "3"}
        assert (bye["cause"], bye["sipCode"]) == ("ORIGINATOR_CANCEL", 487)
        assert home.curbe.at("/leg")[-1]["CallStatus"] == "canceled"

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"Timeout": "4"}, "10027", "/Timeout"),
        ({"StatusCallbackEvent": "answered hold"}, "10032", "/StatusCallbackEvent"),
        ({"TimeLimit": "60"}, "10015", "/TimeLimit"),
    ],
)
def test_what_the_address_does_not_take_is_named(
    tmp_path: Path, wrong: dict[str, str], code: str, pointer: str
) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        body = wanted(home, **wrong)
        refused = await home.api("POST", f"/texml/calls/{home.application_id}", data=body, status=422)

        [problem] = refused["errors"]
        assert (problem["code"], problem["source"]["pointer"]) == (code, pointer)

    told(tmp_path, story)
