"""Rooms: who waits, who is heard, what ends them, and how a talk of two becomes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sandbox.house import House, told

EVENTS = 'statusCallback="{origin}/room" statusCallbackEvent="start end join leave"'


def told_of_room(home: House) -> list[tuple[str, str]]:
    return [(form["StatusCallbackEvent"], form.get("ParticipantLabel", "")) for form in home.curbe.at("/room")]


def test_the_customer_waits_for_a_starter_and_ends_the_room(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        customer = 'participantLabel="customer" startConferenceOnEnter="false" endConferenceOnExit="true"'
        home.curbe.answers["/voice"] = [
            f"<Dial><Conference {customer} {EVENTS}>call-42</Conference></Dial>",
            '<Dial action="/out"><Conference participantLabel="agent">call-42</Conference></Dial>',
        ]
        home.curbe.answers["/out"] = ["<Hangup/>"]

        first = await home.call()
        await home.until(lambda: home.root(first).hears == "music")
        second = await home.call()
        await home.until(lambda: home.root(first).hears == "the room call-42")
        await home.control("POST", f"/calls/{first}/hangup")
        await home.until_quiet()

        assert told_of_room(home) == [
            ("participant-join", "customer"),
            ("participant-join", "agent"),
            ("conference-start", "agent"),
            ("participant-leave", "customer"),
            ("participant-leave", "agent"),
            ("conference-end", "agent"),
        ]
        assert home.curbe.at("/out")[0]["DialCallStatus"] == "completed"
        assert (await home.whole(second))["status"] == "completed"

    told(tmp_path, story)


def test_a_talk_of_two_is_moved_into_a_room_agent_first(tmp_path: Path) -> None:
    """With real sound: the caller hears the agent's 660 Hz before and after, and the agent is never hung up."""

    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        sip = home.sip("ana", attributes='statusCallback="{origin}/leg" statusCallbackEvent="answered completed"')
        home.curbe.answers["/voice"] = [f'<Dial answerOnBridge="true" action="/moved">{sip}</Dial>']
        room = '<Dial><Conference beep="false" %s>call-42</Conference></Dial>'
        home.curbe.answers["/moved"] = [room % 'endConferenceOnExit="true"']
        call_id = await home.call()
        ear: Any = home.root(call_id).endpoint.ear  # type: ignore[attr-defined]
        await home.until(lambda: abs(ear.heard_peak_hz - 660) < 5)
        ana = home.curbe.at("/leg")[0]["CallSid"]
        path = f"/texml/Accounts/{home.world.account.account_sid}/Calls/{ana}"

        await home.api("POST", path, data={"Texml": f"<Response>{room % ''}</Response>"})
        await home.until(lambda: home.root(call_id).hears == "the room call-42")
        heard_s = ear.heard_s
        await home.until(lambda: ear.heard_s > heard_s + 0.6)

        assert abs(ear.heard_peak_hz - 660) < 5
        assert home.curbe.at("/moved")[0]["DialCallStatus"] == "completed"
        assert [form["CallStatus"] for form in home.curbe.at("/leg")] == ["in-progress"]
        await home.control("POST", f"/calls/{call_id}/hangup")
        await home.until_quiet()
        assert home.curbe.at("/leg")[-1]["CallStatus"] == "completed"

    told(tmp_path, story, media=True)


def test_a_caller_who_is_moved_out_of_a_talk_hears_what_comes_next(tmp_path: Path) -> None:
    """With real sound: the talk that ends must not silence the music that begins."""

    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        home.curbe.answers["/voice"] = [f"<Dial>{home.sip('ana')}</Dial>"]
        call_id = await home.call()
        root = home.root(call_id)
        ear: Any = root.endpoint.ear  # type: ignore[attr-defined]
        await home.until(lambda: abs(ear.heard_peak_hz - 660) < 5)
        path = f"/texml/Accounts/{home.world.account.account_sid}/Calls/{root.call_control_id}"

        document = "<Response><Dial><Conference>waiting</Conference></Dial></Response>"
        await home.api("POST", path, data={"Texml": document})
        await home.until(lambda: root.hears == "music")
        heard_s = ear.heard_s
        await home.until(lambda: ear.heard_s > heard_s + 0.6)

        assert ear.heard_rms > 0.01
        assert abs(ear.heard_peak_hz - 660) > 5
        assert root.hears == "music"
        assert not home.world.calls.by_id[call_id].legs[1].is_live
        await home.control("POST", "/calls/end_all")
        await home.until_quiet()

    told(tmp_path, story, media=True)


def test_a_muted_member_hears_and_is_not_heard(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = [
            '<Dial><Conference endConferenceOnExit="true">r</Conference></Dial>',
            '<Dial><Conference muted="true">r</Conference></Dial>',
        ]

        speaker = await home.call(script=[{"tone": 500}])
        await home.until(lambda: home.root(speaker).hears == "music")
        listener = await home.call(script=[{"tone": 900}])
        ears: list[Any] = [home.root(one).endpoint.ear for one in (speaker, listener)]  # type: ignore[attr-defined]
        await home.until(lambda: abs(ears[1].heard_peak_hz - 500) < 5 and ears[0].heard_rms < 0.001)

        await home.control("POST", "/calls/end_all")
        await home.until_quiet()

    told(tmp_path, story, media=True)
