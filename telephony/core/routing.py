"""Who rings, and why: one pure function from what is known to what the caller meets next.

A call walks through its company's plan from place to place: a number's destination, a menu's digit, a queue's overflow.
Every path ends in a person, a voicemail or a spoken end: a plan that leads in circles is cut short after MAX_PLACES.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, assert_never

from telephony.core import hours, ladder, queueing, skills, strategies
from telephony.core.ladder import why_not
from telephony.core.plan import (
    NOWHERE,
    VOICEMAIL,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuPlan,
    QueuePlan,
    WhenClosing,
)
from telephony.core.types import (
    MAX_PARALLEL_TARGETS,
    Candidate,
    Decision,
    DialStatus,
    Entered,
    Forward,
    Gather,
    Hangup,
    Left,
    Missing,
    Pool,
    Reason,
    Ring,
    RouteContext,
    Routed,
    Say,
    Target,
    Visit,
    VisitOutcome,
    Voicemail,
    Wait,
    Waiting,
    Walk,
)

#: How long a forwarded number rings; mobile networks answer for their subscriber after some 25–30 s.
FORWARD_TIMEOUT_S: Final = 25
#: A call comes to at most so many places; a plan that has more of them in a row goes in circles.
MAX_PLACES: Final = 12

__all__ = ["FORWARD_TIMEOUT_S", "MAX_PLACES", "decide", "why_not"]


def decide(ctx: RouteContext) -> Routed | Missing:
    """Return what the caller meets next, with the reasons; or the place whose people must be read first.

    Total: with every pool that it asks for, each context has an answer.
    """
    if ctx.hangup_requested:
        return Routed(Hangup(), ({"code": "hangup_requested"},))
    if ctx.previous is None:
        return _Road(ctx).begin()
    match ctx.previous:
        case Ring() | Forward():
            return _Road(ctx).after_dial(ctx.dial or DialStatus.UNKNOWN)
        case Wait():
            return _Road(ctx).stay()
        case Gather():
            return _Road(ctx).after_menu(ctx.digits)
        case Voicemail():
            return Routed(Say("message_kept"), ({"code": "message_taken"},), ctx.walk)
        case Say() | Hangup():
            return Routed(Hangup(), ({"code": "nothing_left"},))
        case never:
            assert_never(never)


class _Road:
    """One decision in the making: the reasons so far, the visits that began and ended, and where the call stands."""

    def __init__(self, ctx: RouteContext) -> None:
        self.ctx = ctx
        self.plan: CompanyPlan = ctx.plan
        self.reasons: list[Reason] = []
        self.visits: list[Entered | Left] = []
        self.walk: Walk = ctx.walk or _first_walk(ctx)
        #: The visit that is open; None while the call is at no queue.
        self.visit: Visit | None = ctx.visit

    # --- Where to ------------------------------------------------------------------------------------------------

    def begin(self) -> Routed | Missing:
        number = self.ctx.number
        if number.destination.kind is DestinationKind.NONE:
            return self._end(Say("unassigned"), "unassigned")
        if self._is_closed(number.hours_id):
            return self.go(self._or_fallback(number.when_closed))
        return self.go(number.destination)

    def go(self, place: Destination) -> Routed | Missing:
        """Bring the call to a place and decide there."""
        self.walk = replace(self.walk, place=place, entered_at=self.ctx.now, tries=0, hops=self.walk.hops + 1)
        if self.walk.hops > MAX_PLACES:
            self._note("goes_in_circles")
            return self._end(Voicemail())
        return self.stay()

    def stay(self) -> Routed | Missing:
        """Decide at the place where the call stands."""
        place = self.walk.place
        match place.kind:
            case DestinationKind.USER | DestinationKind.COMPANY:
                return self._at_people(place)
            case DestinationKind.QUEUE:
                queue = self.plan.queues.get(place.id)
                return self._at_queue(place, queue) if queue else self._gone("queue_gone")
            case DestinationKind.MENU:
                menu = self.plan.menus.get(place.id)
                return self._at_menu(menu) if menu else self._gone("menu_gone")
            case DestinationKind.NUMBER:
                return self._end(Forward(place.text, FORWARD_TIMEOUT_S), "destination_number", number=place.text)
            case DestinationKind.VOICEMAIL:
                return self._end(Voicemail(), "destination_voicemail")
            case DestinationKind.SAY:
                return self._end(Say("own_words", place.text), "destination_say")
            case DestinationKind.NONE:
                return self._gone("nowhere")
            case never:
                assert_never(never)

    def after_dial(self, dial: DialStatus) -> Routed | Missing:
        if dial is DialStatus.COMPLETED:
            return self._end(Hangup(), "conversation_ended")
        self._note("not_answered", status=str(dial))
        if self.walk.place.kind is DestinationKind.QUEUE and isinstance(self.ctx.previous, Ring):
            return self.stay()
        # Whatever went wrong, a caller who is still there is asked for a message; one who left does not notice.
        return self._end(Voicemail(), "voicemail")

    def after_menu(self, digits: str) -> Routed | Missing:
        menu = self.plan.menus.get(self.walk.place.id)
        if menu is None:
            return self._gone("menu_gone")
        digit = digits[:1]
        chosen = next((option for option in menu.options if option.digit == digit), None) if digit else None
        if chosen is not None:
            self._note("digit", digit=digit, name=menu.name)
            if chosen.language:
                self.walk = replace(self.walk, language=chosen.language, language_is_chosen=True)
            return self.go(chosen.destination)
        code = "wrong_digit" if digit else "no_digit"
        self._note(code, digit=digit, name=menu.name)
        self.walk = replace(self.walk, tries=self.walk.tries + 1)
        if self.walk.tries <= menu.retries:
            return self._gather(menu, again=code)
        self._note("menu_given_up", name=menu.name)
        given_up = menu.on_timeout if not digit or menu.on_wrong == NOWHERE else menu.on_wrong
        return self.go(self._or_fallback(given_up))

    # --- A menu --------------------------------------------------------------------------------------------------

    def _at_menu(self, menu: MenuPlan) -> Routed:
        self._note("destination_menu", name=menu.name)
        return self._gather(menu, again="")

    def _gather(self, menu: MenuPlan, *, again: str) -> Routed:
        text = menu.say.get(self.walk.language) or menu.say.get(self.plan.language) or next(iter(menu.say.values()), "")
        return self._end(Gather(menu.id, text, menu.timeout_s, again))

    # --- A user, or anybody of the company ----------------------------------------------------------------------

    def _at_people(self, place: Destination) -> Routed | Missing:
        pool = self.ctx.pools.get(place)
        if pool is None:
            return Missing(place)
        if place.kind is DestinationKind.USER and not pool.candidates:
            # A user who is gone leaves what leads to him assigned to nobody.
            return self._end(Say("unassigned"), "unassigned")
        name = pool.candidates[0].name if place.kind is DestinationKind.USER else ""
        self._note(f"destination_{place.kind}", name=name)
        free = [one for one in pool.candidates if not self._left_out(one, self._why_not(one))]
        if free:
            return self._ring(strategies.longest_idle_first(free, self.ctx.now), self.plan.ring_timeout_s)
        self._note("nobody")
        return self.go(self._or_fallback(NOWHERE))

    # --- A queue -------------------------------------------------------------------------------------------------

    def _at_queue(self, place: Destination, queue: QueuePlan) -> Routed | Missing:
        pool = self.ctx.pools.get(place)
        if pool is None:
            return Missing(place)
        joins = self.visit is None or self.visit.queue_id != queue.id
        if joins:
            self._note("destination_queue", name=queue.name)
            self.visits.append(Entered(queue.id, queue.priority, self._chosen_language()))
            self.visit = Visit("", queue.id, self.ctx.now, queue.priority)
        assert self.visit is not None
        waited_s = (self.ctx.now - self.visit.entered_at).total_seconds()

        if (joins or queue.when_closing is WhenClosing.OVERFLOW) and self._is_closed(queue.hours_id):
            return self._leave(queue, VisitOutcome.CLOSED, queue.when_closed)
        if joins and pool.size >= queue.max_size:
            self._note("queue_full", name=queue.name, size=pool.size)
            return self._leave(queue, VisitOutcome.OVERFLOW_FULL)

        steps = skills.relaxation(queue, waited_s)
        if steps and (queue.requirements or queue.match_language):
            self._note("relaxed", steps=steps)
        ranked = self._who_can_ring(queue, pool, steps)
        known, waits_for_him = self._whom_he_knows(ranked, queue, pool, waited_s)
        if ranked and not waits_for_him and len(self.ctx.offers) < queue.max_offers:
            return self._ring(known or ranked, queue.ring_timeout_s, queue)
        return self._wait_or_leave(queue, pool, joins=joins, waited_s=waited_s)

    def _who_can_ring(self, queue: QueuePlan, pool: Pool, steps: int) -> list[tuple[Candidate, strategies.Rank]]:
        """Return whom the call may be offered to now, in order; note of everybody else why not."""
        language = self._chosen_language()
        refused = ladder.refused_by(self.ctx.offers, self.ctx.now)
        free: list[Candidate] = []
        for one in pool.candidates:
            code, name = skills.lacks(one, self.plan, queue, language, steps)
            code = code or refused.get(one.agent_id, "") or self._why_not(one)
            if not self._left_out(one, code, skill=name):
                free.append(one)
        ordered = [one for one, _rank in strategies.ordered(free, queue, pool, self.ctx.now)]
        left = queueing.spare(ordered, self._ahead(queue, pool), self._serves(queue))
        for one in ordered:
            if one not in left:
                self._left_out(one, "for_who_waits_longer")
        asked = ladder.was_offered(self.ctx.offers)
        fresh = [one for one in left if one.agent_id not in asked]
        for one in left if fresh else ():
            if one.agent_id in asked:
                self._left_out(one, "asked_already")
        return strategies.ordered(fresh or left, queue, pool, self.ctx.now)

    def _whom_he_knows(
        self, ranked: Sequence[tuple[Candidate, strategies.Rank]], queue: QueuePlan, pool: Pool, waited_s: float
    ) -> tuple[list[tuple[Candidate, strategies.Rank]], bool]:
        """Return the agent whom the caller knows, if he can be rung, and whether it is worth waiting for him.

        The contact's owner goes before the last agent. Nobody waits for someone who is not at work, or who declined.
        """
        refused = ladder.refused_by(self.ctx.offers, self.ctx.now)
        for sticky in self.ctx.sticky if queue.sticky else ():
            for pair in ranked:
                if pair[0].agent_id == sticky.agent_id:
                    self._note(f"sticky_{sticky.why}", agent=pair[0].name, agent_id=sticky.agent_id)
                    return [pair], False
            him = next((one for one in pool.candidates if one.agent_id == sticky.agent_id), None)
            if him is None or him.agent_id in refused or waited_s >= queue.sticky_wait_s:
                continue
            if self._why_not(him) and ladder.is_at_work(him, self.ctx.now):
                self._note("sticky_waits", agent=him.name, agent_id=him.agent_id, seconds=queue.sticky_wait_s)
                return [], True
        return [], False

    def _wait_or_leave(self, queue: QueuePlan, pool: Pool, *, joins: bool, waited_s: float) -> Routed | Missing:
        at_work = [one for one in pool.candidates if ladder.is_at_work(one, self.ctx.now)]
        language = self._chosen_language()
        able = [one for one in at_work if skills.may_ever_serve(one, self.plan, queue, language)]
        empty = VisitOutcome.JOIN_EMPTY if joins else VisitOutcome.LEAVE_EMPTY
        if at_work and not able:
            lacking = self._lacking(at_work, queue, language)
            self._note("nobody_at_work_with", **lacking)
            return self._leave(queue, empty)
        may_leave = queue.overflow_when_joining_empty if joins else queue.overflow_when_left_empty
        if not at_work and may_leave:
            self._note("nobody_at_work", name=queue.name)
            return self._leave(queue, empty)
        refused = ladder.refused_by(self.ctx.offers, self.ctx.now)
        if able and all(refused.get(one.agent_id) == "offered_enough" for one in able):
            self._note("everybody_asked", name=queue.name)
            return self._leave(queue, VisitOutcome.OVERFLOW_WAIT)
        if len(self.ctx.offers) >= queue.max_offers:
            self._note("offers_used_up", count=queue.max_offers)
            return self._leave(queue, VisitOutcome.OVERFLOW_WAIT)
        if waited_s >= queue.max_wait_s:
            self._note("waited_too_long", seconds=int(waited_s), name=queue.name)
            return self._leave(queue, VisitOutcome.OVERFLOW_WAIT)
        return self._wait(queue, pool, agents_at_work=len(at_work), waited_s=waited_s)

    def _wait(self, queue: QueuePlan, pool: Pool, *, agents_at_work: int, waited_s: float) -> Routed:
        assert self.visit is not None
        position = len(self._ahead(queue, pool)) + 1
        told = queueing.announcement(self.visit, position, queue, pool.handled, agents_at_work, self.ctx.now)
        self._note("waits", name=queue.name, position=position, seconds=int(waited_s))
        return self._end(Wait(queueing.music_s(queue.max_wait_s - waited_s), told.position, told.minutes))

    def _leave(self, queue: QueuePlan, outcome: VisitOutcome, place: Destination = NOWHERE) -> Routed | Missing:
        self.visits.append(Left(outcome))
        self.visit = None
        return self.go(self._or_fallback(place if place != NOWHERE else queue.overflow))

    def _ahead(self, queue: QueuePlan, pool: Pool) -> list[Waiting]:
        assert self.visit is not None
        me = Waiting(self.visit.visit_id, self.visit.entered_at, self.visit.priority, self._chosen_language())
        return queueing.ahead_of(me, pool.waiting, queue, self.ctx.now)

    def _serves(self, queue: QueuePlan) -> Callable[[Candidate, Waiting], bool]:
        def serves(agent: Candidate, caller: Waiting) -> bool:
            steps = skills.relaxation(queue, (self.ctx.now - caller.entered_at).total_seconds())
            return skills.lacks(agent, self.plan, queue, caller.language, steps)[0] == ""

        return serves

    def _lacking(self, at_work: Sequence[Candidate], queue: QueuePlan, language: str) -> dict[str, str]:
        for one in at_work:
            code, name = skills.lacks(one, self.plan, queue, language, steps=5)
            if code == "no_language":
                return {"skill": name, "language": name}
        return {"skill": next((one.name for one in queue.requirements), "")}

    # --- Shared --------------------------------------------------------------------------------------------------

    def _ring(
        self, ranked: Sequence[tuple[Candidate, strategies.Rank]], timeout_s: int, queue: QueuePlan | None = None
    ) -> Routed:
        most = MAX_PARALLEL_TARGETS if queue is None or strategies.rings_all(queue.strategy) else 1
        for one, _rank in ranked[most:] if most > 1 else ():
            self._left_out(one, "over_limit")
        for one, _rank in ranked[1:] if most == 1 else ():
            self._left_out(one, "comes_later")
        rung = ranked[:most]
        self.reasons += [{"code": "rung", "agent": one.name, "agent_id": one.agent_id} for one, _rank in rung]
        targets = tuple(Target(one.agent_id, one.sip_username, rank) for one, rank in rung)
        return self._end(Ring(targets, timeout_s))

    def _why_not(self, candidate: Candidate) -> str:
        return "claimed" if candidate.agent_id in self.ctx.lost_claims else why_not(candidate, self.ctx.now)

    def _left_out(self, candidate: Candidate, code: str, **values: object) -> bool:
        if code:
            self._note(code, agent=candidate.name, agent_id=candidate.agent_id, **values)
        return bool(code)

    def _is_closed(self, hours_id: int | None) -> bool:
        calendar = self.plan.hours.get(hours_id) if hours_id is not None else None
        if calendar is None:
            return False
        standing = hours.standing(calendar, self.ctx.now)
        if not standing.is_open:
            self._note(f"closed_{standing.why}", name=calendar.name, date=standing.name)
        return not standing.is_open

    def _or_fallback(self, place: Destination) -> Destination:
        """Return the place; for nowhere the company's fallback number if it has one, else voicemail."""
        if place != NOWHERE:
            return place
        if self.plan.fallback_loops:
            self._note("fallback_loops", number=self.plan.fallback_number)
        elif self.plan.fallback_number:
            self._note("forwarded", number=self.plan.fallback_number)
            return Destination(DestinationKind.NUMBER, text=self.plan.fallback_number)
        return VOICEMAIL

    def _gone(self, code: str) -> Routed | Missing:
        """Go on where a place that the plan names is not there any more."""
        self._note(code)
        return self.go(self._or_fallback(NOWHERE))

    def _chosen_language(self) -> str:
        return self.walk.language if self.walk.language_is_chosen else ""

    def _note(self, code: str, **values: object) -> None:
        self.reasons.append({"code": code, **values})

    def _end(self, decision: Decision, code: str = "", **values: object) -> Routed:
        if code:
            self._note(code, **values)
        return Routed(decision, tuple(self.reasons), self.walk, tuple(self.visits))


def _first_walk(ctx: RouteContext) -> Walk:
    chosen = ctx.number.language or ctx.contact_language
    return Walk(
        place=ctx.number.destination,
        entered_at=ctx.now,
        language=chosen or ctx.plan.language,
        language_is_chosen=bool(chosen),
    )
