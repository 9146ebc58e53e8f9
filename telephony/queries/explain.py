"""What would happen to a call that nobody has made, and why: the same ``decide``, without claims and without writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from curbe.companies.models import Company
from curbe.contacts.models import ContactNumber
from telephony.core import explain
from telephony.core.decision_words import in_words
from telephony.core.plan import NOWHERE, CompanyPlan, Destination, NumberPlan
from telephony.core.routing import decide
from telephony.core.types import (
    Candidate,
    Decision,
    DialStatus,
    Entered,
    Gather,
    Missing,
    PastOffer,
    Pool,
    Reason,
    Ring,
    RouteContext,
    Routed,
    Sticky,
    Visit,
)
from telephony.models import BlockedCaller, PhoneNumber, PlanVersion
from telephony.queries import pools
from telephony.queries.plans import compile_plan, number_plan_of
from telephony.queries.routing import plan_with

#: A digit that no menu has: what a caller who presses nothing useful meets is asked with no digit at all.
NO_DIGIT: Final = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """What follows if the caller presses a digit (empty: none, until the menu gives up), or if nobody answers."""

    #: A digit, NO_DIGIT, or None where nobody answers.
    digit: str | None
    decision: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    #: The decision in one sentence, and why: one sentence for each reason.
    decision: str
    sentences: tuple[str, ...]
    decided: Decision
    reasons: tuple[Reason, ...]
    branches: tuple[Branch, ...]
    #: The newest version of the plan when it was asked; 0 before the first.
    plan_version: int
    at: datetime


def explain_call(
    company: Company,
    to: str | Destination,
    from_number: str,
    at: datetime,
    *,
    now: datetime | None = None,
    language: str = "es",
) -> Explanation:
    """Say what would happen to a call to a number (E.164) or a place of the company, with its rows as they are now.

    "Now" is this transaction: an edit that is written and taken back is explained as if it were kept. ``at`` may be any
    moment; the hours are those of that moment, but the people are as they are at ``now`` (by default ``at`` itself):
    who will be at work then is not known. ``language`` is the reader's. Changes nothing.
    """
    return _Rehearsal(company, from_number, at, now or at, language).of(to)


class _Rehearsal:
    """One company, caller and moment, and what has been read for them so far."""

    def __init__(self, company: Company, from_number: str, at: datetime, now: datetime, language: str) -> None:
        self.company = company
        self.from_number = from_number
        self.at = at
        self.now = now
        self.language = language
        self.version = (
            PlanVersion.objects.filter(company=company).order_by("-id").values_list("id", flat=True).first() or 0
        )
        loops = PhoneNumber.objects.filter(e164=company.fallback_number).exists() if company.fallback_number else False
        self.plan: CompanyPlan = plan_with(compile_plan(company, self.version), fallback_loops=loops)
        self.pools: dict[Destination, Pool] = {}

    def of(self, to: str | Destination) -> Explanation:
        context = self._context(NumberPlan(to) if isinstance(to, Destination) else self._number(to))
        routed = self._decide(context)
        return Explanation(
            decision=self._in_words(routed),
            sentences=self._sentences(routed),
            decided=routed.decision,
            reasons=routed.reasons,
            branches=tuple(self._branches(context, routed)),
            plan_version=self.version,
            at=self.at,
        )

    def _number(self, e164: str) -> NumberPlan:
        number = (
            PhoneNumber.objects.filter(company=self.company, e164=e164)
            .select_related("agent__user", "when_closed")
            .first()
        )
        if number is None:
            return NumberPlan(NOWHERE)
        plan = number_plan_of(number)
        gone = number.agent is not None and not (number.agent.is_active and number.agent.user.is_active)
        return replace(plan, destination=NOWHERE) if gone else plan

    def _context(self, number: NumberPlan) -> RouteContext:
        known = (
            ContactNumber.objects.filter(company=self.company, e164=self.from_number)
            .values_list("contact_id", "contact__language")
            .first()
            if self.from_number
            else None
        )
        contact_id, contact_language = known or (None, "")
        return RouteContext(
            step=1,
            now=self.at,
            plan=self.plan,
            number=number,
            contact_language=contact_language,
            blocked=BlockedCaller.objects.filter(company=self.company, e164=self.from_number).exists()
            if self.from_number
            else False,
            sticky=self._sticky(contact_id),
        )

    def _sticky(self, contact_id: int | None) -> tuple[Sticky, ...]:
        if not self.from_number or not any(queue.sticky for queue in self.plan.queues.values()):
            return ()
        return pools.sticky_of(
            company_id=self.company.pk, from_number=self.from_number, contact_id=contact_id, now=self.now
        )

    def _decide(self, context: RouteContext) -> Routed:
        while True:
            decided = decide(replace(context, pools=self.pools))
            if isinstance(decided, Routed):
                return decided
            self._read(decided)

    def _read(self, missing: Missing) -> None:
        pool = pools.pool_of(missing.place, company_id=self.company.pk, plan=self.plan, call_id=None, now=self.now)
        self.pools[missing.place] = moved(pool, self.at - self.now)

    def _branches(self, context: RouteContext, routed: Routed) -> Iterator[Branch]:
        """Yield what follows, one step further: each digit of a menu, or nobody answering."""
        after = replace(context, step=2, walk=routed.walk, previous=routed.decision, visit=self._visit(routed))
        match routed.decision:
            case Gather(menu_id):
                menu = self.plan.menus[menu_id]
                for option in menu.as_on_the_keypad:
                    yield self._branch(option.digit, replace(after, digits=option.digit))
                if routed.walk is not None:
                    given_up = replace(routed.walk, tries=menu.retries)
                    yield self._branch(NO_DIGIT, replace(after, walk=given_up))
            case Ring(targets, timeout_s):
                ended_at = self.at + timedelta(seconds=timeout_s)
                missed = tuple(PastOffer(one.agent_id, "missed", self.at, ended_at) for one in targets)
                late = {place: moved(pool, ended_at - self.at) for place, pool in self.pools.items()}
                self.pools, kept = late, self.pools
                unanswered = replace(after, now=ended_at, offers=missed, dial=DialStatus.NO_ANSWER)
                yield self._branch(None, unanswered)
                self.pools = kept

    def _branch(self, digit: str | None, context: RouteContext) -> Branch:
        routed = self._decide(context)
        return Branch(digit, self._in_words(routed), self._sentences(routed))

    def _visit(self, routed: Routed) -> Visit | None:
        """Return the visit to a queue that the decision leaves open."""
        last = routed.visits[-1] if routed.visits else None
        return Visit("", last.queue_id, self.at, last.priority) if isinstance(last, Entered) else None

    def _in_words(self, routed: Routed) -> str:
        names = {one.agent_id: one.name for pool in self.pools.values() for one in pool.candidates}
        spoken = routed.walk.language if routed.walk else self.plan.language
        return in_words(routed.decision, names, spoken=spoken, language=self.language)

    def _sentences(self, routed: Routed) -> tuple[str, ...]:
        return tuple(explain.sentences(routed.reasons, self.language))


def moved(pool: Pool, by: timedelta) -> Pool:
    """Return the pool as it would look so much later (or earlier) if nobody did anything but what he does now."""
    if not by:
        return pool
    return replace(
        pool,
        candidates=tuple(_moved(one, by) for one in pool.candidates),
        waiting=tuple(replace(one, entered_at=one.entered_at + by) for one in pool.waiting),
    )


def _moved(candidate: Candidate, by: timedelta) -> Candidate:
    def later(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment + by

    return replace(
        candidate,
        reserved_until=later(candidate.reserved_until),
        idle_since=candidate.idle_since + by,
        last_seen_at=later(candidate.last_seen_at),
        last_queue_call_at=later(candidate.last_queue_call_at),
        on_duty_since=later(candidate.on_duty_since),
    )
