"""What holds for every plan, everybody's state, and everything that may happen to a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.core import explain, ladder, skills
from telephony.core.hours import Switch
from telephony.core.plan import (
    NOWHERE,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuOption,
    MenuPlan,
    NumberPlan,
    PriorityMode,
    QueuePlan,
    Requirement,
    Strategy,
    WhenClosing,
)
from telephony.core.routing import MAX_PLACES
from telephony.core.types import (
    MAX_PARALLEL_TARGETS,
    Candidate,
    DialStatus,
    Entered,
    Forward,
    Gather,
    Handled,
    Hangup,
    Left,
    PastOffer,
    Pool,
    Reason,
    Ring,
    RouteContext,
    Routed,
    Say,
    Sticky,
    Visit,
    VisitOutcome,
    Voicemail,
    Wait,
    Waiting,
    Walk,
)
from tests.core.routing_cast import ENGLISH, FALLBACK, NOW, SALES, SPANISH, agent, decided, hours, seconds

QUEUES: Final = (7, 8)
MENUS: Final = (5, 6)
COMPLAINTS: Final = 34
MAX_WAIT_S: Final = 60
MAX_OFFERS: Final = 12


#: Everything that keeps somebody from being rung.
STATES: Final[tuple[dict[str, Any], ...]] = (
    {"activity": "ON_CALL"},
    {"activity": "WRAP_UP"},
    {"activity": "RESERVED"},
    {"activity": "NOT_RESPONDING"},
    {"intent": "BREAK"},
    {"intent": "OFFLINE"},
    {"last_seen_at": None},
    {"microphone": False},
    {"sip_username": ""},
)


@dataclass
class Story:
    """A call that is driven to its end, with the world around it."""

    ctx: RouteContext
    everybody: tuple[Candidate, ...]
    waiting: Mapping[int, tuple[Waiting, ...]]
    cursor: int
    visit: Visit | None = None
    decisions: list[Routed] = field(default_factory=list)

    def load(self, place: Destination) -> Pool:
        if place.kind is DestinationKind.USER:
            return Pool(tuple(one for one in self.everybody if one.agent_id == place.id))
        if place.kind is DestinationKind.COMPANY:
            return Pool(self.everybody)
        ahead = self.waiting[place.id]
        return Pool(
            # One member in four belongs to the other queue.
            tuple(one for one in self.everybody if one.agent_id % 4 or place.id == QUEUES[0]),
            waiting=ahead,
            size=len(ahead) + (self.visit is not None),
            cursor_agent_id=self.cursor,
            handled=Handled(30, 100.0),
        )

    def step(self) -> Routed:
        self.ctx = replace(self.ctx, visit=self.visit, pools={})
        routed = decided(self.ctx, self.load)
        with_pools = replace(self.ctx, pools={place: self.load(place) for place in self.places(routed)})
        check_sentences(routed)
        check_ring(with_pools, routed)
        self.follow_visits(routed)
        self.decisions.append(routed)
        return routed

    def places(self, routed: Routed) -> list[Destination]:
        peopled = {DestinationKind.USER, DestinationKind.COMPANY, DestinationKind.QUEUE}
        return [routed.walk.place] if routed.walk and routed.walk.place.kind in peopled else []

    def follow_visits(self, routed: Routed) -> None:
        """Apply what happened to visits: one at a time, each ended once, none open where no queue holds the call."""
        for change in routed.visits:
            match change:
                case Entered(queue_id, priority, _language):
                    assert self.visit is None
                    self.visit = Visit("me", queue_id, self.ctx.now, priority)
                case Left(outcome):
                    assert self.visit is not None
                    assert outcome is not VisitOutcome.WAITING
                    self.visit = None
        at_queue = routed.walk is not None and routed.walk.place.kind is DestinationKind.QUEUE
        waits = isinstance(routed.decision, Ring | Wait) and at_queue
        assert (self.visit is not None) is waits

    def go_on(self, routed: Routed, after_s: float, **news: Any) -> None:
        now = self.ctx.now + seconds(after_s)
        self.ctx = replace(
            self.ctx,
            step=self.ctx.step + 1,
            now=now,
            number=NumberPlan(NOWHERE),
            walk=routed.walk,
            previous=routed.decision,
            **{"dial": None, "digits": "", "lost_claims": frozenset(), **news},
        )


def check_sentences(routed: Routed) -> None:
    """Every reason has a sentence in both languages, with every value that it names."""
    for language in ("es", "en"):
        for sentence, reason in zip(explain.sentences(routed.reasons, language), routed.reasons, strict=True):
            assert reason["code"] in explain.SENTENCES, reason
            assert "?" not in sentence, (sentence, reason)


def check_ring(ctx: RouteContext, routed: Routed) -> None:
    """Only who is routable rings, each once, in order, within the limits, and nobody twice while others remain."""
    if not isinstance(routed.decision, Ring):
        return
    assert routed.walk is not None
    place = routed.walk.place
    rung = [target.agent_id for target in routed.decision.targets]
    assert 1 <= len(rung) == len(set(rung)) <= MAX_PARALLEL_TARGETS
    can = [one.agent_id for one in ctx.pools[place].candidates if can_be_rung(one, ctx, routed)]
    assert set(rung) <= set(can)
    asked = ladder.was_offered(ctx.offers)
    if asked & set(rung):
        assert set(can) <= asked, "somebody is rung twice while others remain"
    if place.kind is DestinationKind.QUEUE:
        queue = ctx.plan.queues[place.id]
        entered_at = ctx.visit.entered_at if ctx.visit and not routed.visits else ctx.now
        made = sum(one.offered_at >= entered_at for one in ctx.offers)
        assert made + len(rung) <= queue.max_offers
        assert queue.strategy is Strategy.RING_ALL or len(rung) == 1


def can_be_rung(one: Candidate, ctx: RouteContext, routed: Routed) -> bool:
    """Say the same as the code, from the definitions."""
    assert routed.walk is not None
    kept = {r["agent_id"] for r in reasons_here(routed) if r["code"] == "for_who_waits_longer"}
    refused = ladder.refused_by(ctx.offers, ctx.now)
    if ladder.why_not(one, ctx.now) or one.agent_id in refused | dict.fromkeys(ctx.lost_claims | kept):
        return False
    queue = ctx.plan.queues.get(routed.walk.place.id)
    if routed.walk.place.kind is not DestinationKind.QUEUE or queue is None:
        return True
    visit = ctx.visit if ctx.visit and ctx.visit.queue_id == queue.id and not routed.visits else None
    waited_s = (ctx.now - visit.entered_at).total_seconds() if visit else 0.0
    language = routed.walk.language if routed.walk.language_is_chosen else ""
    return skills.lacks(one, ctx.plan, queue, language, skills.relaxation(queue, waited_s))[0] == ""


def reasons_here(routed: Routed) -> tuple[Reason, ...]:
    """Return the reasons of the last place that the decision came to."""
    places = [place for place, reason in enumerate(routed.reasons) if reason["code"].startswith("destination_")]
    return routed.reasons[places[-1] :] if places else routed.reasons


def any_place(chance: Random) -> Destination:
    kind = chance.choice(list(DestinationKind))
    # 9 is gone, and so is a user who is not among the first few.
    ids = {
        DestinationKind.USER: [1, 2, 99],
        DestinationKind.QUEUE: [*QUEUES] * 3 + [9],
        DestinationKind.MENU: [*MENUS, 9],
    }
    texts = {DestinationKind.NUMBER: [FALLBACK, ""], DestinationKind.SAY: ["Hola.", ""]}
    return Destination(kind, chance.choice(ids.get(kind, [0])), chance.choice(texts.get(kind, [""])))


def any_hours(chance: Random) -> int | None:
    """Return no hours, open ones (1), closed ones (2), or some that are gone (9)."""
    return chance.choice([None, None, None, None, 1, 1, 2, 9])


def any_language(chance: Random) -> str:
    return chance.choice(["", "es", "en"])


def any_requirements(chance: Random) -> tuple[Requirement, ...]:
    asked = [(SALES, "seguros"), (COMPLAINTS, "quejas")][: chance.choice([0, 0, 1, 2])]
    return tuple(
        Requirement(skill_id, name, chance.randint(1, 4), relaxable=chance.random() < 0.7, weight=chance.randint(1, 3))
        for skill_id, name in asked
    )


def any_queue(queue_id: int, chance: Random) -> QueuePlan:
    return QueuePlan(
        id=queue_id,
        name=f"queue {queue_id}",
        strategy=chance.choice(list(Strategy)),
        requirements=any_requirements(chance),
        match_language=chance.random() < 0.4,
        relax_language=chance.random() < 0.5,
        relax_after_s=chance.choice([10, 30]),
        relax_every_s=chance.choice([10, 30]),
        max_offers=chance.choice([1, 3, MAX_OFFERS]),
        priority_mode=chance.choice(list(PriorityMode)),
        max_wait_s=chance.choice([30, MAX_WAIT_S]),
        max_size=chance.choice([1, 50, 50, 50]),
        overflow_when_joining_empty=chance.random() < 0.7,
        overflow_when_left_empty=chance.random() < 0.7,
        hours_id=any_hours(chance),
        when_closing=chance.choice(list(WhenClosing)),
        overflow=any_place(chance),
        when_closed=any_place(chance),
        sticky=chance.random() < 0.5,
        announce_every_s=chance.choice([0, 15]),
    )


def any_menu(menu_id: int, chance: Random) -> MenuPlan:
    digits = chance.sample("123*#", chance.randint(0, 3))
    return MenuPlan(
        id=menu_id,
        name=f"menu {menu_id}",
        say=chance.choice([{}, {"es": "Marque."}, {"en": "Press."}, {"es": "", "en": "Press."}]),
        options=tuple(MenuOption(digit, any_place(chance), any_language(chance)) for digit in digits),
        retries=chance.randint(0, 2),
        on_timeout=any_place(chance),
        on_wrong=any_place(chance),
    )


def any_plan(chance: Random) -> CompanyPlan:
    return CompanyPlan(
        version=1,
        language="es",
        fallback_number=chance.choice(["", FALLBACK]),
        fallback_loops=chance.random() < 0.2,
        hours={1: hours(Switch.OPEN), 2: hours(Switch.CLOSED)},
        queues={queue_id: any_queue(queue_id, chance) for queue_id in QUEUES},
        menus={menu_id: any_menu(menu_id, chance) for menu_id in MENUS},
        language_skills=chance.choice([{"es": SPANISH, "en": ENGLISH}, {"es": SPANISH, "en": ENGLISH}, {}]),
    )


def any_agent(number: int, chance: Random) -> Candidate:
    state = chance.choice(STATES) if chance.random() < 0.5 else {}
    return replace(
        # Seen until the end of the call, if at all.
        agent(number, **{"last_seen_at": NOW + seconds(86_400), **state}),
        idle_since=NOW - seconds(60 * chance.randint(0, 3)),
        tier=chance.randint(1, 2),
        skills={one: chance.randint(1, 5) for one in (SPANISH, ENGLISH, SALES, COMPLAINTS) if chance.random() < 0.6},
        answered_in_window=chance.randint(0, 3),
        is_newcomer=chance.random() < 0.3,
        calls_today=chance.randint(0, 2),
    )


def any_people(chance: Random) -> tuple[Candidate, ...]:
    return tuple(any_agent(number, chance) for number in range(1, chance.choice([1, 2, 3, 5, 8, 16]) + 1))


def any_line(chance: Random) -> tuple[Waiting, ...]:
    """Return some who wait in a queue; one of them came after the call that is looked at."""
    return tuple(
        Waiting(
            visit_id,
            NOW + seconds(chance.randint(-60, 30)),
            chance.randint(0, 2),
            any_language(chance),
            frozenset(chance.sample(range(1, 6), 2)),
        )
        for visit_id in "abc"[: chance.choice([0, 0, 0, 1, 3])]
    )


def any_story(chance: Random) -> Story:
    # Most numbers lead to where most happens.
    to = Destination(DestinationKind.QUEUE, QUEUES[0]) if chance.random() < 0.5 else any_place(chance)
    known = [Sticky(chance.randint(1, 4), why) for why in ("owner", "last") if chance.random() < 0.4]
    ctx = RouteContext(
        step=1,
        now=NOW,
        plan=any_plan(chance),
        number=NumberPlan(to, any_hours(chance), any_place(chance), any_language(chance)),
        contact_language=any_language(chance),
        sticky=tuple(known),
        lost_claims=frozenset(chance.sample(range(1, 6), chance.choice([0, 0, 1, 4]))),
    )
    lines = {queue_id: any_line(chance) for queue_id in QUEUES}
    return Story(ctx, any_people(chance), lines, cursor=chance.randint(0, 8))


#: Steps of one place: its waits (5 s each at least), its rings, a menu's repetitions.
MAX_STEPS: Final = (MAX_PLACES + 1) * (MAX_WAIT_S // 5 + MAX_OFFERS + 3) + 3

NOT_ANSWERED: Final = [one for one in DialStatus if one is not DialStatus.COMPLETED]
ENDS_OF_OFFERS: Final = ["missed", "missed", "declined", "device_lost", "withdrawn"]


def happens(story: Story, routed: Routed, chance: Random) -> None:
    """Let something happen after a decision: nobody answers, a digit, music to its end or cut short."""
    match routed.decision:
        case Ring(targets, timeout_s):
            rang_s = chance.randint(0, timeout_s)
            began, ended = story.ctx.now, story.ctx.now + seconds(rang_s)
            made = tuple(PastOffer(one.agent_id, chance.choice(ENDS_OF_OFFERS), began, ended) for one in targets)
            story.go_on(routed, rang_s, dial=chance.choice(NOT_ANSWERED), offers=(*story.ctx.offers, *made))
        case Forward(_number, timeout_s):
            story.go_on(routed, timeout_s, dial=chance.choice(NOT_ANSWERED))
        case Wait(music_s):
            story.go_on(routed, chance.randint(5, music_s))
        case Gather():
            story.go_on(routed, 5, digits=chance.choice(["", "1", "2", "3", "*", "9"]))
        case _:
            story.go_on(routed, 1)
    if chance.random() < 0.2:
        # The agents do something else meanwhile.
        story.everybody = any_people(chance)


#: Told by its seed: a story is many small choices, and hypothesis would draw mostly the dull ones.
chances = st.randoms(use_true_random=True)


@settings(max_examples=500, deadline=None)
@given(chances)
def test_every_path_ends_in_a_person_a_voicemail_or_a_spoken_end(chance: Random) -> None:
    story = any_story(chance)
    for _step in range(MAX_STEPS):
        routed = story.step()
        if isinstance(routed.decision, Hangup):
            break
        happens(story, routed, chance)
    else:
        raise AssertionError([type(one.decision).__name__ for one in story.decisions])

    # Nobody has answered: the last thing that the caller met was a spoken end, a message behind it or not.
    last = story.decisions[-2].decision
    assert isinstance(last, Say), last
    assert last.text in {"unassigned", "own_words"} or isinstance(story.decisions[-3].decision, Voicemail)


@settings(max_examples=200, deadline=None)
@given(chances)
def test_a_conversation_ends_the_call_and_every_visit(chance: Random) -> None:
    story = any_story(chance)
    for _step in range(MAX_STEPS):
        routed = story.step()
        if isinstance(routed.decision, Hangup):
            return
        if isinstance(routed.decision, Ring | Forward) and chance.random() < 0.5:
            story.go_on(routed, 30, dial=DialStatus.COMPLETED)
            assert story.step().decision == Hangup()
            return
        happens(story, routed, chance)


@settings(max_examples=200, deadline=None)
@given(chances)
def test_the_same_context_has_the_same_decision_in_whatever_order_people_were_read(chance: Random) -> None:
    story = any_story(chance)
    for _step in range(chance.randint(0, 6)):
        happens(story, story.step(), chance)
    ctx = replace(story.ctx, visit=story.visit, pools={})

    routed = decided(ctx, story.load)
    again = decided(ctx, story.load)
    story.everybody = tuple(chance.sample(story.everybody, len(story.everybody)))
    shuffled = decided(ctx, story.load)

    assert again == routed
    assert replace(shuffled, reasons=()) == replace(routed, reasons=())


@settings(max_examples=200, deadline=None)
@given(chances, st.text("12*#A", max_size=3), st.booleans())
def test_whatever_was_stored_of_a_call_is_answered(chance: Random, digits: str, hangup_requested: bool) -> None:
    """A step may find anything: its walk lost, its queue another, a previous decision that fits no place."""
    story = any_story(chance)
    gone = Destination(DestinationKind.QUEUE, 9)
    before = [None, Ring((), 20), Wait(20), Gather(5, "", 5), Gather(9, "", 5), Voicemail(), Say("x"), Hangup()]
    walks = [None, *(Walk(place, NOW, "es") for place in (NOWHERE, gone, any_place(chance)))]
    ctx = replace(
        story.ctx,
        previous=chance.choice(before),
        walk=chance.choice(walks),
        visit=chance.choice([None, *(Visit("me", queue_id, NOW, 0) for queue_id in (*QUEUES, 9))]),
        now=NOW + seconds(chance.randint(-60, 6000)),
        hangup_requested=hangup_requested,
        dial=chance.choice([None, *DialStatus]),
        digits=digits,
    )

    routed = decided(ctx, story.load)

    check_sentences(routed)
    assert routed.reasons
    assert not hangup_requested or routed.decision == Hangup()
