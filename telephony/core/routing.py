"""Who rings, and why: one pure function from what is known to what the caller meets next.

A call walks through its company's plan from place to place: a number's destination, a menu's digit, a queue's overflow.
Every path ends in a person, a voicemail or a spoken end: a plan that leads in circles is cut short after MAX_PLACES.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final, assert_never

from telephony.core import offering
from telephony.core.boxes import ask_for_message, box_after
from telephony.core.ladder import why_not
from telephony.core.missions import HEAD_PRIORITY, TRANSFER_RING_S, Mission, MissionKind
from telephony.core.notes import Notes
from telephony.core.plan import (
    NOWHERE,
    VOICEMAIL,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuOption,
    MenuPlan,
    QueuePlan,
)
from telephony.core.queueing import MUSIC_S
from telephony.core.types import (
    Decision,
    DialStatus,
    Entered,
    Forward,
    Gather,
    Hangup,
    Left,
    Missing,
    Pool,
    Reject,
    Ring,
    Room,
    RouteContext,
    Routed,
    Say,
    Visit,
    VisitOutcome,
    Voicemail,
    Wait,
    Walk,
)

#: How long a forwarded number rings; mobile networks answer for their subscriber after some 25–30 s.
FORWARD_TIMEOUT_S: Final = 25
#: A call comes to at most so many places; a plan that has more of them in a row goes in circles.
MAX_PLACES: Final = 12
#: Every key of a telephone; # first, for it is Telnyx's own default as the key that ends the input.
_KEYS: Final = "#*0123456789"

__all__ = ["FORWARD_TIMEOUT_S", "MAX_PLACES", "decide", "why_not"]


def decide(ctx: RouteContext) -> Routed | Missing:
    """Return what the caller meets next, with the reasons; or the place whose people must be read first.

    Total: with every pool that it asks for, each context has an answer.
    """
    if ctx.hangup_requested:
        return Routed(Hangup(), ({"code": "hangup_requested"},))
    road = _Road(ctx)
    if ctx.mission is not None:
        return road.set_out(ctx.mission)
    match ctx.previous:
        case None:
            return road.begin()
        case Ring() | Forward():
            return road.after_dial(ctx.dial or DialStatus.UNKNOWN)
        case Wait():
            return road.stay()
        case Gather(menu_id):
            return road.after_menu(menu_id)
        case Voicemail():
            return road.end(Say("message_kept"), "message_taken")
        case Room():
            return road.end(Hangup(), "conversation_ended")
        case Say() | Hangup() | Reject():
            return road.end(Hangup(), "nothing_left")
        case never:
            assert_never(never)


class _Road:
    """One decision in the making: the reasons so far, the visits that began and ended, and where the call stands."""

    def __init__(self, ctx: RouteContext) -> None:
        self.ctx = ctx
        self.plan: CompanyPlan = ctx.plan
        self.notes = Notes()
        self.visits: list[Entered | Left] = []
        self.walk: Walk = ctx.walk or _first_walk(ctx)
        #: The visit that is open; None while the call is at no queue.
        self.visit: Visit | None = ctx.visit
        #: Queues that this very decision has left: they would say the same again.
        self.left: set[int] = set()
        #: The mission that brought the call back to its queue just now.
        self.came_back: Mission | None = None

    # --- Where to ------------------------------------------------------------------------------------------------

    def begin(self) -> Routed | Missing:
        if self.ctx.blocked:
            return replace(self.end(Reject(), "blocked"), walk=None)
        number = self.ctx.number
        if number.destination.kind is DestinationKind.NONE:
            return self._unassigned()
        if self.notes.is_closed(self.plan, number.hours_id, self.ctx.now):
            return self.go(number.when_closed)
        return self.go(number.destination)

    def go(self, place: Destination) -> Routed | Missing:
        """Bring the call to a place and decide there; nowhere is the fallback number, or else voicemail."""
        place = place if place != NOWHERE else self._fallback()
        hops, box = self.walk.hops + 1, box_after(place, self.walk.box)
        self.walk = replace(self.walk, place=place, entered_at=self.ctx.now, tries=0, hops=hops, box=box)
        if self.walk.hops > MAX_PLACES or (place.kind is DestinationKind.QUEUE and place.id in self.left):
            return self.end(ask_for_message(self.plan, self.walk), "goes_in_circles")
        return self.stay()

    def stay(self) -> Routed | Missing:
        """Decide at the place where the call stands, or what its mission says before."""
        if self.walk.mission is not None:
            return self._on_mission(self.walk.mission)
        place = self.walk.place
        match place.kind:
            case DestinationKind.USER:
                return self._at_user(place)
            case DestinationKind.COMPANY:
                return self._at_company(place)
            case DestinationKind.QUEUE:
                return self._at_queue(place)
            case DestinationKind.MENU:
                return self._at_menu(place.id)
            case DestinationKind.NUMBER if place.text:
                return self.end(Forward(place.text, FORWARD_TIMEOUT_S), "destination_number", number=place.text)
            case DestinationKind.VOICEMAIL:
                return self.end(ask_for_message(self.plan, self.walk), "destination_voicemail")
            case DestinationKind.SAY if place.text:
                return self.end(Say("own_words", place.text), "destination_say")
            case DestinationKind.NUMBER | DestinationKind.SAY | DestinationKind.NONE:
                return self._gone("nowhere")
            case never:
                assert_never(never)

    def after_dial(self, dial: DialStatus) -> Routed | Missing:
        if dial is DialStatus.COMPLETED:
            self._leave(VisitOutcome.ANSWERED)
            return self.end(Hangup(), "conversation_ended")
        self.notes.add("not_answered", status=str(dial))
        if self.walk.mission is not None:
            return self._mission_not_answered(self.walk.mission)
        if self.walk.place.kind is DestinationKind.QUEUE and isinstance(self.ctx.previous, Ring):
            if dial is DialStatus.CANCELED and self.visit is not None:
                # Most likely he hung up and the news is on its way (S-13). Nobody rings for him before he has asked
                # once more; should he be there all the same, he hears a few seconds of music.
                return self.end(Wait(MUSIC_S[-1]))
            return self.stay()
        # Whatever went wrong, a caller who is still there is asked for a message; one who left does not notice.
        return self.end(ask_for_message(self.plan, self.walk), "voicemail")

    def end(self, decision: Decision, code: str = "", **values: object) -> Routed:
        if code:
            self.notes.add(code, **values)
        return Routed(decision, tuple(self.notes.reasons), self.walk, tuple(self.visits))

    def _gone(self, code: str) -> Routed | Missing:
        """Go on where a place that the plan names is not there any more."""
        self.notes.add(code)
        self._leave(VisitOutcome.FAILED)
        return self.go(NOWHERE)

    def _fallback(self) -> Destination:
        """Return where a call goes for which the plan names nothing."""
        if self.plan.fallback_loops:
            self.notes.add("fallback_loops", number=self.plan.fallback_number)
            return VOICEMAIL
        if not self.plan.fallback_number:
            self.notes.add("no_fallback")
            return VOICEMAIL
        self.notes.add("fallback")
        return Destination(DestinationKind.NUMBER, text=self.plan.fallback_number)

    def _unassigned(self) -> Routed:
        """Say that the number is nobody's, in the company's language: the caller has chosen nothing here."""
        return replace(self.end(Say("unassigned"), "unassigned"), walk=None)

    # --- A mission -----------------------------------------------------------------------------------------------

    def set_out(self, mission: Mission) -> Routed | Missing:
        """Begin a mission: the call is taken from wherever it stood."""
        self._leave(VisitOutcome.ANSWERED)
        self.walk = replace(self.walk, mission=mission)
        return self.stay()

    def _on_mission(self, mission: Mission) -> Routed | Missing:
        match mission.kind:
            case MissionKind.TRANSFER:
                return self._transfer(mission)
            case MissionKind.RETURN:
                return self._ring_agent(mission.from_agent_id, "returned_to", self.plan.ring_timeout_s) or self._head()
            case MissionKind.RESCUE:
                return self._rescue(mission)
            case MissionKind.HEAD:
                return self._head()
            case never:
                assert_never(never)

    def _transfer(self, mission: Mission) -> Routed | Missing:
        to = mission.to
        if to.kind is DestinationKind.USER:
            return self._ring_agent(to.id, "transferred_to", TRANSFER_RING_S) or self._mission_not_answered(mission)
        if to.kind is DestinationKind.NUMBER:
            return self.end(Forward(to.text, TRANSFER_RING_S), "transferred_to_number", number=to.text)
        # A queue has its own ways to go on.
        self.notes.add("transferred_to_queue")
        self.walk = replace(self.walk, mission=None)
        return self.go(to)

    def _mission_not_answered(self, mission: Mission) -> Routed | Missing:
        if mission.kind is MissionKind.RESCUE:
            return self._rescue(mission)
        if mission.kind is MissionKind.TRANSFER and mission.from_agent_id:
            mission = replace(mission, kind=MissionKind.RETURN)
            self.walk = replace(self.walk, mission=mission)
            return self._on_mission(mission)
        return self._head()

    def _rescue(self, mission: Mission) -> Routed | Missing:
        if mission.until is not None and self.ctx.now >= mission.until:
            self.notes.add("rescue_over")
            return self._head()
        ringing = self._ring_agent(mission.to.id, "rescued_by", self.plan.ring_timeout_s)
        if ringing is not None:
            return ringing
        is_new = self.ctx.mission is not None
        return self.end(Wait(MUSIC_S[-1], words="reconnecting" if is_new else ""), "rescue_waits")

    def _ring_agent(self, agent_id: int, code: str, timeout_s: int) -> Routed | Missing | None:
        """Ring one agent; None if he cannot be rung now."""
        place = Destination(DestinationKind.USER, agent_id)
        pool = self.ctx.pools.get(place)
        if pool is None:
            return Missing(place)
        if pool.candidates:
            self.notes.add(code, name=pool.candidates[0].name)
        rung = offering.ring_the_free(self.ctx, pool, self.notes) if pool.candidates else None
        return None if rung is None else self.end(replace(rung, timeout_s=timeout_s))

    def _head(self) -> Routed | Missing:
        """End the mission: go on where the call was answered, in a queue before everybody else."""
        mission = self.walk.mission
        self.walk = replace(self.walk, mission=None)
        if mission is None:
            return self.stay()
        if mission.origin.kind is DestinationKind.QUEUE and mission.origin.id in self.plan.queues:
            self.notes.add("head_of_queue", name=self.plan.queues[mission.origin.id].name)
            self.came_back = mission
        return self.go(mission.origin)

    # --- A menu --------------------------------------------------------------------------------------------------

    def _at_menu(self, menu_id: int) -> Routed | Missing:
        menu = self.plan.menus.get(menu_id)
        if menu is None:
            return self._gone("menu_gone")
        self.notes.add("destination_menu", name=menu.name)
        if not _prompt(menu, (self.walk.language, self.plan.language))[0]:
            # Seconds of silence are no menu.
            self.notes.add("menu_is_silent", name=menu.name)
            return self.go(menu.on_timeout)
        return self._gather(menu, again="")

    def after_menu(self, menu_id: int) -> Routed | Missing:
        menu = self.plan.menus.get(menu_id)
        if menu is None:
            return self._gone("menu_gone")
        digit = self.ctx.digits[:1]
        chosen = next((option for option in menu.options if digit and option.digit == digit), None)
        return self._choose(menu, chosen) if chosen else self._not_chosen(menu, digit)

    def _choose(self, menu: MenuPlan, option: MenuOption) -> Routed | Missing:
        self.notes.add("digit", digit=option.digit, name=menu.name)
        if option.language:
            self.walk = replace(self.walk, language=option.language, language_is_chosen=True)
            self.notes.add("language_chosen", language=option.language)
        return self.go(option.destination)

    def _not_chosen(self, menu: MenuPlan, digit: str) -> Routed | Missing:
        again = "wrong_digit" if digit else "no_digit"
        self.notes.add(again, digit=digit, name=menu.name)
        self.walk = replace(self.walk, tries=self.walk.tries + 1)
        # A menu without options is an announcement: said once.
        if menu.options and self.walk.tries <= menu.retries:
            return self._gather(menu, again=again)
        self.notes.add("menu_given_up", name=menu.name)
        return self.go(menu.on_wrong if digit and menu.on_wrong != NOWHERE else menu.on_timeout)

    def _gather(self, menu: MenuPlan, *, again: str) -> Routed:
        text, language = _prompt(menu, (self.walk.language, self.plan.language))
        options = {option.digit for option in menu.options}
        unused = next((key for key in _KEYS if key not in options), _KEYS[0])
        return self.end(Gather(menu.id, text, menu.timeout_s, again, unused, language))

    # --- A user, or anybody of the company -----------------------------------------------------------------------

    def _at_user(self, place: Destination) -> Routed | Missing:
        pool = self.ctx.pools.get(place)
        if pool is None:
            return Missing(place)
        if not pool.candidates:
            # A user who is gone leaves his number assigned to nobody.
            is_first = self.ctx.previous is None and self.walk.hops == 1
            return self._unassigned() if is_first else self._gone("user_gone")
        self.notes.add("destination_user", name=pool.candidates[0].name)
        return self._ring_or_fallback(pool)

    def _at_company(self, place: Destination) -> Routed | Missing:
        pool = self.ctx.pools.get(place)
        if pool is None:
            return Missing(place)
        self.notes.add("destination_company")
        return self._ring_or_fallback(pool)

    def _ring_or_fallback(self, pool: Pool) -> Routed | Missing:
        rung = offering.ring_the_free(self.ctx, pool, self.notes)
        if rung is not None:
            return self.end(rung)
        self.notes.add("nobody_free")
        return self.go(NOWHERE)

    # --- A queue -------------------------------------------------------------------------------------------------

    def _at_queue(self, place: Destination) -> Routed | Missing:
        queue = self.plan.queues.get(place.id)
        if queue is None:
            return self._gone("queue_gone")
        pool = self.ctx.pools.get(place)
        if pool is None:
            return Missing(place)
        visit = self.visit if self.visit and self.visit.queue_id == queue.id else None
        call = offering.QueuedCall(
            self.ctx, queue, pool, visit or self._enter(queue), joins=visit is None, language=self._chosen_language()
        )
        found = offering.weigh(call, self.notes)
        if not isinstance(found, offering.Leaves):
            return self.end(found)
        self._leave(found.outcome)
        self.left.add(queue.id)
        return self.go(found.place)

    def _enter(self, queue: QueuePlan) -> Visit:
        # A visit elsewhere that is still open was left without a word.
        self._leave(VisitOutcome.FAILED)
        self.notes.add("destination_queue", name=queue.name)
        if self.came_back is None:
            self.visits.append(Entered(queue.id, queue.priority, self._chosen_language()))
            self.visit = Visit("", queue.id, self.ctx.now, queue.priority)
            return self.visit
        # He was being served: first in line, with the age that he had, but never so old that the queue gives him up.
        age = timedelta(seconds=min(self.came_back.waited_s, queue.max_wait_s // 2))
        entered_at = self.ctx.now - age
        self.visits.append(Entered(queue.id, HEAD_PRIORITY, self._chosen_language(), entered_at))
        self.visit = Visit("", queue.id, entered_at, HEAD_PRIORITY)
        return self.visit

    def _leave(self, outcome: VisitOutcome) -> None:
        """End the visit that is open, if one is."""
        if self.visit is not None:
            self.visits.append(Left(outcome))
            self.visit = None

    def _chosen_language(self) -> str:
        return self.walk.language if self.walk.language_is_chosen else ""


def _first_walk(ctx: RouteContext) -> Walk:
    chosen = ctx.number.language or ctx.contact_language
    return Walk(
        place=ctx.number.destination,
        entered_at=ctx.now,
        language=chosen or ctx.plan.language,
        language_is_chosen=bool(chosen),
        # Also of a number whose own hours are closed: who called Ana leaves his message for Ana.
        box=box_after(ctx.number.destination),
    )


def _prompt(menu: MenuPlan, languages: tuple[str, ...]) -> tuple[str, str]:
    """Return the menu's text in the first of the languages that it has, or in any, and which; empty if it has none."""
    texts = ((menu.say.get(language, "").strip(), language) for language in (*languages, *menu.say))
    return next(((text, language) for text, language in texts if text), ("", languages[0]))
