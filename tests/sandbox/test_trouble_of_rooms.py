"""A bad day for rooms: the agent is lost or nowhere when he is moved, the addresses refuse, the news is lost."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from telephony.sandbox.calls.legs import Leg
from tests.sandbox.house import House, told
from tests.sandbox.phones import phone_of
from tests.sandbox.test_rooms import ANA_HZ, CUSTOMER_HZ, Room

ROOM = "<Response><Dial><Conference>call-42</Conference></Dial></Response>"


async def talk(home: House) -> tuple[str, Leg]:
    """A customer talks with the scripted Ana; his Dial goes on to the room. Her leg."""
    await home.script("ana", answer_after_ms=0)
    sip = home.sip("ana", attributes='statusCallback="{origin}/leg" statusCallbackEvent="completed"')
    home.curbe.answers["/voice"] = [f'<Dial action="/moved">{sip}</Dial>']
    home.curbe.answers["/moved"] = ["<Dial><Conference>call-42</Conference></Dial>"]
    call_id = await home.call()
    await home.until(lambda: home.root(call_id).hears == "ana")
    return call_id, home.root(call_id).call.legs[1]


async def move(home: House, leg: Leg) -> dict[str, str]:
    path = f"{home.account_path}/Calls/{leg.call_control_id}"
    return dict(await home.api("POST", path, data={"Texml": ROOM}))


def test_the_agents_leg_is_lost_instead_of_moved_and_the_customer_goes_on(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        call_id, ana = await talk(home)
        await home.control("POST", "/trouble", {"lose_agent_leg_on_update": True})
        answer = await move(home, ana)
        await home.until(lambda: home.root(call_id).hears == "music", "the customer alone in the room")
        await home.until(lambda: bool(home.curbe.at("/leg")))

        assert answer["status"] == "completed"
        assert home.curbe.at("/moved")[0]["DialCallStatus"] == "completed"
        [told_of] = home.curbe.at("/leg")
        assert (told_of["HangupCause"], told_of["HangupSource"]) == ("timeout", "unknown")
        await home.hang_up(call_id)

    told(tmp_path, story)


def test_a_browser_whose_leg_is_lost_loses_its_socket_too(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        await home.control("POST", "/settings", {"parked_status_callbacks": False})
        home.curbe.answers["/parked"] = ["<Dial><Conference>call-42</Conference></Dial>"]
        async with phone_of(home, "ana") as ana:
            await ana.dial("+12125550177")
            await ana.is_answered()
            await home.until(lambda: home.newest().hears == "music")
            await home.control("POST", "/trouble", {"lose_agent_leg_on_update": True})
            await move(home, home.newest())
            await home.until_quiet()

            assert home.newest().ending is not None
            assert home.newest().ending.hangup_cause == "timeout"
            await home.until(lambda: not home.world.is_registered(home.agents["ana"]))

    told(tmp_path, story)


def test_the_document_of_a_moved_agent_is_dropped_and_later_he_is_gone(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        call_id, ana = await talk(home)
        await home.control("POST", "/trouble", {"empty_room": True})
        await move(home, ana)
        await home.until(lambda: home.root(call_id).hears == "music")
        people = await home.api("GET", f"{home.account_path}/Conferences")
        sid = people["conferences"][0]["sid"]
        present = await home.api("GET", f"{home.account_path}/Conferences/{sid}/Participants")

        assert ana.is_live
        assert len(present["participants"]) == 1
        await home.until(lambda: not ana.is_live, "the agent's end")
        assert home.root(call_id).is_live
        await home.hang_up(call_id)

    told(tmp_path, story)


@pytest.mark.parametrize("refusal", ["429", "500", "disconnect"])
def test_rooms_refuse_while_everything_else_answers(tmp_path: Path, refusal: str) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await home.control("POST", "/trouble", {"refuse_conference_api": refusal})
        path = f"{home.account_path}/Conferences"
        if refusal == "disconnect":
            with pytest.raises(aiohttp.ClientError):
                await home.api("GET", path)
        else:
            await home.api("GET", path, status=int(refusal))
        await home.api("GET", f"{home.account_path}/Calls")
        await room.close()

    told(tmp_path, story)


def test_the_news_of_a_room_is_lost_and_the_rest_is_told(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        await home.control("POST", "/trouble", {"lose_conference_callbacks": True})
        room = Room(home)
        await room.enter("customer", CUSTOMER_HZ)
        await room.enter("ana", ANA_HZ)
        await room.close()

        assert home.curbe.at("/room") == []
        assert len(home.curbe.at("/left")) == 2
        exchanges = (await home.whole(room.calls["customer"]))["exchanges"]
        assert [one["outcome"] for one in exchanges if one["kind"] == "conference"][0] == "dropped"

    told(tmp_path, story)


def test_a_browsers_leg_says_how_it_sounded(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        call_id, ana = await talk(home)
        await home.hang_up(call_id)

        stats = json.loads(home.curbe.at("/leg")[0]["CallQualityStats"])
        assert set(stats) == {"inbound", "outbound"}
        assert stats["inbound"]["mos"] == "4.50"
        assert stats["inbound"]["packet_count"] == str(ana.duration_s * 50)
        assert set(stats["outbound"]) == {"packet_count", "skip_packet_count"}

    told(tmp_path, story)
