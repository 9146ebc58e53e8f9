"""Legs seen and ended one by one, and calls that scripted telephones place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.house import House, told


async def answered_by_ana(home: House) -> tuple[str, str]:
    """A caller talks with the scripted Ana. The ids of his call and of her leg."""
    await home.furnish("ana")
    await home.script("ana", answer_after_ms=0)
    sip = home.sip("ana", attributes='statusCallback="{origin}/leg" statusCallbackEvent="completed"')
    home.curbe.answers["/voice"] = [f"<Dial>{sip}</Dial>"]
    call_id = await home.call()
    await home.until(lambda: home.root(call_id).hears == "ana")
    return call_id, home.root(call_id).call.legs[1].call_control_id


@pytest.mark.parametrize(
    ("how", "cause", "source"), [("bye", "normal_clearing", "callee"), ("lost", "timeout", "unknown")]
)
def test_a_leg_that_was_rung_ends_as_it_is_told(tmp_path: Path, how: str, cause: str, source: str) -> None:
    async def story(home: House) -> None:
        call_id, leg = await answered_by_ana(home)

        ended = await home.control("POST", f"/legs/{leg}/end", {"how": how})
        await home.until(lambda: bool(home.curbe.at("/leg")))

        assert ended["state"] == "ended"
        [told_of] = home.curbe.at("/leg")
        assert (told_of["HangupCause"], told_of["HangupSource"]) == (cause, source)
        await home.control("POST", f"/legs/{leg}/end", {"how": how}, status=409)
        await home.until(lambda: not home.root(call_id).is_live)

    told(tmp_path, story)


def test_every_leg_is_listed_with_what_it_hears_and_since_when(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        call_id, leg = await answered_by_ana(home)

        legs = (await home.control("GET", "/legs"))["legs"]
        one = await home.control("GET", f"/legs/{leg}")

        assert [row["call_id"] for row in legs] == [call_id, call_id]
        assert legs[1] == one
        assert one["hears_since"] >= one["answered_at"]
        await home.hang_up(call_id)

    told(tmp_path, story)


def test_a_scripted_telephone_places_a_call_that_is_parked(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana", parked=True)
        await home.script("ana", answer_after_ms=0)
        home.curbe.answers["/parked"] = ["<Dial><Conference>call-42</Conference></Dial>"]
        name = home.agents["ana"]

        placed = await home.control("POST", f"/agents/{name}/dial", {"to": "+12125550177", "from": "+13055550100"})
        await home.until(lambda: home.root(placed["call_id"]).hears == "music")

        assert home.curbe.at("/parked")[0]["To"] == "+12125550177"
        await home.control("POST", f"/legs/{placed['call_sid']}/end", {"how": "bye"})
        assert (await home.control("GET", "/agents"))[name]["most_legs_at_once"] == 1
        await home.until(lambda: not home.root(placed["call_id"]).is_live)

    told(tmp_path, story)
