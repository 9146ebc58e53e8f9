"""The verbs other than Dial, and what the control addresses do to a live call."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sandbox.house import CALLER, NUMBER, House, told


def gathered(home: House) -> list[str]:
    return [form["Digits"] for form in home.curbe.at("/menu")]


@pytest.mark.parametrize(
    ("attributes", "pressed", "got"),
    [
        ('numDigits="1"', "2", ["2"]),
        ('numDigits="3"', "1#", ["1"]),
        ('finishOnKey="*"', "12*", ["12"]),
        ('numDigits="1" timeout="1"', "", []),
        ('numDigits="2" validDigits="12" timeout="1"', "19", []),
        ('minDigits="3" timeout="1"', "1#", []),
    ],
)
def test_keys_reach_the_action_and_none_falls_through(
    tmp_path: Path, attributes: str, pressed: str, got: list[str]
) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        prompt = '<Say language="es-ES">Para ventas, marque uno.</Say>'
        home.curbe.answers["/voice"] = [
            f'<Gather action="/menu" {attributes}>{prompt}</Gather><Redirect>/none</Redirect>'
        ]
        home.curbe.answers["/menu"] = home.curbe.answers["/none"] = ["<Hangup/>"]

        call_id = await home.call()
        if pressed:
            root = home.root(call_id)
            await home.until(lambda: "marque uno" in root.hears)
            await home.control("POST", f"/calls/{call_id}/digits", {"digits": pressed})
        await home.until_quiet(timeout_s=9)

        assert gathered(home) == got
        assert len(home.curbe.at("/none")) == (0 if got else 1)

    told(tmp_path, story)


def test_what_the_caller_said_into_a_message_is_written_down(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        text = 'transcription="true" transcriptionCallback="/text?call=7" transcriptionLanguage="es-US"'
        home.curbe.answers["/voice"] = [
            f'<Say>Deje su mensaje.</Say><Record playBeep="false" recordingStatusCallback="/kept" {text}/>'
        ]

        said = [{"until_hears": "recorded"}, {"say": "Soy Marta."}, {"wait_s": 0.1}, {"say": "Llámeme."}]
        await home.call(script=[{"say": "¿Hola?"}, *said, {"hangup": True}])
        await home.until(lambda: bool(home.curbe.at("/text")), timeout_s=20)

        [told], [kept] = home.curbe.at("/text"), home.curbe.at("/kept")
        # What he said before the tone is not in it.
        assert told["TranscriptionText"] == "Soy Marta. Llámeme."
        assert (told["RecordingSid"], told["TranscriptionStatus"]) == (kept["RecordingSid"], "completed")
        first, second = json.loads(told["TranscriptionSegments"])
        assert 0 <= first["start"] <= first["end"] <= second["start"] <= second["end"]
        query = {"filter[recording_id]": kept["RecordingSid"]}
        listed = await home.api("GET", "/recording_transcriptions", params=query)
        [row] = listed["data"]
        assert row["transcription_text"] == "Soy Marta. Llámeme."
        assert "_segments" not in row

    told(tmp_path, story)


def test_a_message_is_recorded_until_the_finish_key(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        wishes = 'finishOnKey="#" channels="single" action="/thanks" recordingStatusCallback="/kept"'
        home.curbe.answers["/voice"] = [f'<Record maxLength="60" {wishes}/>']
        home.curbe.answers["/thanks"] = ["<Hangup/>"]

        call_id = await home.call()
        root = home.root(call_id)
        await home.until(lambda: "being recorded" in root.hears)
        await home.control("POST", f"/calls/{call_id}/digits", {"digits": "1#"})
        await home.until_quiet()

        [thanks], [kept] = home.curbe.at("/thanks"), home.curbe.at("/kept")
        assert (thanks["Digits"], kept["RecordingSource"], kept["RecordingChannels"]) == ("#", "RecordVerb", "1")
        status, sound = await home.get(thanks["RecordingUrl"])
        assert (status, thanks["RecordingUrl"].split("?")[0][-4:], len(sound) > 100) == (200, ".mp3", True)

    told(tmp_path, story)


def test_a_caller_who_hangs_up_on_the_machine_leaves_his_message(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = ['<Record playBeep="false" action="/thanks" recordingStatusCallback="/kept"/>']

        await home.hang_up(await home.call(), when=lambda root: "being recorded" in root.hears)

        assert home.curbe.at("/thanks") == []
        assert home.curbe.at("/kept")[0]["RecordingStatus"] == "completed"

    told(tmp_path, story)


def test_a_caller_holds_the_line_only_so_long(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        home.curbe.answers["/voice"] = ['<Pause length="180"/>']

        await home.call(hold_line_s=0.2)
        await home.until_quiet()

        last = home.curbe.at("/app")[-1]
        assert (last["CallStatus"], last["HangupSource"]) == ("canceled", "caller")

    told(tmp_path, story)


@pytest.mark.parametrize(("reason", "status"), [("rejected", "failed"), ("busy", "busy")])
def test_a_rejected_call_is_never_answered(tmp_path: Path, reason: str, status: str) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        home.curbe.answers["/voice"] = [f'<Reject reason="{reason}"/>']

        await home.call()
        await home.until_quiet()

        assert [form["CallStatus"] for form in home.curbe.at("/app")] == ["initiated", "ringing", status]
        assert "CallDuration" not in home.curbe.at("/app")[-1]

    told(tmp_path, story)


def test_music_that_cannot_be_fetched_is_skipped_and_noted(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = ["<Play>/music.mp3</Play><Redirect>/after</Redirect>"]
        home.curbe.answers["/music.mp3"] = [404]
        home.curbe.answers["/after"] = ["<Hangup/>"]

        call_id = await home.call()
        await home.until_quiet()

        [error] = (await home.whole(call_id))["errors"]
        assert "answered 404" in error
        assert len(home.curbe.at("/after")) == 1

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ({"to": "+13055550999"}, "is not a number of this account"),
        ({"to": "+13055550998"}, "has no connection"),
        ({"to": "+13055550997"}, "which is not a TeXML application"),
        ({"to": "305"}, "to must be a number like"),
        ({"from": "anonymous"}, "from must be a number like"),
        ({"script": [{"sing": "la"}]}, "step 0 must have one of say, tone"),
        ({"script": [{"digits": 5}]}, "digits cannot be 5"),
        ({"hold_line_s": -1}, "hold_line_s must be a number of seconds"),
        ({"after_s": 2}, "Unknown: after_s"),
    ],
)
def test_a_call_that_cannot_begin_says_why(tmp_path: Path, number: dict[str, object], reason: str) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.control("POST", "/numbers", {"e164": "+13055550998"})
        connection = next(iter(home.world.account.table("credential_connections")))
        await home.control("POST", "/numbers", {"e164": "+13055550997", "connection_id": connection})

        answer = await home.control("POST", "/calls", {"to": NUMBER, "from": CALLER} | number, status=422)

        assert reason in answer["error"]

    told(tmp_path, story)


def test_the_script_of_a_caller_is_performed_once_the_call_is_answered(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/app")
        home.curbe.answers["/voice"] = ['<Gather numDigits="2" action="/menu" timeout="5"/>']
        home.curbe.answers["/menu"] = ["<Pause length='5'/>"]

        script = [{"tone": 700}, {"wait_s": 0.05}, {"digits": "42"}, {"wait_s": 0.1}, {"hangup": True}]
        await home.call(script=script)
        await home.until_quiet()

        assert gathered(home) == ["42"]
        assert home.curbe.at("/app")[-1]["HangupSource"] == "caller"

    told(tmp_path, story)


def test_a_page_that_polls_is_told_that_nothing_changed(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        first = await home.control("GET", "/state")

        again = await home.control("GET", f"/state?version={first['version']}")
        assert again == {"version": first["version"], "unchanged": True}

        await home.control("POST", "/trouble", {"drop": True})
        assert (await home.control("GET", f"/state?version={first['version']}"))["trouble"]["drop"] is True
        await home.control("POST", "/reset")
        assert (await home.control("GET", "/state"))["numbers"] == []

    told(tmp_path, story)


def test_a_page_from_elsewhere_cannot_drive_the_sandbox(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        answer = await home.control("POST", "/trouble", {"drop": True}, origin="https://mallory.test", status=403)
        assert "mallory.test may not" in answer["error"]

        await home.control("POST", "/trouble", {"drop": True}, origin=home.world.origin)
        assert home.world.trouble.switches.drop is True

    told(tmp_path, story)


def test_the_caller_hears_the_ring_back_the_agent_and_is_heard(tmp_path: Path) -> None:
    """With real sound: measured in the caller's ear."""

    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=700)
        home.curbe.answers["/voice"] = [f'<Dial answerOnBridge="true">{home.sip("ana")}</Dial>']

        call_id = await home.call()
        ear = home.root(call_id).endpoint.ear  # type: ignore[attr-defined]
        await home.until(lambda: 430 < ear.heard_peak_hz < 490 and ear.heard_rms > 0.05)
        assert (await home.whole(call_id))["hears"] == "ring-back"
        await home.until(lambda: abs(ear.heard_peak_hz - 660) < 5)
        assert (await home.whole(call_id))["hears"] == "ana"
        await home.control("POST", f"/calls/{call_id}/hangup")
        await home.until_quiet()

    told(tmp_path, story, media=True)
