"""Rooms by the REST addresses, with real sound: who hears whom, on hold, muted, swapped, and how a room ends."""

from __future__ import annotations

import io
import math
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from telephony.sandbox.media.frames import RATE_HZ
from tests.sandbox.house import NUMBER, House, told

ANA, LUIS = "+12125550171", "+12125550172"
CUSTOMER_HZ, ANA_HZ, LUIS_HZ, HOLD_HZ = 500, 900, 1300, 700


def tone_wav(hz: float, seconds: float = 0.5) -> bytes:
    """A sound file shorter than what is listened to: it must be heard round and round."""
    samples = (0.4 * 32_767 * np.sin(2 * math.pi * hz * np.arange(int(seconds * RATE_HZ)) / RATE_HZ)).astype(np.int16)
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return content.getvalue()


async def serve_hold(request: web.Request) -> web.Response:
    return web.Response(body=tone_wav(HOLD_HZ), content_type="audio/wav")


class Room:
    """Callers in one room, each singing a tone of his own."""

    def __init__(self, home: House, name: str = "call-42") -> None:
        self.home, self.name = home, name
        self.calls: dict[str, str] = {}

    async def enter(self, label: str, hz: float, **attributes: str) -> None:
        said = "".join(f' {name}="{value}"' for name, value in attributes.items())
        callback = 'statusCallback="{origin}/room" statusCallbackEvent="start end join leave"'
        noun = f'<Conference beep="false" participantLabel="{label}" {callback}{said}>{self.name}</Conference>'
        self.home.curbe.answers["/voice"] = [f'<Dial action="/left">{noun}</Dial>']
        self.calls[label] = await self.home.call(script=[{"tone": hz}])
        await self.home.until(lambda: self.root(label).hears != "nothing", f"{label} in the room")

    def root(self, label: str) -> Any:
        return self.home.root(self.calls[label])

    async def hears(self, label: str, hz: float) -> None:
        """Wait until half a second of this tone, and nothing louder, was heard from now on; 0 is silence."""
        ear = self.root(label).endpoint.ear
        from_s = ear.heard_s + 0.5

        def is_so() -> bool:
            is_right = ear.heard_rms < 0.002 if not hz else abs(ear.heard_peak_hz - hz) < 6
            return is_right and ear.heard_s > from_s

        await self.home.until(is_so, f"{label} hears {hz} Hz")

    def mixture(self, label: str) -> set[int]:
        """Which of the tones of the room are in what was heard last."""
        heard = self.root(label).endpoint.ear.heard[-RATE_HZ // 2 :]
        spectrum = np.abs(np.fft.rfft(heard * np.hanning(heard.size)))
        loud = spectrum.max() / 5
        return {hz for hz in (CUSTOMER_HZ, ANA_HZ, LUIS_HZ, HOLD_HZ) if spectrum[hz * heard.size // RATE_HZ] > loud}

    async def hears_all(self, label: str, *hz: int) -> None:
        """Wait until half a second of these tones together was heard from now on."""
        ear = self.root(label).endpoint.ear
        from_s = ear.heard_s + 0.5
        what = f"{label} hears {hz}"
        await self.home.until(lambda: ear.heard_s > from_s and self.mixture(label) == set(hz), what)

    async def ask(self, method: str, path: str = "", *, status: int | None = None, **form: Any) -> Any:
        address = f"{self.home.account_path}/Conferences/{await self.sid()}{path}"
        options = {"data": form} if method == "POST" else {}
        return await self.home.api(method, address, status=status, **options)

    async def sid(self) -> str:
        rows = await self.home.api("GET", f"{self.home.account_path}/Conferences?FriendlyName={self.name}")
        return str(rows["conferences"][0]["sid"])

    async def set(self, label: str, **form: Any) -> Any:
        return await self.ask("POST", f"/Participants/{label}", **form)

    async def close(self) -> None:
        await self.home.control("POST", "/calls/end_all")
        await self.home.until_quiet()


def test_three_in_a_room_hear_each_other_and_one_muted_is_heard_by_nobody(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)
        await room.enter("luis", LUIS_HZ, muted="true")
        await room.hears_all("customer", ANA_HZ)
        await room.hears_all("ana", CUSTOMER_HZ)
        await room.hears_all("luis", CUSTOMER_HZ, ANA_HZ)

        loud = await room.set("luis", Muted="false")
        await room.hears_all("customer", ANA_HZ, LUIS_HZ)
        quiet = await room.set("luis", Muted="true")
        await room.hears_all("customer", ANA_HZ)

        assert (loud["muted"], quiet["muted"], quiet["status"]) == (False, True, "connected")
        await room.close()

    told(tmp_path, story, media=True)


def test_who_is_on_hold_hears_the_address_in_a_loop_and_nobody_else_does(tmp_path: Path) -> None:
    """The customer is held while two agents talk, and then swapped with one of them."""

    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/hold.wav"] = [serve_hold]
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)
        await room.enter("luis", LUIS_HZ)
        hold = {"Hold": "true", "HoldUrl": f"{home.curbe.origin}/hold.wav"}

        held = await room.set("customer", **hold)
        await room.hears_all("customer", HOLD_HZ)
        await room.hears_all("ana", LUIS_HZ)
        await room.hears_all("luis", ANA_HZ)
        assert held["hold"] is True

        await room.set("luis", **hold)
        await room.set("customer", Hold="false")
        await room.hears_all("luis", HOLD_HZ)
        await room.hears_all("customer", ANA_HZ)
        await room.hears_all("ana", CUSTOMER_HZ)

        await room.set("luis", Hold="false")
        await room.hears_all("customer", ANA_HZ, LUIS_HZ)
        await room.close()

    told(tmp_path, story, media=True)


def test_alone_with_somebody_on_hold_there_is_silence_and_a_mute_outlasts_the_hold(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)

        await room.set("customer", Hold="true")
        await room.hears("ana", 0)
        assert room.root("customer").hears == "on hold: music"
        await room.set("customer", Muted="true")
        await room.set("customer", Hold="false")
        await room.hears("customer", ANA_HZ)
        await room.hears("ana", 0)
        await room.close()

    told(tmp_path, story, media=True)


def test_a_hold_address_that_gives_texml_is_music_and_said_to_be_unplayed(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/hold"] = ["<Say>Wait</Say>"]
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)
        await room.set("customer", Hold="true", HoldUrl=f"{home.curbe.origin}/hold")
        errors = home.world.calls.by_id[room.calls["customer"]].errors
        await home.until(lambda: bool(errors))

        assert "HoldUrl is not a sound (TeXML is documented there" in errors[0]
        assert room.root("customer").hears == "on hold: music"
        await room.close()

    told(tmp_path, story)


def test_the_room_is_listed_read_and_ended_by_its_addresses(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ, startConferenceOnEnter="false")
        rooms = f"{home.account_path}/Conferences"
        waiting = await home.api("GET", f"{rooms}?Status=init&FriendlyName=call-42")
        await room.enter("ana", ANA_HZ)
        people = await room.ask("GET", "/Participants?PageSize=1")
        row = await room.ask("GET", "/Participants/ana")
        ended = await room.ask("POST", Status="completed")
        await home.until_quiet()
        again = await room.ask("POST", Status="completed", status=422)
        gone = await room.ask("POST", "/Participants/ana", Muted="true", status=422)
        after = await room.ask("GET", "/Participants")
        nobody = await room.ask("GET", "/Participants/ana", status=404)
        elsewhere = await home.api("GET", f"{rooms}/0", status=404)

        [listed] = waiting["conferences"]
        assert (listed["friendly_name"], listed["status"]) == ("call-42", "init")
        assert (len(people["participants"]), people["next_page_uri"] is not None) == (1, True)
        assert row["call_sid"] == room.root("ana").call_control_id
        assert (row["hold"], row["muted"], row["end_conference_on_exit"]) == (False, False, False)
        assert (ended["status"], ended["reason_conference_ended"]) == ("completed", "conference-ended-via-api")
        assert [room.root(label).status for label in room.calls] == ["completed", "completed"]
        assert [problem["errors"][0]["code"] for problem in (again, gone)] == ["90019", "90019"]
        assert after["participants"] == []
        assert [problem["errors"][0]["code"] for problem in (nobody, elsewhere)] == ["10005", "10005"]
        assert home.curbe.at("/room")[-1]["StatusCallbackEvent"] == "conference-end"

    told(tmp_path, story)


def test_a_dropped_participant_is_hung_up_and_whoever_ends_the_room_lets_the_others_go_on(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/left"] = ['<Pause length="60"/>']
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)
        await room.enter("luis", LUIS_HZ)
        await room.ask("DELETE", "/Participants/luis")
        await home.until(lambda: not room.root("luis").is_live)
        await room.set("customer", EndConferenceOnExit="true")
        await home.control("POST", f"/calls/{room.calls['customer']}/hangup")
        await home.until(lambda: len(home.curbe.at("/left")) == 3, "the others at their action")

        last = home.curbe.at("/left")[-1]
        assert (last["CallSid"], last["DialCallStatus"]) == (room.root("ana").call_control_id, "completed")
        assert room.root("ana").is_live
        ended = await room.ask("GET")
        assert ended["reason_conference_ended"] == "participant-with-end-conference-on-exit-left"
        assert ended["call_sid_ending_conference"] == room.root("customer").call_control_id
        await room.close()

    told(tmp_path, story)


def test_a_member_with_a_new_document_leaves_the_room(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)
        path = f"{home.account_path}/Calls/{room.root('ana').call_control_id}"
        await home.api("POST", path, data={"Texml": '<Response><Pause length="60"/></Response>'})
        await home.until(lambda: room.root("customer").hears == "music")

        assert (await room.ask("GET", "/Participants/ana", status=404))["errors"][0]["code"] == "10005"
        assert room.root("ana").is_live
        await room.close()

    told(tmp_path, story)


def test_keys_reach_the_room_and_the_api_sends_some(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)
        await home.control("POST", f"/calls/{room.calls['ana']}/digits", {"digits": "12"})
        assert room.root("customer").heard_digits == "12"
        await room.set("customer", Hold="true")
        await home.control("POST", f"/calls/{room.calls['ana']}/digits", {"digits": "3"})

        sid = room.root("customer").call_control_id
        await home.api("POST", f"/calls/{sid}/actions/send_dtmf", json={"digits": "4w#", "command_id": "1"})
        await home.api("POST", f"/calls/{sid}/actions/send_dtmf", json={"digits": "4w#", "command_id": "1"})
        await home.until(lambda: room.root("customer").heard_digits == "124#")
        wrong = await home.api("POST", f"/calls/{sid}/actions/send_dtmf", json={"digits": "4x"}, status=422)

        assert wrong["errors"][0]["source"]["pointer"] == "/digits"
        assert room.root("ana").heard_digits == ""
        await room.close()
        over = await home.api("POST", f"/calls/{sid}/actions/send_dtmf", json={"digits": "4"}, status=422)
        assert over["errors"][0]["code"] == "90018"

    told(tmp_path, story)


def test_somebody_is_rung_into_the_room_by_its_address(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", f"/agents/{ANA}", {"answer_after_ms": 0})
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        form = {"From": NUMBER, "To": ANA, "Label": "ana", "EndConferenceOnExit": "true", "Timeout": "10"}
        made = await room.ask("POST", "/Participants", **form)
        await home.until(lambda: room.root("customer").hears == "the room call-42")
        twice = await room.ask("POST", "/Participants", status=422, **form)
        row = await room.ask("GET", "/Participants/ana")
        unplayed = await room.ask("POST", "/Participants", status=422, **form | {"Coaching": "true"})

        assert (made["status"], made["call_sid"]) == ("connecting", row["call_sid"])
        assert row["end_conference_on_exit"] is True
        assert twice["errors"][0]["source"]["pointer"] == "/Label"
        assert "Coaching is documented" in unplayed["errors"][0]["detail"]
        await home.api("POST", f"{home.account_path}/Calls/{made['call_sid']}", data={"Status": "completed"})
        await home.until_quiet()

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("form", "code", "pointer"),
    [
        ({}, "10004", "/Hold"),
        ({"Muted": "perhaps"}, "10026", "/Muted"),
        ({"AnnounceUrl": "https://a.test/x"}, "10027", "/AnnounceUrl"),
        ({"Coaching": "true", "CallSidToCoach": "v3:x"}, "10027", "/Coaching"),
        ({"Hold": "true", "HoldUrl": "/hold.mp3"}, "10027", "/HoldUrl"),
        ({"Hold": "true", "HoldMethod": "POST"}, "10027", "/HoldMethod"),
        ({"Whisper": "true"}, "10015", "/Whisper"),
    ],
)
def test_what_a_participant_cannot_be_told_is_named(
    tmp_path: Path, form: dict[str, str], code: str, pointer: str
) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        refused = await room.ask("POST", "/Participants/customer", status=422, **form)

        assert (refused["errors"][0]["code"], refused["errors"][0]["source"]["pointer"]) == (code, pointer)
        await room.close()

    told(tmp_path, story)


def test_a_room_that_nobody_has_entered_yet_takes_a_second_invitation_and_nothing_else(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        for number in (ANA, LUIS):
            await home.control("POST", f"/agents/{number}", {"ignore": True})
        path = f"{home.account_path}/Conferences/to-be"
        form = {"From": NUMBER, "To": ANA, "ApplicationSid": home.application_id}
        first = await home.api("POST", f"{path}/Participants", data=form)
        room = f"{home.account_path}/Conferences/{first['conference_sid']}"
        second = await home.api("POST", f"{room}/Participants", data=form | {"To": LUIS})
        ended = await home.api("POST", room, data={"Status": "completed"}, status=422)
        unknown = await home.api("POST", f"{path}-2/Participants", data={"From": NUMBER, "To": ANA}, status=422)

        assert second["conference_sid"] == first["conference_sid"]
        assert ended["errors"][0]["code"] == "90033"
        assert unknown["errors"][0]["source"]["pointer"] == "/ApplicationSid"
        await home.control("POST", "/calls/end_all")
        await home.until_quiet()

    told(tmp_path, story)
