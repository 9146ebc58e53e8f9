"""Everything that changes an agent. Each operation locks rows, changes them, and ends in ``settle``.

Agents are locked in the order of their ids, in one statement per operation, so that operations that meet wait for each
other and never deadlock. Operations join an open transaction; claim and heartbeat are safe without one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

from django.db import DatabaseError, transaction

from agents import standing, statements
from agents.models import Activity, Agent, Beat, BreakReason, Intent, WrapUpMode
from agents.presence import (
    BEAT_EVERY_S,
    BEAT_TTL,
    AgentFacts,
    derive,
    has_phone,
    is_reserved,
    is_seen,
    is_wrapping_up,
)
from agents.queries import facts_of
from agents.settling import end_what_ran_out, settle, tell, tell_intent
from agents.standing import NOBODY, By, Standing
from agents.wrap_ups import WrapUp
from curbe.lib import push
from curbe.lib.db import prepared
from curbe.lib.ids import uuid7s

logger = logging.getLogger(__name__)

SWEEP_BATCH: Final = 500
#: The phone of somebody who logged out; static/js/phone/machine.js knows the word.
LOGGED_OUT: Final = "logged-out"
#: Ends by the clock that a presence change names.
NAMED: Final = frozenset({"wrap_up_over", "break_limit"})
#: Nobody has work after the call.
NO_WRAP_UP: Final[Mapping[int, WrapUp]] = MappingProxyType({})


class UnknownAgent(Exception):
    """There is no such agent in that company, or he (or his person) has been deactivated."""


class UnknownBreak(Exception):
    """The company has no such reason for a break that can be chosen."""


@dataclass(frozen=True, slots=True)
class HeartbeatAnswer:
    presence: str
    #: Whether the phone that beat is the one that holds the agent.
    phone: Literal["here", "elsewhere"]


def heartbeat(
    *, agent_id: int, phone_id: str, ready: bool, microphone: bool, now: datetime, degraded: bool = False
) -> HeartbeatAnswer:
    """Note that the agent's phone is alive; return his presence, and whether this phone is still his.

    One UPDATE, and nothing else while the derived word stays as it was. A phone that another one took the agent from is
    told so and changes nothing, until the other has been silent for 30 s. Raises UnknownAgent.
    """
    said = {"ready": ready, "microphone": microphone, "degraded": degraded}
    beat = {**said, "agent": agent_id, "phone": phone_id, "now": now, "silent_since": now - BEAT_TTL}
    rows = prepared(statements.BEAT, beat)
    if not rows:
        return _beat_of_another(agent_id, phone_id, said, now)
    before, intent, activity, busy_call_id, reserved_until, wrap_up_until = rows[0]
    facts = AgentFacts(
        intent=intent,
        activity=activity,
        reserved_until=reserved_until,
        wrap_up_until=wrap_up_until,
        last_seen_at=now,
        ready=ready,
        microphone=microphone,
        has_live_call=busy_call_id is not None,
        degraded=degraded,
    )
    word = derive(facts, now)
    if word == before:
        return HeartbeatAnswer(word, "here")
    return HeartbeatAnswer(_settle_one(agent_id, reason="heartbeat", now=now), "here")


def claim_phone(*, agent_id: int, phone_id: str, take_over: bool, now: datetime) -> int | None:
    """Make this phone the agent's one phone; return None if another one that is alive holds him, else the moment.

    The moment (microseconds since 1970, by the database's clock) puts an agent's claims in their order: the answer and
    the push of two claims may reach a page in any. With ``take_over`` the other one loses him, and is told by a push.
    Until the new phone's first beat the agent has no device, so nobody is rung into a page that is still connecting.
    """
    values = {"agent": agent_id, "phone": phone_id, "take_over": take_over, "now": now}
    with transaction.atomic():
        rows = prepared(statements.CLAIM_PHONE, {**values, "silent_since": now - BEAT_TTL})
        if not rows:
            return None
        is_new, claimed_us = rows[0]
        if is_new:
            _settle_one(agent_id, reason="phone", now=now)
            mine = [push.agent_group(agent_id)]
            push.send("phone.claimed", groups=mine, claimed_us=claimed_us, phone_id=phone_id)
    return int(claimed_us)


def log_out(*, user_id: int, now: datetime) -> None:
    """Take their phones from a person who logged out: no open tab of his is rung, and each is told why.

    The phone that takes their place never beats; for 30 s it also answers the beats of a tab that heard no push.
    """
    for agent_id in (
        Agent.objects.filter(user_id=user_id, beat__isnull=False).order_by("id").values_list("id", flat=True)
    ):
        claim_phone(agent_id=agent_id, phone_id=LOGGED_OUT, take_over=True, now=now)


def log_in(*, user_id: int, now: datetime) -> None:
    """Let a person who comes back have his phone at once."""
    gone = Beat.objects.filter(agent__user_id=user_id, phone_id=LOGGED_OUT)
    gone.update(last_seen_at=now - BEAT_TTL)


def choose_intent(*, agent_id: int, intent: Intent, now: datetime, reason: str | None = None, by: By = NOBODY) -> str:
    """Keep what the person chose, a break with the code of its ``reason``; return his presence.

    Chosen while busy it stops new offers at once, and shows when the call (and its wrap-up) is over. Raises
    UnknownAgent, UnknownBreak.
    """
    with transaction.atomic():
        rows = standing.lock(standing.LOCK_THESE, agents=[agent_id])
        if not rows or not rows[0].is_active:
            raise UnknownAgent(agent_id)
        is_new = rows[0].choose(intent, _break_reason(rows[0].company_id, reason))
        if intent == Intent.AVAILABLE:
            rows[0].come_back()
        settle(rows, reason="intent", by=by, now=now)
        if is_new:
            # His other tabs and computers show it too.
            tell_intent(agent_id)
    return rows[0].presence


def _break_reason(company_id: int, code: str | None) -> BreakReason | None:
    if not code:
        return None
    found = BreakReason.objects.filter(company=company_id, code=code, is_active=True).first()
    if found is None:
        raise UnknownBreak(code)
    return found


def claim(*, agent_ids: Sequence[int], call_id: UUID, until: datetime, now: datetime) -> list[int]:
    """Reserve for this call those of the agents who are free, until ``until``; return their ids, ascending.

    One statement, so two calls at once never ring one agent. Free is: available by his own choice, no call and no lease
    that still runs, and a phone that beat within 30 s, registered and with a microphone.
    """
    if not agent_ids:
        return []
    claimed = prepared(statements.CLAIM, wish_to_claim(agent_ids=agent_ids, call_id=call_id, until=until, now=now))
    tell_claimed(claimed)
    return sorted(agent_id for agent_id, _company_id, _before in claimed)


def hold(*, agent_ids: Sequence[int], call_id: UUID, until: datetime, now: datetime) -> list[int]:
    """Lengthen the lease of those of the agents who are still reserved for this call; return their ids, ascending.

    Whoever declined, went on a break, lost his phone, or whose lease is over is not among them.
    """
    wish = {"agents": sorted(agent_ids), "call": call_id, "until": until, "now": now, "silent_since": now - BEAT_TTL}
    return sorted(agent_id for (agent_id,) in prepared(statements.HOLD, wish))


def wish_to_claim(*, agent_ids: Sequence[int], call_id: UUID, until: datetime, now: datetime) -> dict[str, Any]:
    """Return the values of a statement that claims, in ``statements.CLAIM`` or as a part of a larger one."""
    wanted = sorted(set(agent_ids))
    return {
        "agents": wanted,
        "changes": uuid7s(len(wanted)),
        "call": call_id,
        "until": until,
        "now": now,
        "silent_since": now - BEAT_TTL,
    }


def tell_claimed(claimed: Iterable[tuple[int, int, str]]) -> None:
    """Tell of agents who were just claimed: each with his company and the word that stood before."""
    for agent_id, company_id, before in claimed:
        if before != "RINGING":
            tell(agent_id, company_id, "RINGING")


def leg_answered(*, agent_id: int, call_id: UUID, today: date, now: datetime) -> UUID | None:
    """Put the agent on this call; return the call whose wrap-up that ended, if he was in one.

    What the carrier says is a fact: it beats any lease, an older call's too. ``today`` is the company's day, on which
    the call counts.
    """
    with transaction.atomic():
        # The others who ring for this call are about to be released: locked now, all in one order.
        held = standing.lock(standing.LOCK_THESE_AND_HELD, agents=[agent_id], call=call_id)
        answering = [row for row in held if row.id == agent_id]
        wrapped_up = None
        for row in answering:
            # One that is over already ended by the clock.
            wrapped_up = row.wrap_up_call_id if is_wrapping_up(row.facts(), now) else None
            row.put_on_call(call_id, today)
        settle(answering, reason="answered", call_id=call_id, now=now)
    return wrapped_up


def release(
    *,
    call_id: UUID,
    agent_ids: Sequence[int] | None = None,
    reason: str,
    now: datetime,
    wrap_ups: Mapping[int, WrapUp] = NO_WRAP_UP,
) -> list[int]:
    """Free the agents whom this call holds (of ``agent_ids``, or all); return their ids, ascending.

    Whom another call holds by now is left alone, so a late word about an old call frees nobody. ``wrap_ups`` says of
    agents what comes after this call for them, if they were on it.
    """
    which = standing.LOCK_HELD if agent_ids is None else standing.LOCK_THESE_OF_HELD
    with transaction.atomic():
        rows = standing.lock(which, agents=agent_ids or (), call=call_id)
        for row in rows:
            row.leave_call(wrap_ups.get(row.id), now)
        settle(rows, reason=reason, call_id=call_id, now=now)
    return [row.id for row in rows]


def release_each(
    *,
    call_id: UUID,
    reasons: Mapping[int, str],
    now: datetime,
    most_misses: Mapping[int, int] | None = None,
    wrap_ups: Mapping[int, WrapUp] = NO_WRAP_UP,
) -> list[int]:
    """Free those agents of ``reasons`` whom this call holds, each for his own reason; return their ids, ascending.

    ``most_misses`` has those who let it ring out, each with how many in a row make him "not responding" (0: never).
    One after the other they would be locked in the order of the reasons, and meet a claim that goes by their ids.
    """
    if not reasons:
        return []
    with transaction.atomic():
        rows = standing.lock(standing.LOCK_THESE_OF_HELD, agents=sorted(reasons), call=call_id)
        for row in rows:
            row.leave_call(wrap_ups.get(row.id), now)
            if most_misses and row.id in most_misses:
                row.miss(most_misses[row.id])
        settle(rows, reason=reasons, call_id=call_id, now=now)
    return [row.id for row in rows]


#: Wrap-ups that the agent may end by himself, so also by placing his next call.
ENDED_BY_A_CALL: Final = frozenset({WrapUpMode.OPTIONAL, WrapUpMode.TIMED})


class NotFree(Exception):
    """The agent cannot place a call now; ``code`` says why: busy, wrap_up or no_device."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def dial_out(
    *,
    agent_id: int,
    call_id: UUID,
    until: datetime,
    now: datetime,
    replaces: Collection[UUID] = (),
    is_emergency: bool = False,
) -> bool:
    """Reserve an agent who is about to place a call himself, until ``until``. What he chose stays chosen.

    Return whether that ended a wrap-up, which it does where he could have ended it himself. ``replaces`` are calls that
    he announced and never placed. For an emergency only another conversation is in the way. Raises NotFree while a call
    or a wrap-up has him, or his phone cannot call; UnknownAgent.
    """
    with transaction.atomic():
        rows = standing.lock(standing.LOCK_THESE, agents=[agent_id])
        if not rows or not rows[0].is_active:
            raise UnknownAgent(agent_id)
        row = rows[0]
        facts = row.facts()
        is_rung = is_reserved(facts, now) and row.busy_call_id not in replaces
        if row.activity == Activity.ON_CALL or (is_rung and not is_emergency):
            raise NotFree("busy")
        wraps_up = is_wrapping_up(facts, now)
        if wraps_up and row.wrap_up_mode not in ENDED_BY_A_CALL and not is_emergency:
            raise NotFree("wrap_up")
        if not is_emergency and (not is_seen(facts, now) or not has_phone(facts)):
            raise NotFree("no_device")
        row.free()
        row.activity, row.busy_call_id, row.reserved_until = Activity.RESERVED, call_id, until
        settle(rows, reason="dial_out", call_id=call_id, now=now)
    return wraps_up


def sweep(now: datetime) -> int:
    """Tell people about agents whom the clock changed (a silent browser, a lease that ran out); return how many.

    Nothing depends on it: who routes a call compares the times himself. A batch that fails is halved until the bad row
    is alone, logged, and left.
    """
    # Who lost his beat in a crash of the database is looked for once a minute, by one of the six sweeps.
    whole = now.second < BEAT_EVERY_S
    expired = prepared(statements.EXPIRED, {"now": now, "silent_since": now - BEAT_TTL, "whole": whole})
    ids = [agent_id for (agent_id,) in expired]
    return sum(_sweep_batch(ids[start : start + SWEEP_BATCH], now) for start in range(0, len(ids), SWEEP_BATCH))


def _sweep_batch(agent_ids: Sequence[int], now: datetime) -> int:
    try:
        with transaction.atomic():
            # Whoever is locked is left to the next sweep.
            rows = standing.lock(standing.LOCK_THESE_IF_FREE, agents=agent_ids)
            changed = _settle_by_clock(rows, reason="sweep", now=now)
            settled = [row.id for row in rows]
            prepared(statements.FORGET_SILENT_PHONES, {"agents": settled, "silent_since": now - BEAT_TTL})
            return changed
    except (DatabaseError, ValueError):
        if len(agent_ids) == 1:
            logger.exception("Unable to sweep agent %s", agent_ids[0])
            return 0
    middle = len(agent_ids) // 2
    return _sweep_batch(agent_ids[:middle], now) + _sweep_batch(agent_ids[middle:], now)


def _settle_by_clock(rows: Sequence[Standing], *, reason: str, now: datetime) -> int:
    """End what ran out, and tell of every word that is another now; return how many. ``reason``: of all the others."""
    reasons: dict[int, str] = {}
    calls: dict[int, UUID | None] = {}
    stale, chosen = [], []
    for row in rows:
        wrapped_up, intent = row.wrap_up_call_id, row.intent
        ran_out = end_what_ran_out(row, now)
        if row.intent != intent:
            chosen.append(row.id)
        if ran_out or derive(row.facts(), now) != row.presence:
            stale.append(row)
            reasons[row.id] = ran_out if ran_out in NAMED else reason
            calls[row.id] = wrapped_up if ran_out == "wrap_up_over" else None
    changed = settle(stale, reason=reasons, call_id=calls, now=now)
    for agent_id in chosen:
        tell_intent(agent_id)
    return changed


def _beat_of_another(agent_id: int, phone_id: str, said: Mapping[str, bool], now: datetime) -> HeartbeatAnswer:
    """Answer a beat that no row took: the agent's first one, one of a phone that lost him, or of nobody we know."""
    agent = Agent.objects.filter(id=agent_id, is_active=True, user__is_active=True).select_related("beat").first()
    if agent is None:
        raise UnknownAgent(agent_id)
    if hasattr(agent, "beat"):
        return HeartbeatAnswer(derive(facts_of(agent), now), "elsewhere")
    claim_phone(agent_id=agent_id, phone_id=phone_id, take_over=False, now=now)
    return heartbeat(agent_id=agent_id, phone_id=phone_id, now=now, **said)


def _settle_one(agent_id: int, *, reason: str, now: datetime) -> str:
    with transaction.atomic():
        rows = standing.lock(standing.LOCK_THESE, agents=[agent_id])
        if not rows:
            raise UnknownAgent(agent_id)
        _settle_by_clock(rows, reason=reason, now=now)
    return rows[0].presence
