"""Scenarios of <Dial> with scripted agents, told in the requests that the application gets."""

from __future__ import annotations

import asyncio
import json
import wave
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from aiohttp import web

from telephony.sandbox.calls.endings import dial_status
from telephony.sandbox.calls.legs import Leg
from tests.sandbox.house import CALLER, NUMBER, House, texml, told

EVENTS = 'statusCallbackEvent="initiated ringing answered completed"'


def ring(home: House, *agents: str, attributes: str = "") -> str:
    sips = "".join(home.sip(name, attributes=f'statusCallback="{{origin}}/leg/{name}" {EVENTS}') for name in agents)
    return f'<Dial answerOnBridge="true" action="{{origin}}/done" timeout="5" {attributes}>{sips}</Dial>'


def is_answered(root: Leg) -> bool:
    return root.state == "answered"


def statuses(forms: list[dict[str, str]]) -> list[str]:
    return [form["CallStatus"] for form in forms]


def test_an_agent_answers_and_the_caller_hangs_up(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", status_callback="/app")
        await home.script("ana", answer_after_ms=30)
        home.curbe.answers["/voice"] = [ring(home, "ana", attributes='fromDisplayName="Jane Doe"')]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        call_id = await home.call(name="Jane")
        await home.hang_up(call_id, when=is_answered)

        [asked] = home.curbe.at("/voice")
        assert (asked["From"], asked["To"], asked["ConnectionId"]) == (CALLER, NUMBER, home.application_id)
        assert asked["CallSid"] == asked["CallSidLegacy"]
        assert "Direction" not in asked
        ana = home.curbe.at("/leg/ana")
        assert [(leg["CallStatus"], leg["SequenceNumber"]) for leg in ana] == [
            ("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3"),
        ]  # fmt: skip
        assert {leg["ParentCallSid"] for leg in ana} == {asked["CallSid"]}
        assert ana[-1]["HangupCause"] == "normal_clearing"
        assert statuses(home.curbe.at("/app")) == ["initiated", "ringing", "in-progress", "completed"]
        assert home.curbe.at("/app")[-1]["HangupSource"] == "caller"
        [done] = home.curbe.at("/done")
        assert (done["DialCallStatus"], done["DialCallSid"]) == ("completed", ana[0]["CallSid"])
        assert (await home.whole(call_id))["status"] == "completed"

    told(tmp_path, story)


def test_all_ring_the_first_wins_and_the_others_lose_the_race(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", "luis", "eva")
        await home.script("ana", answer_after_ms=60)
        await home.script("luis", ignore=True)
        await home.script("eva", decline_after_ms=10)
        home.curbe.answers["/voice"] = [ring(home, "ana", "luis", "eva")]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        await home.hang_up(await home.call(), when=is_answered)

        assert statuses(home.curbe.at("/leg/ana"))[-1] == "completed"
        luis, eva = home.curbe.at("/leg/luis")[-1], home.curbe.at("/leg/eva")[-1]
        assert (luis["CallStatus"], luis["SipHangupCause"]) == ("canceled", "502")
        assert (eva["CallStatus"], eva["SipHangupCause"]) == ("busy", "486")
        assert "in-progress" not in statuses(home.curbe.at("/leg/luis"))

    told(tmp_path, story)


def test_the_agent_hangs_up_and_the_caller_goes_on_to_the_action(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0, hangup_after_ms=40)
        home.curbe.answers["/voice"] = [ring(home, "ana")]
        home.curbe.answers["/done"] = ["<Redirect>/next</Redirect>"]
        home.curbe.answers["/next"] = ["<Hangup/>"]

        await home.call()
        await home.until_quiet()

        assert home.curbe.at("/leg/ana")[-1]["HangupSource"] == "callee"
        assert home.curbe.at("/done")[0]["DialCallStatus"] == "completed"
        assert len(home.curbe.at("/next")) == 1

    told(tmp_path, story)


def test_nobody_there_fails_at_once_and_tells_the_action(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        home.curbe.answers["/voice"] = [ring(home, "ana")]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        call_id = await home.call()
        await home.until_quiet(timeout_s=2)

        assert home.curbe.at("/done")[0]["DialCallStatus"] == "failed"
        assert statuses(home.curbe.at("/leg/ana")) == ["initiated", "failed"]
        call = await home.whole(call_id)
        assert (call["status"], call["errors"]) == ("no-answer", [])

    told(tmp_path, story)


def test_a_caller_who_gives_up_cancels_the_ringing_and_is_told_of_as_canceled(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", status_callback="/app")
        await home.script("ana", ignore=True)
        home.curbe.answers["/voice"] = [ring(home, "ana")]
        home.curbe.answers["/done"] = ["<Say>nobody hears this</Say>"]

        call_id = await home.call()
        await home.hang_up(call_id, when=lambda root: len(root.call.legs) == 2 and root.call.legs[1].state == "ringing")

        ana = home.curbe.at("/leg/ana")[-1]
        assert (ana["CallStatus"], ana["SipHangupCause"]) == ("canceled", "487")
        assert statuses(home.curbe.at("/app"))[-1] == "canceled"
        [done] = home.curbe.at("/done")
        assert (done["DialCallStatus"], done["CallStatus"]) == ("canceled", "canceled")
        assert (await home.whole(call_id))["hears"] == "nothing"

    told(tmp_path, story)


def test_ringing_ends_after_the_timeout_as_no_answer(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", ignore=True)
        home.curbe.answers["/voice"] = [ring(home, "ana")]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        await home.call()
        await home.until_quiet(timeout_s=8)

        ana = home.curbe.at("/leg/ana")[-1]
        assert (ana["CallStatus"], ana["HangupSource"]) == ("no-answer", "caller")
        assert home.curbe.at("/done")[0]["DialCallStatus"] == "no-answer"

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("children", "status"),
    [
        (["busy", "no-answer"], "no-answer"),
        (["failed", "busy"], "busy"),
        (["failed"], "failed"),
        (["canceled", "failed"], "failed"),
        ([], "failed"),
    ],
)
def test_the_best_of_the_failures_is_what_the_dial_says(children: list[str], status: str) -> None:
    assert dial_status(children) == status


def test_a_dual_recording_is_told_served_and_dies(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0, hangup_after_ms=250)
        wishes = 'record="record-from-answer-dual" recordingStatusCallback="{origin}/recording"'
        home.curbe.answers["/voice"] = [ring(home, "ana", attributes=wishes)]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        await home.call()
        await home.until_quiet()

        [told_of] = home.curbe.at("/recording")
        assert (told_of["RecordingStatus"], told_of["RecordingSource"], told_of["RecordingChannels"]) == (
            "completed", "DialVerb", "2",
        )  # fmt: skip
        assert told_of["CallSid"] == home.curbe.at("/voice")[0]["CallSid"]
        assert home.curbe.at("/done")[0]["RecordingUrl"]
        status, sound = await home.get(told_of["RecordingUrl"])
        with wave.open(BytesIO(sound)) as file:
            assert (status, file.getnchannels(), file.getnframes() > 0) == (200, 2, True)
        assert (await home.control("POST", "/recordings/expire_links"))["expired"] >= 1
        status, words = await home.get(told_of["RecordingUrl"])
        assert (status, b"Request has expired" in words) == (403, True)
        recording = (await home.api("GET", f"/recordings/{told_of['RecordingSid']}"))["data"]
        assert (await home.get(recording["download_urls"]["wav"]))[0] == 200
        [listed] = (await home.api("GET", f"/recordings?filter[connection_id]={home.application_id}"))["data"]
        assert listed["id"] == told_of["RecordingSid"]
        for since, count in (("2020-01-01T00:00:00+00:00", 1), ("2999-01-01", 0)):
            query = {"filter[created_at][gte]": since}
            assert len((await home.api("GET", "/recordings", params=query))["data"]) == count
        await home.api("GET", "/recordings", params={"filter[created_at][gte]": "yesterday"}, status=422)
        await home.api("DELETE", f"/recordings/{told_of['RecordingSid']}")
        await home.api("GET", f"/recordings/{told_of['RecordingSid']}", status=404)

    told(tmp_path, story)


async def call_up(home: House) -> tuple[str, str]:
    """A call in which Ana talks with the caller: its id, and the caller's CallSid."""
    await home.furnish("ana")
    await home.script("ana", answer_after_ms=0)
    home.curbe.answers["/voice"] = [ring(home, "ana")]
    home.curbe.answers["/done"] = ["<Hangup/>"]
    call_id = await home.call()
    await home.until(lambda: "in-progress" in statuses(home.curbe.at("/leg/ana")))
    return call_id, home.curbe.at("/voice")[0]["CallSid"]


def test_hanging_up_the_callers_leg_ends_everything_and_a_second_time_is_90018(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        _, sid = await call_up(home)
        account = home.world.account.account_sid
        path = f"/texml/Accounts/{account}/Calls/{sid}"
        assert (await home.api("GET", f"/calls/{sid}"))["data"]["is_alive"] is True
        active = (await home.api("GET", f"/connections/{home.application_id}/active_calls"))["data"]
        assert sid in {leg["call_control_id"] for leg in active}
        assert len(active) == 2

        ended = await home.api("POST", path, data={"Status": "completed"})
        await home.until_quiet()

        assert ended["status"] == "completed"
        assert (await home.api("GET", f"/calls/{sid}"))["data"]["is_alive"] is False
        assert (await home.api("GET", path))["status"] == "completed"
        again = await home.api("POST", f"/calls/{sid}/actions/hangup", json={"command_id": "a"}, status=422)
        assert again["errors"][0]["code"] == "90018"
        assert (await home.api("GET", f"/connections/{home.application_id}/active_calls"))["data"] == []

    told(tmp_path, story)


def test_hanging_up_the_agents_leg_sends_the_caller_to_the_action(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await call_up(home)
        ana = home.curbe.at("/leg/ana")[0]["CallSid"]

        await home.api("POST", f"/calls/{ana}/actions/hangup", json={"command_id": "one"})
        await home.until_quiet()

        assert home.curbe.at("/done")[0]["DialCallStatus"] == "completed"

    told(tmp_path, story)


def test_another_document_takes_the_place_of_the_running_one(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        _, sid = await call_up(home)
        home.curbe.answers["/moved"] = ["<Pause length='1'/><Hangup/>"]
        path = f"/texml/Accounts/{home.world.account.account_sid}/Calls/{sid}"

        await home.api("POST", path, data={"Url": f"{home.curbe.origin}/moved", "Method": "POST"})
        await home.until(lambda: bool(home.curbe.at("/moved")))
        await home.until(lambda: statuses(home.curbe.at("/leg/ana"))[-1] == "completed")

        assert (await home.api("GET", f"/calls/{sid}"))["data"]["is_alive"] is True
        assert home.curbe.at("/done") == []
        wrong = await home.api("POST", path, data={"Texml": "<Response><Client/></Response>"}, status=422)
        assert wrong["errors"][0]["source"]["pointer"] == "/Texml"
        unknown = await home.api("POST", path, data={"status": "completed"}, status=422)
        assert unknown["errors"][0]["source"]["pointer"] == "/status"
        await home.until_quiet()

    told(tmp_path, story)


def test_a_moved_agent_leaves_the_dial_which_goes_on_to_its_action(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await call_up(home)
        ana = home.curbe.at("/leg/ana")[0]["CallSid"]
        account = home.world.account.account_sid
        home.curbe.answers["/done"] = ["<Pause length='1'/>"]

        document = "<Response><Pause length='1'/></Response>"
        await home.api("POST", f"/texml/Accounts/{account}/Calls/{ana}", data={"Texml": document})
        await home.until(lambda: bool(home.curbe.at("/done")))

        assert home.curbe.at("/done")[0]["DialCallStatus"] == "completed"
        assert (await home.api("GET", f"/calls/{ana}"))["data"]["is_alive"] is True
        await home.until_quiet()

    told(tmp_path, story)


def forward(caller_id: str, target: str) -> str:
    noun = f'<Number statusCallback="{{origin}}/out" {EVENTS}>{target}</Number>'
    return f'<Dial action="{{origin}}/done"{caller_id and f" callerId={caller_id!r}"}>{noun}</Dial>'


@pytest.mark.parametrize(
    ("caller_id", "target", "reason", "told_of"),
    [
        ("", "+13055550199", "D35", ["initiated", "failed"]),
        (CALLER, "+13055550199", "D35", ["initiated", "failed"]),
        (NUMBER, "+34910000000", "whitelisted_destinations", []),  # dies before any webhook
    ],
)
def test_a_forward_that_is_not_allowed_fails_and_says_why(
    tmp_path: Path, caller_id: str, target: str, reason: str, told_of: list[str]
) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = [forward(caller_id, target)]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        call_id = await home.call()
        await home.until_quiet()

        [error] = (await home.whole(call_id))["errors"]
        assert reason in error
        [done] = home.curbe.at("/done")
        assert (done["DialCallStatus"], done["ErrorCode"]) == ("failed", "10010")
        assert statuses(home.curbe.at("/out")) == told_of

    told(tmp_path, story)


def test_a_forward_shows_our_number_to_whom_it_calls(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = [forward(NUMBER, "+13055550199")]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        await home.hang_up(await home.call(), when=lambda root: "+13055550199" in root.hears)

        assert statuses(home.curbe.at("/out")) == ["initiated", "ringing", "in-progress", "completed"]
        assert {form["From"] for form in home.curbe.at("/out")} == {NUMBER}
        assert home.curbe.at("/done")[0]["DialCallStatus"] == "completed"

    told(tmp_path, story)


@pytest.mark.parametrize("channels", ["single", "dual"])
@pytest.mark.parametrize("fmt", ["wav", "mp3"])
@pytest.mark.parametrize("media", [True, False])
def test_the_outbound_profile_records_what_it_is_told_to_and_sends_the_event(
    tmp_path: Path, fmt: str, channels: str, media: bool
) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", "/settings", {"events_url": f"{home.curbe.origin}/events"})
        [profile] = (await home.api("GET", "/outbound_voice_profiles"))["data"]
        recording = {"call_recording_type": "all", "call_recording_channels": channels, "call_recording_format": fmt}
        body = {"name": "test", "call_recording": recording}
        await home.api("PATCH", f"/outbound_voice_profiles/{profile['id']}", json=body)
        home.curbe.answers["/voice"] = [f'<Dial callerId="{NUMBER}"><Number>+13055550199</Number></Dial>']

        call_id = await home.call(media=media)
        await home.hang_up(call_id, when=lambda root: "+13055550199" in root.hears)

        [event] = [heard for heard in home.curbe.heard if heard.path == "/events"]
        assert b'"event_type": "call.recording.saved"' in event.raw
        payload = json.loads(event.raw)["data"]["payload"]
        status, sound = await home.get(payload["recording_urls"][fmt])
        with av.open(BytesIO(sound)) as file:
            assert (status, file.streams.audio[0].channels) == (200, 2 if channels == "dual" else 1)
        assert (await home.whole(call_id))["errors"] == []

    told(tmp_path, story, media=True)


def test_whoever_answers_may_hear_a_document_of_his_own_first(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        sip = home.sip("ana", attributes='url="/whisper"')
        home.curbe.answers["/voice"] = [f'<Dial answerOnBridge="true" action="/done">{sip}</Dial>']
        answered_at_whisper: list[Any] = []

        async def whisper(request: web.Request) -> web.Response:
            await asyncio.sleep(0)
            answered_at_whisper.append([leg.state for leg in home.world.calls.live_legs()])
            return texml("<Pause/>")

        home.curbe.answers["/whisper"] = [whisper]
        home.curbe.answers["/done"] = ["<Hangup/>"]

        await home.hang_up(await home.call(), when=is_answered)

        assert answered_at_whisper == [["ringing", "answered"]]
        assert home.curbe.at("/done")[0]["DialCallStatus"] == "completed"

    told(tmp_path, story)


def whispering(home: House) -> str:
    """A Dial whose agent hears a long document first."""
    home.curbe.answers["/whisper"] = ["<Say loop='0'>A call from sales.</Say>"]
    home.curbe.answers["/done"] = ["<Hangup/>"]
    sip = home.sip("ana", attributes='url="/whisper" statusCallback="{origin}/leg/ana"')
    return f'<Dial answerOnBridge="true" action="/done">{sip}</Dial>'


def hears_whisper(root: Leg) -> bool:
    return len(root.call.legs) == 2 and "from sales" in root.call.legs[1].hears


def test_a_caller_who_leaves_during_the_whisper_ends_it(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        home.curbe.answers["/voice"] = [whispering(home)]

        call_id = await home.call()
        root = home.root(call_id)
        await home.until(lambda: hears_whisper(root))
        assert root.hears == "ring-back"
        await home.hang_up(call_id)

        assert not root.call.legs[1].is_live
        assert statuses(home.curbe.at("/leg/ana")) == ["completed"]
        assert [done["CallStatus"] for done in home.curbe.at("/done")] == ["canceled"]
        assert (await home.whole(call_id))["errors"] == []

    told(tmp_path, story)


def test_an_agent_who_is_moved_during_the_whisper_is_not_connected(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        home.curbe.answers["/voice"] = [whispering(home)]
        home.curbe.answers["/done"] = ["<Pause length='180'/>"]
        call_id = await home.call()
        root = home.root(call_id)
        await home.until(lambda: hears_whisper(root))
        ana = root.call.legs[1]

        path = f"/texml/Accounts/{home.world.account.account_sid}/Calls/{ana.call_control_id}"
        await home.api("POST", path, data={"Texml": "<Response><Say loop='0'>somewhere else</Say></Response>"})
        await home.until(lambda: "somewhere else" in ana.hears)
        await home.until(lambda: bool(home.curbe.at("/done")))

        assert "somewhere else" in ana.hears
        assert root.hears == "nothing"
        await home.control("POST", "/calls/end_all")
        await home.until_quiet()

    told(tmp_path, story)


def test_a_reset_during_a_recorded_talk_leaves_nothing_behind(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        wishes = 'record="record-from-answer-dual" recordingStatusCallback="{origin}/recording"'
        home.curbe.answers["/voice"] = [ring(home, "ana", attributes=wishes)]
        call_id = await home.call()
        await home.until(lambda: home.root(call_id).hears == "ana")
        await home.until(lambda: bool(list(home.world.config.recordings.iterdir())), "the recording")

        await home.control("POST", "/reset")
        await home.until_quiet()

        assert (await home.api("GET", "/recordings"))["data"] == []
        assert list(home.world.config.recordings.iterdir()) == []
        assert home.curbe.at("/recording") == []
        assert (await home.control("GET", "/state"))["calls"] == []

    told(tmp_path, story)


def test_the_api_calls_an_agent_and_runs_the_document_when_she_answers(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=20)
        home.curbe.answers["/click"] = ["<Pause/><Hangup/>"]
        to = f"sip:{home.agents['ana']}@sip.telnyx.com?X-Curbe-Call=7"
        body = {"From": NUMBER, "To": to, "Url": f"{home.curbe.origin}/click"}

        made = await home.api("POST", f"/texml/calls/{home.application_id}", json=body)
        await home.until_quiet()

        assert (made["status"], made["call_sid"][:3]) == ("queued", "v3:")
        assert home.curbe.at("/click")[0]["CallSid"] == made["call_sid"]
        account = home.world.account.account_sid
        listed = await home.api("GET", f"/texml/Accounts/{account}/Calls?Status=completed&PageSize=1")
        assert [call["sid"] for call in listed["calls"]] == [made["call_sid"]]
        unknown = await home.api("POST", f"/texml/calls/{home.application_id}", json=body | {"to": "x"}, status=422)
        assert unknown["errors"][0]["source"]["pointer"] == "/to"

    told(tmp_path, story)
