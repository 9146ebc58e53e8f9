"""How the sandbox asks and tells: signed, repeated, never redirected, troubled on request."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from telnyx.lib.webhook_verification import WebhookVerificationError, verify_webhook_signature
from telnyx.types import CallRecordingSavedWebhookEvent

from telephony.sandbox.keys import ensure_keys, public_key_text
from telephony.sandbox.trouble import Trouble, UnknownSwitch
from tests.sandbox.house import QUICK, House, texml, told


def test_the_official_package_verifies_forms_and_events(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        home.curbe.answers["/voice"] = ["<Reject/>"]
        await home.call(name='Zoë & "co"')
        await home.until_quiet()
        home.world.webhooks.notify_event(f"{home.curbe.origin}/events", "call.recording.saved", {"channels": "dual"})
        await home.until_quiet()
        public_key = (tmp_path / "sandbox" / "public_key").read_text().strip()

        assert {heard.path for heard in home.curbe.heard} == {"/app", "/voice", "/events"}
        for heard in home.curbe.heard:
            assert heard.headers["User-Agent"] == "telnyx-webhooks"
            verify_webhook_signature(heard.raw, heard.headers, public_key)
            with pytest.raises(WebhookVerificationError):
                verify_webhook_signature(heard.raw + b"x", heard.headers, public_key)
        event = next(heard for heard in home.curbe.heard if heard.path == "/events")
        CallRecordingSavedWebhookEvent.model_validate(json.loads(event.raw))
        assert json.loads(event.raw)["meta"] == {"attempt": 1, "delivered_to": f"{home.curbe.origin}/events"}
        assert (await home.api("GET", "/public_key"))["data"]["public"] == public_key

    told(tmp_path, story)


def test_the_key_pair_is_made_once_and_its_secret_half_is_ours_alone(tmp_path: Path) -> None:
    first = public_key_text(ensure_keys(tmp_path))

    assert public_key_text(ensure_keys(tmp_path)) == first
    assert (tmp_path / "private_key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "private_key").write_text("nonsense")
    with pytest.raises(ValueError, match="private_key"):
        ensure_keys(tmp_path)


def test_an_instruction_without_an_answer_is_asked_again_and_then_elsewhere(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        async def never(request: web.Request) -> web.Response:
            await asyncio.sleep(3)
            return texml("<Hangup/>")

        await home.furnish()
        home.curbe.answers["/voice"] = [never]
        home.curbe.answers["/fallback"] = ["<Reject/>"]

        call_id = await home.call()
        await home.until_quiet()

        first, second = [heard for heard in home.curbe.heard if heard.path == "/voice"]
        assert first.raw == second.raw
        assert len(home.curbe.at("/fallback")) == 1
        call = await home.whole(call_id)
        assert [exchange["attempt"] for exchange in call["exchanges"]] == [1, 2, 1]
        assert call["errors"] == []

    told(tmp_path, story, timing=replace(QUICK, webhook_timeout_s=0.4))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (302, "answered 302"),
        (500, "answered 500"),
        (204, "answered 204"),
        (web.Response(text="<Response/>", content_type="text/html"), "answered with text/html"),
        ("<Dial><Client>ana</Client></Dial>", "<Dial> cannot hold <Client>"),
        ('<Dial ringback="us"><Sip>sip:a@sip.telnyx.com</Sip></Dial>', "has no attribute 'ringback'"),
    ],
)
def test_what_is_no_document_fails_the_call_loudly(tmp_path: Path, answer: object, reason: str) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        home.curbe.answers["/voice"] = home.curbe.answers["/fallback"] = [answer]

        call_id = await home.call()
        root = home.root(call_id)
        await home.until(lambda: root.hears == "an apology: application error")
        await home.control("POST", f"/calls/{call_id}/hangup")
        await home.until_quiet()

        [error] = (await home.whole(call_id))["errors"]
        assert reason in error
        assert reason in (await home.control("GET", "/state"))["errors"][-1]["text"]

    told(tmp_path, story)


def test_the_apology_is_heard_to_its_end_and_the_callback_names_the_reason(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        home.curbe.answers["/voice"] = ["<Sms>hello</Sms>"]

        await home.call()
        await home.until_quiet(timeout_s=9)

        assert "<Sms> is not a verb" in home.curbe.at("/app")[-1]["ErrorMessage"]

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("status", "times"), [(200, 1), (400, 1), (403, 1), (404, 1), (408, 4), (429, 4), (503, 4), (302, 4)]
)
def test_a_notification_is_repeated_after_some_answers_only(tmp_path: Path, status: int, times: int) -> None:
    async def story(home: House) -> None:
        home.curbe.answers["/told"] = [status]

        home.world.webhooks.notify(
            f"{home.curbe.origin}/told", {"A": "1"}, kind="status", method="POST",
            store=home.world.journal.loose_exchanges.append,
        )  # fmt: skip
        await home.until_quiet()

        assert home.curbe.at("/told") == [{"A": "1"}] * times

    told(tmp_path, story)


def test_a_server_that_comes_back_is_told_in_the_end(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        home.curbe.answers["/events"] = [503, 503, 200]

        home.world.webhooks.notify_event(f"{home.curbe.origin}/events", "number_order.complete", {})
        await home.until_quiet()

        bodies = [json.loads(heard.raw) for heard in home.curbe.heard]
        assert [body["meta"]["attempt"] for body in bodies] == [1, 2, 3]
        assert len({body["data"]["id"] for body in bodies}) == 1

    told(tmp_path, story)


def test_duplicates_come_twice_and_two_answers_to_one_instruction_are_an_error(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        await home.control("POST", "/trouble", {"duplicate": True})
        home.curbe.answers["/voice"] = ["<Reject/>", '<Reject reason="busy"/>', "<Reject/>"]

        await home.call()
        await home.until_quiet()
        assert len(home.curbe.at("/voice")) == 2
        assert len(home.curbe.at("/app")) == 6
        [error] = (await home.control("GET", "/state"))["errors"]
        assert "two different answers" in error["text"]

        await home.call()
        await home.until_quiet()
        assert len((await home.control("GET", "/state"))["errors"]) == 1

    told(tmp_path, story)


def test_one_notification_in_ten_is_dropped_and_shown_and_no_instruction_ever(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        await home.control("POST", "/trouble", {"drop": True, "shuffle": True, "seed": 7})
        home.curbe.answers["/voice"] = ["<Reject/>"]

        calls = [await home.call(media=False) for _ in range(10)]
        await home.until_quiet()

        assert len(home.curbe.at("/voice")) == 10
        assert len(home.curbe.at("/app")) == 27
        shown = [exchange for call in calls for exchange in (await home.whole(call))["exchanges"]]
        assert sum(exchange["outcome"] == "dropped" for exchange in shown) == 3
        order = [(form["CallSid"], form["SequenceNumber"]) for form in home.curbe.at("/app")]
        assert order != sorted(order, key=lambda one: one[1])

    told(tmp_path, story)


def test_the_api_can_be_refused_and_the_recording_callback_lost(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        for word, status, code in (("429", 429, "10011"), ("500", 500, "10007")):
            await home.control("POST", "/trouble", {"refuse_api": word})
            body = await home.api("GET", "/balance", status=status)
            assert body["errors"][0]["code"] == code
        await home.control("POST", "/trouble", {"refuse_api": "disconnect"})
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await home.api("GET", "/balance")
        await home.control("POST", "/trouble", {"all_off": True, "lose_recording_callback": True})
        await home.furnish()
        home.curbe.answers["/voice"] = ['<Record maxLength="1" playBeep="false" recordingStatusCallback="/recording"/>']

        call_id = await home.call()
        await home.hang_up(call_id, when=lambda root: "being recorded" in root.hears)

        assert home.curbe.at("/recording") == []
        dropped = [e for e in (await home.whole(call_id))["exchanges"] if e["kind"] == "recording"]
        assert [exchange["outcome"] for exchange in dropped] == ["dropped"]
        assert len((await home.api("GET", "/recordings"))["data"]) == 1

    told(tmp_path, story)


def test_the_api_can_answer_slowly_and_nothing_else_is_slowed(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        clock = asyncio.get_running_loop().time
        await home.furnish()
        home.curbe.answers["/voice"] = ["<Reject/>"]
        await home.control("POST", "/trouble", {"slow_api_ms": 1500})

        began_s = clock()
        balance = asyncio.ensure_future(home.api("GET", "/balance"))
        await home.call(media=False)
        await home.until_quiet()
        assert not balance.done()
        assert (await balance)["data"]["currency"] == "USD"
        assert clock() - began_s >= 1.5

        await home.control("POST", "/trouble", {"all_off": True})
        assert home.world.trouble.switches.slow_api_ms == 0

    told(tmp_path, story)


@pytest.mark.parametrize(
    "wanted", [{"dupe": True}, {"duplicate": 1}, {"refuse_api": "418"}, {"slow_api_ms": -1}, {"refuse_updates": True}]
)
def test_a_switch_that_does_not_exist_changes_nothing(wanted: dict[str, object]) -> None:
    trouble = Trouble()

    with pytest.raises(UnknownSwitch):
        trouble.update({"drop": True, **wanted})

    assert trouble.switches.drop is False
