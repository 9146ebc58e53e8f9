"""Many calls in a minute through the whole house: the sandbox's REST and TeXML, no media, agents by script.

Every strategy, a menu, a bilingual queue, agents who decline and who let it ring, callers who give up. At the end the
books must balance: nobody was rung twice at once, each visit to a queue has one outcome, nothing is open, nobody stuck.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.centre import HANDS, Centre, TookTooLong, opened, wait_for
from benchmarks.weigh import cpu_s
from curbe.dev.stack import Stack

CALLS, SECONDS, AGENTS = 1_000, 60.0, 50
#: After the last caller has gone, all must be settled by then.
SETTLED_WITHIN_S: Final = 30.0
#: Nobody holds the line for longer than the longest of these and a conversation.
PATIENCE_S: Final = (4.0, 45.0)
#: The menu is the eleventh of the house's numbers (``furnish.house``), which come in this order.
MENU: Final = 7
WEIGHED: Final = ("web", "worker", "sandbox")


@dataclass
class Books:
    """What became of a run."""

    placed: int
    placed_s: float
    #: Until the last caller had gone.
    over_s: float = 0.0
    #: From then until nothing was open any more.
    settled_s: float = 0.0
    #: Call outcome → how many; queue → outcome of its visits → how many.
    outcomes: dict[str, int] = field(default_factory=dict)
    visits: dict[str, dict[str, int]] = field(default_factory=dict)
    most_legs_at_once: int = 0
    rung: int = 0
    #: Sentences, each about something that must not be.
    wrong: list[str] = field(default_factory=list)
    #: What the pretend Telnyx complained of: requests that were not answered in time, documents that it refused.
    complaints: Counter[str] = field(default_factory=Counter)
    cpu_s: dict[str, float] = field(default_factory=dict)


def report(stack: Stack) -> None:
    with opened(stack, "house", agents=AGENTS) as centre:
        books = run(centre, calls=CALLS, seconds=SECONDS)
    _print("no trouble", books)
    with opened(stack, "troubled", agents=AGENTS // 5) as centre:
        books = run(centre, calls=CALLS // 10, seconds=SECONDS / 2, trouble=TROUBLE)
    _print("duplicate, shuffle, drop, slow and refused updates", books)


#: Everything that can go wrong at once, but for an API that is away altogether.
TROUBLE: Final[Mapping[str, Any]] = {
    "duplicate": True,
    "shuffle": True,
    "drop": True,
    "refuse_updates": "500",
    "slow_updates_ms": 1_500,
    "seed": 7,
}


def _print(what: str, books: Books) -> None:
    print(
        f"{books.placed} calls placed in {books.placed_s:.0f} s, {what}: the last one was over after "
        f"{books.over_s:.0f} s, all settled {books.settled_s:.1f} s later; load {os.getloadavg()[0]:.1f}"
    )
    print(
        f"  outcomes {books.outcomes}; {books.rung} ringings, at most {books.most_legs_at_once} at once for one agent"
    )
    for queue, outcomes in books.visits.items():
        print(f"    {queue:<16} {sum(outcomes.values()):>4} visits = {outcomes}")
    print("  processor: " + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in books.cpu_s.items()))
    for complaint, count in books.complaints.most_common(5):
        print(f"  {count} × {complaint}")
    print("\n".join(f"  !! {one}" for one in books.wrong) or "  the books balance")
    print()


def run(
    centre: Centre,
    *,
    calls: int,
    seconds: float,
    trouble: Mapping[str, Any] | None = None,
    over_within_s: float = 300.0,
    settled_within_s: float = SETTLED_WITHIN_S,
) -> Books:
    """Place the calls evenly over so many seconds, wait until all is over, and return what became of them."""
    chance = random.Random(3)
    _script(centre, chance)
    centre.sandbox.ask("POST", "trouble", {"all_off": True, **(trouble or {})})
    before = worked(centre)
    began_s = time.monotonic()
    try:
        placed = _place(centre, chance, calls, seconds)
        books = Books(len(placed), time.monotonic() - began_s)
        _until_over(centre, placed, over_within_s)
        books.over_s = time.monotonic() - began_s
        try:
            wait_for("all to settle", lambda: not unsettled(centre), within_s=settled_within_s)
        except TookTooLong:
            books.wrong += unsettled(centre)
        books.settled_s = time.monotonic() - began_s - books.over_s
    finally:
        centre.sandbox.ask("POST", "trouble", {"all_off": True})
    books.cpu_s = {name: after - before[name] for name, after in worked(centre).items()}
    _balance(centre, placed, books)
    return books


def _script(centre: Centre, chance: random.Random) -> None:
    """Most answer; one in ten declines, and of ten or more one lets everything ring."""
    for number, agent in enumerate(centre.agents):
        if number % 10 == 3:
            centre.script(agent, decline_after_ms=400)
        elif number % 25 == 7:
            centre.script(agent, ignore=True)
        else:
            centre.script(agent, answer_after_ms=chance.randint(100, 800), hangup_after_ms=chance.randint(1_000, 3_000))


def _place(centre: Centre, chance: random.Random, calls: int, seconds: float) -> list[str]:
    began_s = time.monotonic()
    pending: list[Future[str]] = []
    with ThreadPoolExecutor(HANDS) as hands:
        for number in range(calls):
            time.sleep(max(0.0, began_s + number * seconds / calls - time.monotonic()))
            to = centre.numbers[number % len(centre.numbers)]
            patience = round(chance.uniform(*PATIENCE_S), 1)
            more: dict[str, Any] = {"hold_line_s": patience}
            if number % len(centre.numbers) == MENU:
                digit = chance.choice("12349")
                more["script"] = [{"wait_s": round(chance.uniform(0.2, 2), 1)}, {"digits": digit}]
            pending.append(hands.submit(centre.sandbox.call, to, f"+1646{2_000_000 + number:07d}", **more))
    return [one.result() for one in pending]


def _until_over(centre: Centre, placed: list[str], within_s: float) -> None:
    live = list(placed)

    def nobody_is_there() -> bool:
        live[:] = [call["id"] for call in centre.sandbox.see(live[:HANDS]) if call["is_live"]] + live[HANDS:]
        return not live

    wait_for("the last caller to go", nobody_is_there, within_s=within_s, every_s=0.1)


def unsettled(centre: Centre) -> list[str]:
    """Return a sentence about each thing that is still open."""
    ours = "c.company_id = %(company)s"
    asked = {
        "call {} is open": f"SELECT c.id FROM telephony_call c WHERE {ours} AND c.status <> 'completed'",
        "offer {} is pending": f"SELECT o.id FROM telephony_offer o JOIN telephony_call c ON c.id = o.call_id "
        f"WHERE {ours} AND o.outcome = 'pending'",
        "visit {} waits": f"SELECT c.id FROM telephony_queuevisit c WHERE {ours} AND c.outcome = 'waiting'",
        # Who let it ring twice is not responding, and holds nothing.
        "agent {} is stuck": f"SELECT c.id FROM agents_agent c WHERE {ours} AND "
        "(c.activity NOT IN ('IDLE', 'NOT_RESPONDING') OR c.busy_call_id IS NOT NULL)",
    }
    return [sentence.format(row[0]) for sentence, sql in asked.items() for row in centre.rows(sql)]


def _balance(centre: Centre, placed: list[str], books: Books) -> None:
    """Compare our books with themselves, and with what the pretend Telnyx saw."""
    books.outcomes = dict(
        centre.rows("SELECT outcome, count(*) FROM telephony_call WHERE company_id = %(company)s GROUP BY 1 ORDER BY 1")
    )
    rows = centre.rows(
        "SELECT q.name, v.outcome, count(*) FROM telephony_queuevisit v "
        "JOIN telephony_callqueue q ON q.id = v.queue_id WHERE v.company_id = %(company)s GROUP BY 1, 2 ORDER BY 1, 2"
    )
    for queue, outcome, count in rows:
        books.visits.setdefault(queue, {})[outcome] = count
    seen = {call["legs"][0]["call_control_id"]: call for call in centre.sandbox.see(placed)}
    known = dict(
        centre.rows(
            "SELECT root_call_sid, outcome FROM telephony_call WHERE company_id = %(company)s AND number_id > 0"
        )
    )
    talked = {sid for sid, call in seen.items() if any(leg["parent"] and leg["answered_at"] for leg in call["legs"])}
    answered = {sid for sid, outcome in known.items() if outcome == "answered"}
    for sid in talked - answered:
        books.wrong.append(f"{sid} was answered, and we say {known.get(sid, 'nothing')!r}: {seen[sid]['id']}")
    for sid in answered - talked:
        books.wrong.append(f"{sid} was not answered, and we say it was: {seen[sid]['id'] if sid in seen else '?'}")
    if unknown := set(seen) - set(known):
        # A call whose every request was lost is known to nobody; with an answer in time there is none.
        books.complaints[f"{len(unknown)} calls of which we never heard"] += 1
    twice = centre.rows(
        "SELECT call_id, count(*) FROM telephony_queuevisit WHERE company_id = %(company)s AND outcome = 'answered' "
        "GROUP BY 1 HAVING count(*) > 1"
    )
    books.wrong += [f"call {call_id} was answered in {count} visits" for call_id, count in twice]
    unanswered = centre.rows(
        "SELECT c.id FROM telephony_call c JOIN telephony_offer o ON o.call_id = c.id AND o.outcome = 'answered' "
        "AND o.queue_id IS NOT NULL WHERE c.company_id = %(company)s AND NOT EXISTS (SELECT FROM "
        "telephony_queuevisit v WHERE v.call_id = c.id AND v.outcome = 'answered')"
    )
    books.wrong += [f"call {row[0]} was answered at a queue, and no visit says so" for row in unanswered]
    ours = {agent.sip_username for agent in centre.agents}
    for name, tally in centre.sandbox.ask("GET", "agents").items():
        if name in ours:
            books.rung += tally["rung"]
            books.most_legs_at_once = max(books.most_legs_at_once, tally["most_legs_at_once"])
            if tally["most_legs_at_once"] > 1:
                books.wrong.append(f"agent {name} was rung {tally['most_legs_at_once']} times at once")
    for call in seen.values():
        for error in call["errors"]:
            text = error if isinstance(error, str) else error.get("text", str(error))
            books.complaints[without_ids(text)] += 1


def without_ids(text: str) -> str:
    return " ".join(word.partition("?")[0] for word in text.split() if not word.startswith("v3:"))[:120]


def worked(centre: Centre) -> dict[str, float]:
    return {name: cpu_s(centre.stack.process(name).pid) for name in WEIGHED}
