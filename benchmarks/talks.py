"""Conversations through the whole house: holds, transfers, consults, rescues, and the worst of days.

Agents are telephones by script; what they wish is asked for by the addresses of their browsers. Once without trouble,
to measure; once with a tenth of the webhooks dropped, all doubled and shuffled, updates that are refused, slow or late,
agents lost on their way, rooms that stay empty, and a worker that is killed twice. Then the books must balance.
"""

from __future__ import annotations

import os
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks import talk_books
from benchmarks.centre import Centre, TookTooLong, opened, percentile, wait_for
from benchmarks.deeds import OUTSIDE, Desk, Diary, Talking
from benchmarks.many_calls import worked
from curbe.dev.stack import Stack

CALLS, SECONDS, AGENTS = int(os.environ.get("CURBE_BENCH_TALKS", "200")), 120.0, 24
#: After the last caller has gone, all must be settled by then.
SETTLED_WITHIN_S: Final = 30.0
OVER_WITHIN_S: Final = 240.0
#: The caller hangs up so long after the first ring, whatever he is in.
CALLERS_PATIENCE_S: Final = (5.0, 45.0)
OUTBOUND_EVERY: Final = 8
#: The goals of issue 4.
END_P95_MS, MUSIC_MS = 150.0, 1_000.0

NO_TROUBLE: Final[Mapping[str, Any]] = {"all_off": True}
_ALWAYS: Final[Mapping[str, Any]] = {"all_off": True, "drop": True, "duplicate": True, "shuffle": True}
#: One after the other, each for an equal part of the run.
TROUBLES: Final[Sequence[Mapping[str, Any]]] = (
    {**_ALWAYS, "seed": 7},
    {**_ALWAYS, "refuse_updates": "500"},
    {**_ALWAYS, "slow_updates_ms": 1_500},
    {**_ALWAYS, "late_updates_ms": 1_500},
    {**_ALWAYS, "lose_agent_leg_on_update": True},
    {**_ALWAYS, "empty_room": True},
    {**_ALWAYS, "refuse_conference_api": "500"},
)


@dataclass
class Run:
    diary: Diary
    placed: list[str]
    over_s: float = 0.0
    settled_s: float = 0.0
    killed: int = 0
    cpu_s: dict[str, float] = field(default_factory=dict)
    books: talk_books.Books = field(default_factory=talk_books.Books)


def report(stack: Stack) -> None:
    with opened(stack, "talks", agents=AGENTS) as centre:
        _print("no trouble", run(centre, troubles=(NO_TROUBLE,), kills=0))
    with opened(stack, "talks-troubled", agents=AGENTS) as centre:
        _print("trouble in turns, the worker killed twice", run(centre, troubles=TROUBLES, kills=2))


def run(
    centre: Centre, *, troubles: Sequence[Mapping[str, Any]], kills: int, calls: int = CALLS, seconds: float = SECONDS
) -> Run:
    """Place the calls evenly over so many seconds, let the agents do what they do, and return what became of it."""
    chance = random.Random(5)
    _script(centre, chance)
    done = Run(Diary(), [])
    desk = Desk(centre, chance, done.diary)
    began_s = time.monotonic()
    leading = threading.Thread(target=_lead, args=(desk,), daemon=True)
    placing = threading.Thread(target=_place, args=(desk, calls, seconds, done.placed), daemon=True)
    before = worked(centre)
    try:
        leading.start()
        placing.start()
        # Here and not in a thread of its own: a process ends with the thread that started it.
        _spoil(centre, troubles, kills, seconds, done)
        placing.join()
        wait_for("the last one to go", lambda: not _live(centre), within_s=OVER_WITHIN_S, every_s=0.5)
        done.over_s = time.monotonic() - began_s
        try:
            wait_for("all to settle", lambda: not talk_books.unsettled(centre), within_s=SETTLED_WITHIN_S)
        except TookTooLong:
            done.books.wrong += talk_books.unsettled(centre)
        done.settled_s = time.monotonic() - began_s - done.over_s
    finally:
        desk.stopped.set()
        leading.join()
        centre.sandbox.ask("POST", "trouble", NO_TROUBLE)
    done.cpu_s = {name: after - before[name] for name, after in worked(centre).items()}
    done.books.wrong += done.diary.wrong
    talk_books.balance(centre, done.placed, done.diary.ended_on_purpose, done.books)
    return done


def _script(centre: Centre, chance: random.Random) -> None:
    """Most answer; one in ten declines, one in twelve lets it ring. Two in ten people outside do not answer."""
    for number, agent in enumerate(centre.agents):
        if number % 10 == 9:
            centre.script(agent, decline_after_ms=400)
        elif number % 12 == 7:
            centre.script(agent, ignore=True)
        else:
            centre.script(agent, answer_after_ms=chance.randint(100, 800), hangup_after_ms=60_000)
    for number in range(100, 200):
        script: dict[str, Any] = {"answer_after_ms": 500, "hangup_after_ms": chance.randint(1_000, 9_000)}
        if number % 10 < 2:
            script = {"decline_after_ms": 300} if number % 10 else {"ignore": True}
        centre.sandbox.ask("POST", f"agents/{OUTSIDE.format(number)}", script)


def _place(desk: Desk, calls: int, seconds: float, placed: list[str]) -> None:
    """Place the calls, and note the CallSids of their first legs."""
    centre, began_s = desk.centre, time.monotonic()
    for number in range(calls):
        time.sleep(max(0.0, began_s + number * seconds / calls - time.monotonic()))
        if number % OUTBOUND_EVERY == OUTBOUND_EVERY - 1:
            placed += _call_out(desk)
            continue
        to = centre.numbers[number % len(centre.numbers)]
        patience = round(desk.chance.uniform(*CALLERS_PATIENCE_S), 1)
        body = {"to": to, "from": f"+1646{2_000_000 + number:07d}", "media": False, "hold_line_s": patience}
        placed.append(str(centre.sandbox.ask("POST", "calls", body)["call_sid"]))


def _call_out(desk: Desk) -> list[str]:
    """Have somebody who is free call a number outside."""
    to = OUTSIDE.format(desk.chance.randint(100, 199))
    for agent in desk.chance.sample(desk.centre.agents, 6):
        answer = desk.ask(agent, "POST", "/api/webrtc/calls", {"to": to})
        if answer.status_code == 200:
            body = {"to": to, "from": desk.centre.numbers[0]}
            placed = desk.centre.sandbox.ask("POST", f"agents/{agent.sip_username}/dial", body)
            return [str(placed["call_sid"])]
        desk.diary.refused[f"call out: {answer.status_code}"] += 1
    return []


def _lead(desk: Desk) -> None:
    """Give each conversation that somebody leads to a hand, once for each leg that leads it."""
    seen: set[str] = set()
    by_id = {agent.id: agent for agent in desk.centre.agents}
    with ThreadPoolExecutor(AGENTS) as hands:
        while not desk.stopped.wait(0.1):
            for call_id, agent_id, leg, customer in talk_books.led(desk.centre):
                if leg not in seen:
                    seen.add(leg)
                    hands.submit(desk.lead, Talking(str(call_id), by_id[agent_id], leg, customer))


def _spoil(centre: Centre, troubles: Sequence[Mapping[str, Any]], kills: int, seconds: float, done: Run) -> None:
    """Switch the troubles on in turn; kill the worker in the middle of some of them, and start it again."""
    last = len(troubles) - 1
    killing = {round(last * (place + 1) / (kills + 1)) for place in range(kills)}
    for place, trouble in enumerate(troubles):
        centre.sandbox.ask("POST", "trouble", dict(trouble))
        time.sleep(seconds / len(troubles) / 2)
        if place in killing:
            centre.stack.kill("worker")
            done.killed += 1
            centre.stack.start("worker")
        time.sleep(seconds / len(troubles) / 2)


def _live(centre: Centre) -> bool:
    return any(leg["ended_at"] is None for leg in centre.sandbox.ask("GET", "legs")["legs"])


def _print(what: str, done: Run) -> None:
    diary, books = done.diary, done.books
    print(
        f"{len(done.placed)} conversations, {what}: the last one was over after {done.over_s:.0f} s, all settled "
        f"{done.settled_s:.1f} s later; load {os.getloadavg()[0]:.1f}"
    )
    print("  processor: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in done.cpu_s.items()))
    print(f"  done: {_told(diary.done)}")
    print(f"  not taken: {_told(diary.refused) or 'nothing'}")
    _print_times("End pressed → the customer's leg ended", diary.ends_ms, END_P95_MS)
    _print_times("hold → the customer hears music", diary.music_ms, MUSIC_MS)
    print(f"  outcomes: {_told(books.outcomes)}; phases entered: {_told(books.phases)}")
    print(f"  commands: {_told(books.commands)}")
    print(f"  customers' legs: {_told(books.ends)}")
    print(f"  corrections listed: {_told(books.corrections) or 'none'}; worker killed {done.killed} times")
    for complaint, count in books.complaints.most_common(6):
        print(f"  {count} × {complaint}")
    print("\n".join(f"  !! {one}" for one in books.wrong) or "  every invariant holds")
    print()


def _print_times(what: str, taken: Sequence[float], goal: float) -> None:
    if taken:
        p95 = percentile(taken, 95)
        mark = "" if p95 < goal else "  (over the goal)"
        print(f"  {what}: p50 {statistics.median(taken):.0f} ms, p95 {p95:.0f} ms of {len(taken)}{mark}")


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))
