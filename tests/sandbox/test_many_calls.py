"""Many calls at once, with agents who need no browser."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from telephony.sandbox.account.store import Account
from telephony.sandbox.calls.calls import Calls
from tests.sandbox.house import House, told


@pytest.mark.parametrize(
    ("script", "status", "answered"),
    [
        ({"answer_after_ms": 20, "hangup_after_ms": 20}, "completed", 1),
        ({"decline_after_ms": 20}, "busy", 0),
        ({"ignore": True}, "no-answer", 0),
    ],
)
@pytest.mark.parametrize("media", [True, False])
def test_a_scripted_agent_does_what_it_was_told_and_is_counted(
    tmp_path: Path, script: dict[str, Any], status: str, answered: int, media: bool
) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", **script)
        home.curbe.answers["/voice"] = [f'<Dial timeout="5" action="/done">{home.sip("ana")}</Dial>']
        home.curbe.answers["/done"] = ["<Hangup/>"]

        await home.call(media=media)
        await home.until_quiet()

        assert [form["DialCallStatus"] for form in home.curbe.at("/done")] == [status]
        [agent] = (await home.control("GET", "/agents")).values()
        count = {name: agent[name] for name in ("rung", "answered", "legs", "most_legs_at_once")}
        assert count == {"rung": 1, "answered": answered, "legs": 0, "most_legs_at_once": 1}
        assert agent["script"]["ignore"] is script.get("ignore", False)

    told(tmp_path, story, media=True)


def test_an_agent_who_is_rung_twice_at_once_tells_on_it(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish("ana")
        await home.script("ana", answer_after_ms=0)
        home.curbe.answers["/voice"] = [f"<Dial>{home.sip('ana')}</Dial>"]

        for _ in range(2):
            call_id = await home.call(media=False)
            await home.until(lambda call_id=call_id: home.root(call_id).hears == "ana")  # type: ignore[misc]

        [agent] = (await home.control("GET", "/agents")).values()
        assert (agent["legs"], agent["most_legs_at_once"]) == (2, 2)
        await home.control("POST", "/calls/end_all")
        await home.until_quiet()
        await home.control("DELETE", f"/agents/{home.agents['ana']}")
        assert await home.control("GET", "/agents") == {}

    told(tmp_path, story)


def test_a_hundred_calls_at_once_reach_ten_agents_one_by_one(tmp_path: Path) -> None:
    """A small `python -m tests.sandbox.load`: nobody is lost, nobody is rung twice at once."""

    async def story(home: House) -> None:
        names = [f"agent {number}" for number in range(10)]
        await home.furnish(*names, status_callback="/app")
        for name in names:
            await home.script(name, answer_after_ms=5, hangup_after_ms=10)
        home.curbe.answers["/voice"] = ["<Pause length='180'/>"]
        home.curbe.answers["/done"] = ["<Hangup/>"]
        account = home.world.account.account_sid
        calls = await asyncio.gather(*(home.call(media=False) for _ in range(100)))
        await home.until(lambda: len(home.curbe.at("/voice")) == 100)
        sids = [home.root(call).call_control_id for call in calls]

        async def serve(name: str) -> None:
            while sids:
                sid = sids.pop()
                dial = f'<Response><Dial action="{home.curbe.origin}/done?{sid}">{home.sip(name)}</Dial></Response>'
                await home.api("POST", f"/texml/Accounts/{account}/Calls/{sid}", data={"Texml": dial})
                await home.world.calls.by_control_id[sid].ended.wait()

        await asyncio.gather(*(serve(name) for name in names))
        await home.until_quiet()

        assert [form["DialCallStatus"] for form in home.curbe.at("/done")] == ["completed"] * 100
        agents = (await home.control("GET", "/agents")).values()
        assert sum(agent["answered"] for agent in agents) == sum(agent["rung"] for agent in agents) == 100
        assert {agent["most_legs_at_once"] for agent in agents} == {1}
        assert (await home.control("GET", "/state"))["errors"] == []

    told(tmp_path, story)


def test_changes_of_the_account_are_written_together_and_all_of_them_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "account.json"
    account = Account(path)

    def written() -> int:
        return len(json.loads(path.read_text())["phone_numbers"])

    async def story() -> None:
        for number in range(50):
            account.put("phone_numbers", {"id": str(number)})
        assert written() == 0
        account.flush()
        assert written() == 50
        account.put("phone_numbers", {"id": "51"})
        async with asyncio.timeout(5):
            while written() == 50:
                await asyncio.sleep(0.01)

    asyncio.run(story())
    account.put("phone_numbers", {"id": "52"})
    assert written() == 52
    assert [file.name for file in tmp_path.iterdir()] == ["account.json"]


def test_the_oldest_calls_are_forgotten_and_no_live_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Calls, "KEPT", 3)

    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = ["<Pause length='180'/>", "<Reject/>"]
        first = await home.call(media=False)
        await home.until(lambda: bool(home.curbe.at("/voice")))
        others = []
        for _ in range(5):
            others.append(await home.call(media=False))
            await home.until(lambda: not home.root(others[-1]).is_live)

        assert list(home.world.calls.by_id) == [first, *others[-2:]]
        assert len(home.world.calls.by_control_id) == 3
        await home.hang_up(first)

    told(tmp_path, story)


def test_a_link_that_died_is_forgotten_and_refused(tmp_path: Path) -> None:
    async def story(home: House) -> None:
        await home.furnish()
        home.curbe.answers["/voice"] = ['<Record maxLength="1" playBeep="false" recordingStatusCallback="/kept"/>']
        await home.hang_up(await home.call(media=False), when=lambda root: "being recorded" in root.hears)
        recordings = home.world.recordings
        [link] = recordings._links.values()
        recordings._links = {"old": replace(link, dies_at=link.dies_at.replace(year=2020))}

        listed = (await home.api("GET", "/recordings"))["data"]

        assert "old" not in recordings._links
        assert (await home.get(f"{home.world.origin}/_files/recordings/old.mp3"))[0] == 403
        assert (await home.get(listed[0]["download_urls"]["mp3"]))[0] == 200

    told(tmp_path, story)
