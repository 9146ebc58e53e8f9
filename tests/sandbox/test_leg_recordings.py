"""A leg recorded beside its document: through a room, on hold, paused, stopped, and by whom it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telephony.sandbox.media.frames import RATE_HZ, Samples
from tests.sandbox.house import CALLER, House, told
from tests.sandbox.test_dial import ring
from tests.sandbox.test_rooms import ANA_HZ, CUSTOMER_HZ, HOLD_HZ, Room, serve_hold
from tests.sandbox_media.support import wav_channels

START = '<Start><Recording channels="dual" format="wav" recordingStatusCallback="{origin}/kept"/></Start>'


def hz_by_time(samples: Samples) -> list[int]:
    """The strongest tone of each quarter of a second that is loud, without repetitions; to the next 10 Hz."""
    heard: list[int] = []
    for start in range(0, samples.size - RATE_HZ // 4, RATE_HZ // 4):
        piece = samples[start : start + RATE_HZ // 4]
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(piece.size)))
        hz = round(spectrum.argmax() * 4 / 10) * 10
        if np.sqrt(np.mean(np.square(piece, dtype=np.float64))) > 3000 and (not heard or heard[-1] != hz):
            heard.append(hz)
    return heard


async def kept(home: House, folder: Path, form: dict[str, str]) -> list[Samples]:
    status, sound = await home.get(form["RecordingUrl"])
    assert status == 200
    (folder / "kept.wav").write_bytes(sound)
    return wav_channels(folder / "kept.wav")


def running(home: House) -> Any:
    [one] = home.world.recordings._running.values()
    return one.recorder


async def for_another(home: House, seconds: float) -> None:
    """Wait until the recording is that much longer."""
    until_s = running(home).duration_s + seconds
    await home.until(lambda: running(home).duration_s > until_s)


def test_the_customers_leg_is_recorded_through_the_room_and_its_hold(tmp_path: Path) -> None:
    """Left is what he says, right what he hears: the agent, then the music of the hold, then the agent again."""

    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/hold.wav"] = [serve_hold]
        room = Room(home)
        noun = '<Conference beep="false" participantLabel="customer">call-42</Conference>'
        await room.enter("ana", ANA_HZ)
        home.curbe.answers["/voice"] = [f'{START}<Dial action="/left">{noun}</Dial>']
        room.calls["customer"] = await home.call(script=[{"tone": CUSTOMER_HZ}])
        await room.hears("customer", ANA_HZ)
        await room.set("customer", Hold="true", HoldUrl=f"{home.curbe.origin}/hold.wav")
        await room.hears("customer", HOLD_HZ)
        await room.set("customer", Hold="false")
        await room.hears("customer", ANA_HZ)
        await for_another(home, 0.6)
        await home.control("POST", f"/calls/{room.calls['customer']}/hangup")
        await home.until(lambda: bool(home.curbe.at("/kept")))

        [form] = home.curbe.at("/kept")
        assert form["CallSid"] == room.root("customer").call_control_id
        assert (form["RecordingStatus"], form["RecordingChannels"]) == ("completed", "2")
        assert form["RecordingSource"] == "StartCallRecordingAPI"
        left, right = await kept(home, tmp_path, form)
        assert hz_by_time(left) == [CUSTOMER_HZ]
        assert [hz for hz in hz_by_time(right) if hz in (ANA_HZ, HOLD_HZ)] == [ANA_HZ, HOLD_HZ, ANA_HZ]
        await room.close()

    told(tmp_path, story, media=True)


def test_stop_ends_the_recording_while_the_leg_goes_on(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish(status_callback="/steps")
        start = '<Start><Recording recordingStatusCallback="{origin}/kept"/></Start>'
        home.curbe.answers["/voice"] = [
            f'{start}<Say>a</Say><Stop><Recording/></Stop><Stop><Recording/></Stop><Pause length="100"/>'
        ]
        call_id = await home.call()
        await home.until(lambda: bool(home.curbe.at("/kept")))

        assert home.root(call_id).is_live
        await home.hang_up(call_id)
        [form] = home.curbe.at("/kept")
        assert form["RecordingUrl"].split("?")[0].endswith(".mp3")
        last = home.curbe.at("/steps")[-1]
        assert (last["CallStatus"], last["RecordingDuration"]) == ("completed", form["RecordingDuration"])

    told(tmp_path, story)


def test_a_recording_by_the_api_pauses_goes_on_and_stops(tmp_path: Path) -> None:
    """While it is paused he changes his tune: that tune is not in the file."""

    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = ['<Say>a</Say><Pause length="180"/><Pause length="180"/>']
        call_id = await home.call(script=[{"tone": 500}])
        await home.until(lambda: home.root(call_id).state == "answered")
        path = f"{home.account_path}/Calls/{home.root(call_id).call_control_id}/Recordings"
        form = {
            "RecordingStatusCallback": f"{home.curbe.origin}/kept",
            "RecordingStatusCallbackEvent": "in-progress completed",
        }

        made = await home.api("POST", f"{path}.json", data=form)
        await for_another(home, 0.5)
        paused = await home.api("POST", f"{path}/{made['sid']}.json", data={"Status": "paused"})
        length_s = running(home).duration_s
        await home.control("POST", f"/calls/{call_id}/say", {"tone": 900})
        ear = home.root(call_id).endpoint
        await home.until(lambda: ear._party.is_saying)  # type: ignore[attr-defined]
        assert running(home).duration_s == length_s
        await home.control("POST", f"/calls/{call_id}/say", {"tone": 500})
        on = await home.api("POST", f"{path}/{made['sid']}.json", data={"Status": "in-progress"})
        await for_another(home, 0.5)
        stopped = await home.api("POST", f"{path}/{made['sid']}.json", data={"Status": "stopped"})
        listed = await home.api("GET", f"{path}.json")
        late = await home.api("POST", f"{path}/{made['sid']}.json", data={"Status": "paused"}, status=422)
        await home.until(lambda: len(home.curbe.at("/kept")) == 2)

        words = [row["status"] for row in (made, paused, on, stopped)]
        assert words == ["in-progress", "paused", "in-progress", "completed"]
        assert [row["sid"] for row in listed["recordings"]] == [made["sid"]]
        assert late["errors"][0]["code"] == "10027"
        assert [one["RecordingStatus"] for one in home.curbe.at("/kept")] == ["in-progress", "completed"]
        left, _ = await kept(home, tmp_path, home.curbe.at("/kept")[-1])
        assert hz_by_time(left) == [500]
        await home.hang_up(call_id)
        over = await home.api("POST", f"{path}.json", data=form, status=422)
        assert over["errors"][0]["code"] == "90018"

    told(tmp_path, story, media=True)


def test_what_a_dial_records_is_listed_at_its_leg_and_pauses_too(tmp_path: Path) -> None:
    """An agent who pauses does so in a plain <Dial> more often than in a room."""

    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        home.curbe.answers["/voice"] = [ring(home, "ana", attributes='record="record-from-answer-dual"')]
        home.curbe.answers["/done"] = ["<Hangup/>"]
        call_id = await home.call()
        await home.until(lambda: bool(home.world.recordings._running))
        path = f"{home.account_path}/Calls/{home.root(call_id).call_control_id}/Recordings"

        [listed] = (await home.api("GET", f"{path}.json"))["recordings"]
        assert (listed["status"], listed["source"]) == ("in-progress", "DialVerb")
        paused = await home.api("POST", f"{path}/{listed['sid']}.json", data={"Status": "paused"})
        assert paused["status"] == "paused"
        [listed] = (await home.api("GET", f"{path}.json"))["recordings"]
        assert listed["status"] == "paused"
        assert running(home).is_paused
        await home.hang_up(call_id)
        await home.until_quiet()
        [listed] = (await home.api("GET", f"{path}.json"))["recordings"]
        assert listed["status"] == "completed"

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("form", "code", "pointer"),
    [
        ({"PlayBeep": "true"}, "10027", "/PlayBeep"),
        ({"RecordingTrack": "inbound"}, "10027", "/RecordingTrack"),
        ({"RecordingChannels": "mono"}, "10032", "/RecordingChannels"),
        ({"RecordingStatusCallbackEvent": "done"}, "10032", "/RecordingStatusCallbackEvent"),
    ],
)
def test_what_a_recording_cannot_be_is_named(tmp_path: Path, form: dict[str, str], code: str, pointer: str) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = ['<Pause length="180"/>']
        call_id = await home.call(**{"from": CALLER})
        path = f"{home.account_path}/Calls/{home.root(call_id).call_control_id}/Recordings.json"
        early = await home.api("POST", path, status=422)
        refused = await home.api("POST", path, data=form | {"RecordingStatusCallback": "http://a.test"}, status=422)

        assert early["errors"][0]["code"] == "90020"
        assert (refused["errors"][0]["code"], refused["errors"][0].get("source", {}).get("pointer")) == (code, pointer)
        await home.hang_up(call_id)

    told(tmp_path, story)
