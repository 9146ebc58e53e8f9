"""Whether what we believe of conversations is what the pretend Telnyx saw, and whether nobody was cut off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from benchmarks import many_calls
from benchmarks.centre import Centre

OURS: Final = "c.company_id = %(company)s"
#: The causes of what people wish: whoever ended a call so meant to.
_WISHED: Final = ("hangup.requested", "call.end_requested", "talk.end", "talk.leave")


@dataclass
class Books:
    outcomes: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    #: ``kind state`` → how many.
    commands: Counter[str] = field(default_factory=Counter)
    #: Who ended the customers' legs.
    ends: Counter[str] = field(default_factory=Counter)
    #: Events of the reconciler, by kind.
    corrections: Counter[str] = field(default_factory=Counter)
    #: Sentences, each about something that must not be.
    wrong: list[str] = field(default_factory=list)
    #: What the pretend Telnyx complained of.
    complaints: Counter[str] = field(default_factory=Counter)


def led(centre: Centre) -> list[Any]:
    """Return (call, agent, his leg, the customer's leg) of every conversation that an agent leads just now."""
    return centre.rows(
        "SELECT c.id, l.agent_id, l.call_sid, CASE c.direction WHEN 'outbound' THEN c.called_sid "
        "ELSE c.root_call_sid END FROM telephony_callleg l JOIN telephony_call c ON c.id = l.call_id "
        f"LEFT JOIN telephony_talk t ON t.call_id = c.id WHERE {OURS} AND c.status <> 'completed' "
        "AND l.agent_id IS NOT NULL AND l.answered_at IS NOT NULL AND l.status <> 'ended' "
        "AND (t.call_id IS NULL OR t.lead_sid = l.call_sid AND t.phase = 'TALKING')"
    )


def unsettled(centre: Centre) -> list[str]:
    """Return a sentence about each thing that is still open."""
    asked = {
        "call {}: {} is still wanted": "SELECT c.id, m.kind FROM telephony_talkcommand m JOIN telephony_call c "
        f"ON c.id = m.call_id WHERE {OURS} AND m.state = 'wanted'",
        "call {}: leg {} is up": "SELECT c.id, l.call_sid FROM telephony_callleg l JOIN telephony_call c "
        f"ON c.id = l.call_id WHERE {OURS} AND l.status <> 'ended'",
        "call {} is in phase {} though it is over": f"SELECT c.id, c.phase FROM telephony_call c WHERE {OURS} "
        "AND c.status = 'completed' AND c.phase NOT IN ('', 'ENDED')",
        "the room of call {} is still looked at": "SELECT c.id FROM telephony_talk t JOIN telephony_call c "
        f"ON c.id = t.call_id WHERE {OURS} AND t.check_at IS NOT NULL",
        "event {} ({}) waits: {}": f"SELECT c.id, c.kind, c.error FROM telephony_telnyxevent c WHERE {OURS} "
        "AND c.processed_at IS NULL",
    }
    return many_calls.unsettled(centre) + [
        sentence.format(*row) for sentence, sql in asked.items() for row in centre.rows(sql)
    ]


def balance(centre: Centre, placed: Sequence[str], ended_on_purpose: set[str], books: Books) -> None:
    seen = {leg["call_control_id"]: leg for leg in centre.sandbox.ask("GET", "legs")["legs"]}
    _count(centre, books)
    _legs_agree(centre, placed, seen, books)
    _nobody_was_cut_off(centre, seen, ended_on_purpose, books)
    _nobody_rang_twice(centre, books)
    _complaints(centre, seen, placed, books)


def _count(centre: Centre, books: Books) -> None:
    books.outcomes.update(
        dict(centre.rows(f"SELECT c.outcome, count(*) FROM telephony_call c WHERE {OURS} GROUP BY 1"))
    )
    of_call = f"JOIN telephony_call c ON c.id = e.call_id WHERE {OURS}"
    phases = centre.rows(
        f"SELECT e.payload->>'to', count(*) FROM telephony_telnyxevent e {of_call} AND e.kind LIKE 'talk.%%' "
        "AND e.payload ? 'to' AND e.payload->>'to' <> e.payload->>'from' GROUP BY 1"
    )
    books.phases.update(dict(phases))
    books.commands.update(
        dict(
            centre.rows(f"SELECT e.kind || ' ' || e.state, count(*) FROM telephony_talkcommand e {of_call} GROUP BY 1")
        )
    )
    books.corrections.update(
        dict(
            centre.rows(
                f"SELECT e.kind, count(*) FROM telephony_telnyxevent e {of_call} AND e.source = 'reconciler' GROUP BY 1"
            )
        )
    )


def _legs_agree(centre: Centre, placed: Sequence[str], seen: Mapping[str, Any], books: Books) -> None:
    """Compare our legs with Telnyx's: each is known to both, and was answered for both or for neither."""
    ours = {
        sid: (call_id, answered_at)
        for call_id, sid, answered_at in centre.rows(
            "SELECT c.id, l.call_sid, l.answered_at FROM telephony_callleg l JOIN telephony_call c "
            f"ON c.id = l.call_id WHERE {OURS}"
        )
    }
    mine = {seen[sid]["call_id"] for sid in {*ours, *placed} if sid in seen}
    for sid, leg in seen.items():
        if leg["call_id"] not in mine:
            continue
        call_id, answered_at = ours.get(sid, (None, None))
        if call_id is None:
            if leg["answered_at"]:
                books.wrong.append(f"leg {sid} ({leg['to_name'] or leg['to']}) was answered, and we never heard of it")
        elif bool(leg["answered_at"]) != bool(answered_at):
            books.wrong.append(f"call {call_id}: leg {sid} answered {leg['answered_at']}, we say {answered_at}")
    for sid, (call_id, _answered_at) in ours.items():
        if sid not in seen:
            books.wrong.append(f"call {call_id}: Telnyx knows no leg {sid}")


def _nobody_was_cut_off(centre: Centre, seen: Mapping[str, Any], on_purpose: set[str], books: Books) -> None:
    """No customer's leg was ended by us while somebody of ours was on the line, unless somebody asked for the end."""
    wished = {
        str(call_id)
        for (call_id,) in centre.rows(
            f"SELECT DISTINCT c.id FROM telephony_telnyxevent e JOIN telephony_call c ON c.id = e.call_id WHERE {OURS} "
            "AND e.kind = ANY(%(wished)s)",
            wished=list(_WISHED),
        )
    } | on_purpose
    rows = centre.rows(
        "SELECT c.id, c.direction, CASE c.direction WHEN 'outbound' THEN c.called_sid ELSE c.root_call_sid END, "
        "array_agg(l.call_sid) FROM telephony_call c JOIN telephony_callleg l ON l.call_id = c.id "
        f"WHERE {OURS} GROUP BY 1"
    )
    for call_id, direction, customer, sids in rows:
        leg = seen.get(customer)
        if leg is None or leg["ended_at"] is None:
            books.ends["never there" if leg is None else "still up"] += 1
            continue
        if _left_by_himself(leg, direction):
            books.ends["customer hung up"] += 1
            continue
        if str(call_id) in wished:
            books.ends["End was pressed"] += 1
            continue
        at = datetime.fromisoformat(leg["ended_at"])
        others = [seen[sid] for sid in sids if sid != customer and sid in seen and seen[sid]["answered_at"]]
        talking = [one for one in others if one["ended_at"] and datetime.fromisoformat(one["ended_at"]) > at]
        last = max((one for one in others if one not in talking), key=lambda one: one["ended_at"], default=None)
        how = "nobody had answered" if last is None else last["ending"]["hangup_cause"]
        if talking:
            who = ", ".join(one["to_name"] or one["to"] for one in talking)
            books.wrong.append(f"call {call_id}: the customer was ended by us while {who} was on the line ({how})")
        if how == "timeout" and not talking:
            books.ends["ended after his agent was lost"] += 1
            continue
        books.ends[f"ended after the other side: {how}"] += 1


def _left_by_himself(leg: Mapping[str, Any], direction: str) -> bool:
    ending = leg["ending"]
    if direction == "outbound":
        return ending["hangup_source"] == "callee" or not leg["answered_at"]
    return bool(ending["hangup_source"] == "caller")


def _nobody_rang_twice(centre: Centre, books: Books) -> None:
    ours = {agent.sip_username for agent in centre.agents}
    for name, tally in centre.sandbox.ask("GET", "agents").items():
        if name in ours and tally["most_legs_at_once"] > 1:
            books.wrong.append(f"agent {name} had {tally['most_legs_at_once']} legs at once")


def _complaints(centre: Centre, seen: Mapping[str, Any], placed: Sequence[str], books: Books) -> None:
    for call in centre.sandbox.see(sorted({seen[sid]["call_id"] for sid in placed if sid in seen})):
        for error in call["errors"]:
            books.complaints[many_calls.without_ids(str(error))] += 1
