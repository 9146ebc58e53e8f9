"""From "an agent is free" to "a waiting caller's leg is moved and its `<Dial>` asked for", with a hundred who wait.

Everything is real but the telephones: the sandbox's own clock says when the agent's leg ended (or we, when his
heartbeat was sent), when Telnyx's API was asked to move a leg, and when it had the `<Dial>` and rang the agent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.centre import Agent, Centre, opened, percentile, wait_for
from curbe.dev.stack import Stack

WAITING: Final = 100
#: By the end of a call, and by a heartbeat that says "ready" again.
HANG_UPS: Final = 60
COMEBACKS: Final = 20
LONGEST_S: Final = 180.0
TALK_MS: Final = 4_000
#: Long enough to say meanwhile that the phone is not ready any more.
COMEBACK_TALK_MS: Final = 1_500


@dataclass(frozen=True, slots=True)
class Freeing:
    """One agent who became free and was rung; moments by one clock."""

    #: His leg ended, or his heartbeat was sent.
    freed_at: datetime
    #: Telnyx was asked to move the caller's leg; None: the caller's own next request found him.
    moved_at: datetime | None
    #: Telnyx had the document, and rang him.
    rung_at: datetime

    @property
    def moved_ms(self) -> float:
        return 1000 * ((self.moved_at or self.rung_at) - self.freed_at).total_seconds()

    @property
    def rung_ms(self) -> float:
        return 1000 * (self.rung_at - self.freed_at).total_seconds()


def report(stack: Stack) -> None:
    """Print how long it takes, with one queue and with three whose agents are the same."""
    for kind, agents, what in (("line", 5, "one queue"), ("shared", 6, "three queues, the same agents")):
        with opened(stack, kind, agents=agents) as centre:
            print(f"An agent becomes free, {WAITING} wait; {what}, {agents} agents; load {os.getloadavg()[0]:.1f}")
            _row("his call ends", _hang_ups(centre))
            _row("his heartbeat says ready again", _comebacks(centre))
            print()


def _row(cause: str, freeings: list[Freeing]) -> None:
    moved, rung = [one.moved_ms for one in freeings], [one.rung_ms for one in freeings]
    by_himself = sum(one.moved_at is None for one in freeings)
    print(
        f"  {cause:<32} {len(freeings):>3} times: leg moved p50 {percentile(moved, 50):4.0f}, p95 "
        f"{percentile(moved, 95):4.0f} ms; <Dial> asked for p50 {percentile(rung, 50):4.0f}, p95 "
        f"{percentile(rung, 95):4.0f} ms{f'; {by_himself} by the caller' if by_himself else ''}"
    )


def _hang_ups(centre: Centre) -> list[Freeing]:
    """Everybody talks shortly, again and again; as many callers come as go."""
    calls = _gather(centre, answer_after_ms=200, hangup_after_ms=TALK_MS)
    began, before = datetime.now(UTC), _ended(centre)
    _say_ready(centre, centre.agents, True)
    until_s = time.monotonic() + LONGEST_S
    ended = before
    while ended - before < HANG_UPS and time.monotonic() < until_s:
        # By the calls that ended, not by those who wait: a server that lags must not be sent more and more.
        calls += _callers(centre, WAITING - len(calls) + ended - before)
        time.sleep(0.2)
        ended = _ended(centre)
    _end(centre)
    return [one for one in _freeings(centre.sandbox.see(calls)) if one.freed_at > began]


def _comebacks(centre: Centre) -> list[Freeing]:
    """Nobody's phone is ready; one after the other is for a moment, and takes one short call."""
    calls = _gather(centre, answer_after_ms=0, hangup_after_ms=COMEBACK_TALK_MS)
    sent: dict[str, list[datetime]] = {agent.sip_username: [] for agent in centre.agents}
    until_s = time.monotonic() + LONGEST_S
    for number in range(COMEBACKS):
        if time.monotonic() > until_s:
            break
        agent = centre.agents[number % len(centre.agents)]
        answered = centre.tally(agent)["answered"]
        sent[agent.sip_username].append(datetime.now(UTC))
        _say_ready(centre, [agent], True)
        wait_for("him to answer", lambda: centre.tally(agent)["answered"] > answered, within_s=40, every_s=0.05)  # noqa: B023
        _say_ready(centre, [agent], False)
        wait_for("his call to end", lambda: _is_idle(centre, agent), within_s=40, every_s=0.05)  # noqa: B023
        calls += _callers(centre, 1)
    _end(centre)
    return list(_comebacks_of(centre.sandbox.see(calls), sent))


def _gather(centre: Centre, **script: int) -> list[str]:
    """Let a hundred wait for agents whose phones are not ready."""
    for agent in centre.agents:
        centre.script(agent, **script)
    _say_ready(centre, centre.agents, False)
    calls = list(_callers(centre, WAITING))
    wait_for("everybody to wait", lambda: centre.waiting() == WAITING, within_s=60)
    return calls


def _say_ready(centre: Centre, agents: Sequence[Agent], ready: bool) -> None:
    for agent in agents:
        agent.ready = ready
    centre.beat(agents)


def _callers(centre: Centre, count: int) -> Iterator[str]:
    """Let so many call, a few at once: a crowd that comes in one second is another question."""
    known = "SELECT count(*) FROM telephony_call"
    serial = centre.count(known)
    for number in range(count):
        wait_for("the callers before him", lambda number=number: centre.count(known) > serial + number - 3, within_s=20)  # type: ignore[misc]
        to = centre.numbers[number % len(centre.numbers)]
        yield centre.sandbox.call(to, f"+1312{2_000_000 + serial + number:07d}")


def _ended(centre: Centre) -> int:
    ended = "SELECT count(*) FROM telephony_call WHERE company_id = %(company)s AND status = 'completed'"
    return centre.count(ended)


def _is_idle(centre: Centre, agent: Agent) -> bool:
    return centre.count("SELECT count(*) FROM agents_agent WHERE id = %(id)s AND activity = 'IDLE'", id=agent.id) == 1


def _end(centre: Centre) -> None:
    centre.sandbox.ask("POST", "calls/end_all")
    still = "SELECT count(*) FROM telephony_call WHERE company_id = %(company)s AND status <> 'completed'"
    wait_for("every call to be over", lambda: centre.count(still) == 0, within_s=90)


def _freeings(calls: Iterable[Any]) -> Iterator[Freeing]:
    """Yield each ringing of an agent whose call before it had ended by his hanging up."""
    legs: dict[str, list[tuple[datetime, Any, Any]]] = {}
    for call in calls:
        for leg in call["legs"]:
            if leg["parent"]:
                legs.setdefault(leg["to"], []).append((_at(leg["initiated_at"]), leg, call))
    for rung in legs.values():
        rung.sort(key=lambda one: one[0])
        for (_, before, _call), (rung_at, _leg, call) in zip(rung, rung[1:], strict=False):
            if before["ending"] and before["answered_at"]:
                yield Freeing(_at(before["ended_at"]), _moved_at(call, rung_at), rung_at)


def _comebacks_of(calls: Iterable[Any], sent: dict[str, list[datetime]]) -> Iterator[Freeing]:
    for call in calls:
        for leg in call["legs"]:
            name = leg["to"].removeprefix("sip:").partition("@")[0]
            rung_at = _at(leg["initiated_at"])
            before = [at for at in sent.get(name, []) if at < rung_at]
            if leg["parent"] and before:
                yield Freeing(before[-1], _moved_at(call, rung_at), rung_at)


def _moved_at(call: Any, before: datetime) -> datetime | None:
    """When the API was asked to move the caller's leg, the last time before this moment."""
    asked = [_at(one["at"]) for one in call["exchanges"] if one["direction"] == "in" and "Url=" in one["body"]]
    return max((at for at in asked if at < before), default=None)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
