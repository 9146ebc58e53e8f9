"""Calls that a browser places: parked, led by our document, and refused where nobody would lead them."""

from __future__ import annotations

from pathlib import Path

from tests.sandbox.house import NUMBER, House, told
from tests.sandbox.phones import phone_of

TO = "+12125550177"


def instructions(home: House) -> list[dict[str, str]]:
    """The requests for a document: the steps of the leg are told to the same address."""
    return [form for form in home.curbe.at("/parked") if "CallbackSource" not in form]


def steps(home: House) -> list[str]:
    return [form["CallStatus"] for form in home.curbe.at("/parked") if "CallbackSource" in form]


def test_a_parked_call_rings_back_asks_for_its_document_and_is_answered_by_the_first_verb(tmp_path: Path) -> None:
    """With real sound: the called person's 520 Hz reach the browser, the browser's 900 Hz reach him."""

    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        home.curbe.answers["/parked"] = [f'<Dial callerId="{NUMBER}"><Number>{TO}</Number></Dial>']
        async with phone_of(home, "ana") as ana:
            await ana.dial(TO, headers={"X-Curbe-Call": "42"})
            ringing = await ana.asked("ringing")
            await ana.is_answered(sings_hz=900)
            await home.until(lambda: abs(ana.hears_hz - 520) < 5, "the voice of the network", timeout_s=20)
            person = home.newest().call.legs[1]
            ear = person.endpoint.ear  # type: ignore[attr-defined]
            await home.until(lambda: abs(ear.heard_peak_hz - 900) < 5, "the agent's voice")
            await ana.press("1#")
            await home.until(lambda: person.heard_digits == "1#", "the keys at the other end")
            await ana.hang_up()
            await home.until_quiet()

        [form] = instructions(home)
        leg = home.newest()
        assert (form["CallSid"], form["ConnectionId"]) == (leg.call_control_id, home.connection_id)
        assert (form["From"], form["To"], form["CallerId"]) == (NUMBER, TO, "Ana")
        assert form["FromSipUri"] == f"{home.agents['ana']}@sip.telnyx.com"
        assert (form["CallingPartyType"], form["AccountSid"]) == ("sip", home.world.account.account_sid)
        assert not [name for name in form if name.startswith("SipHeader_")]
        assert ringing["telnyx_call_control_id"] == leg.call_control_id
        assert ringing["telnyx_leg_id"] == leg.call_leg_id
        assert steps(home) == ["initiated", "ringing", "in-progress", "completed"]
        assert [one.status for one in leg.call.legs] == ["completed", "completed"]
        assert leg.ending is not None and leg.ending.hangup_source == "caller"

    told(tmp_path, story, media=True)


def test_the_browsers_headers_stand_in_the_form_only_with_the_setting(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        await home.control("POST", "/settings", {"outbound_headers_in_form": True, "parked_status_callbacks": False})
        home.curbe.answers["/parked"] = ["<Reject/>"]
        async with phone_of(home, "ana") as ana:
            await ana.dial(TO, headers={"X-Curbe-Call": "42", "Other": "x"})
            bye = await ana.asked("bye")
            await home.until_quiet()

        [form] = home.curbe.at("/parked")
        assert {name: form[name] for name in form if name.startswith("SipHeader_")} == {"SipHeader_X-Curbe-Call": "42"}
        assert (bye["cause"], bye["causeCode"], bye["sipCode"]) == ("CALL_REJECTED", 21, 404)
        assert home.newest().status == "failed"

    told(tmp_path, story)


def test_a_browser_that_hangs_up_before_the_answer_cancels(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        await home.control("POST", "/settings", {"parked_status_callbacks": False})
        home.curbe.answers["/parked"] = ['<Pause length="100"/>', '<Reject reason="busy"/>']
        async with phone_of(home, "ana") as ana:
            await ana.dial(TO)
            await ana.asked("ringing")
            await home.until(lambda: bool(instructions(home)))
            await ana.hang_up()
            await home.until_quiet()
            assert home.newest().status == "canceled"
            await ana.dial(TO)
            bye = await ana.asked("bye")

        assert (bye["cause"], bye["sipCode"]) == ("USER_BUSY", 486)

    told(tmp_path, story)


def test_the_fallback_address_is_asked_when_the_first_fails(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        home.curbe.answers |= {"/parked": [500], "/parked-fallback": ["<Reject/>"]}
        async with phone_of(home, "ana") as ana:
            await ana.dial(TO)
            bye = await ana.asked("bye")
            await home.until_quiet()

        assert bye["cause"] == "CALL_REJECTED"
        assert home.curbe.at("/parked-fallback")[0]["To"] == TO

    told(tmp_path, story)


def test_without_parking_the_call_is_refused_and_the_journal_says_why(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        async with phone_of(home, "ana") as ana:
            await ana.dial(TO)
            bye = await ana.asked("bye")

        assert (bye["cause"], bye["sipCode"]) == ("CALL_REJECTED", 603)
        errors = (await home.control("GET", "/state"))["errors"]
        assert "call_parking_enabled" in errors[-1]["text"]
        assert home.world.calls.by_id == {}

    told(tmp_path, story)


def test_a_browser_whose_socket_is_lost_before_the_answer_is_gone(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        home.curbe.answers["/parked"] = ['<Pause length="100"/>']
        async with phone_of(home, "ana") as ana:
            await ana.dial(TO)
            await home.until(lambda: bool(instructions(home)))
            await home.control("POST", f"/registrations/{home.agents['ana']}/drop")
            await home.until_quiet()

        assert home.newest().status == "failed"

    told(tmp_path, story)
