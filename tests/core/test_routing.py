"""What a call meets next: the pure decision, case by case."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from telephony.core import explain
from telephony.core.hours import SpecialDate, Switch
from telephony.core.plan import (
    COMPANY,
    NOWHERE,
    VOICEMAIL,
    CompanyPlan,
    Destination,
    DestinationKind,
    MenuOption,
    MenuPlan,
    NumberPlan,
    QueuePlan,
    Requirement,
    Strategy,
    WhenClosing,
)
from telephony.core.routing import MAX_PLACES, decide
from telephony.core.types import (
    Candidate,
    Decision,
    DialStatus,
    Entered,
    Forward,
    Gather,
    Handled,
    Hangup,
    Left,
    Missing,
    Pool,
    Ring,
    RouteContext,
    Routed,
    Say,
    Sticky,
    Target,
    Visit,
    VisitOutcome,
    Voicemail,
    Wait,
    Walk,
    decision_as_json,
    decision_from_json,
)
from tests.core.routing_cast import (
    CLOSED,
    ENGLISH,
    FALLBACK,
    GOODBYE,
    MENU,
    MOBILE,
    NOW,
    OPEN,
    OTHER_QUEUE,
    QUEUE,
    SALES,
    SPANISH,
    USER,
    agent,
    away,
    busy,
    codes,
    context,
    decided,
    hours,
    next_context,
    offer,
    plan,
    queue,
    rung,
    seconds,
    waiting,
    why,
)

FORWARD = Forward(FALLBACK, 25)


# --- A user, and anybody of the company ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "people", "facts", "ends"),
    [
        (NOWHERE, [], {}, Say("unassigned")),
        (NOWHERE, [], {"fallback_number": FALLBACK}, Say("unassigned")),
        (USER, [agent(1)], {}, [1]),
        (USER, [busy(1)], {"fallback_number": FALLBACK}, FORWARD),
        (USER, [busy(1)], {}, Voicemail(box=USER)),
        (USER, [busy(1)], {"fallback_number": FALLBACK, "fallback_loops": True}, Voicemail(box=USER)),
        # He is gone: the number is assigned to nobody.
        (USER, [], {"fallback_number": FALLBACK}, Say("unassigned")),
        # Model A: one. Model B: several, the longest idle first. None, or all busy: fallback number or voicemail.
        (COMPANY, [agent(3)], {}, [3]),
        (COMPANY, [agent(1), agent(2, tier=9), busy(9)], {}, [2, 1]),
        (COMPANY, [agent(number) for number in range(1, 14)], {}, list(range(13, 3, -1))),
        (COMPANY, [busy(1)], {}, Voicemail()),
        (COMPANY, [busy(1), away(2)], {"fallback_number": FALLBACK}, FORWARD),
        (COMPANY, [], {}, Voicemail()),
        (MOBILE, [], {}, Forward(MOBILE.text, 25)),
        (VOICEMAIL, [], {"fallback_number": FALLBACK}, Voicemail()),
        (GOODBYE, [], {}, Say("own_words", GOODBYE.text)),
        # What has nothing to say or to ring is nowhere.
        (Destination(DestinationKind.SAY), [], {}, Voicemail()),
        (Destination(DestinationKind.NUMBER), [], {"fallback_number": FALLBACK}, FORWARD),
        (QUEUE, [agent(1)], {}, Voicemail(box=QUEUE)),
        (MENU, [], {"fallback_number": FALLBACK}, FORWARD),
    ],
)
def test_the_first_step_follows_the_plan(
    to: Destination, people: list[Candidate], facts: dict[str, Any], ends: Decision | list[int]
) -> None:
    routed = decided(context(plan(**facts), to, *people))

    assert (rung(routed) if isinstance(ends, list) else routed.decision) == ends


def test_a_ring_carries_what_the_browser_is_rung_with_and_the_company_s_ring_time() -> None:
    routed = decided(context(plan(), COMPANY, agent(1), agent(2)))

    assert isinstance(routed.decision, Ring)
    assert [target.sip_username for target in routed.decision.targets] == ["gencred2", "gencred1"]
    assert routed.decision.timeout_s == 20


def test_agents_idle_equally_long_ring_in_the_order_of_their_ids() -> None:
    since = NOW - seconds(60)
    three = [agent(number, idle_since=since) for number in (3, 1, 2)]

    assert rung(decided(context(plan(), COMPANY, *three))) == [1, 2, 3]


def test_an_agent_whom_another_call_claimed_is_left_out_and_the_reason_says_so() -> None:
    ctx = context(plan(), COMPANY, agent(1), agent(2), away(3), lost_claims=frozenset({2, 3}))

    routed = decided(ctx)

    assert rung(routed) == [1]
    assert codes(routed) == ["destination_company", "claimed", "offline", "rung"]


def test_of_more_than_ten_the_others_are_over_the_limit() -> None:
    routed = decided(context(plan(), COMPANY, *(agent(number) for number in range(1, 13))))

    assert [why(routed, number) for number in (1, 2, 3)] == ["over_limit", "over_limit", "rung"]


@pytest.mark.parametrize(
    ("offers", "ends"),
    [
        # The queue that the call comes from has asked some of them: others first.
        ([offer(3, "missed", ended_s_ago=60)], [2, 1]),
        ([offer(3, "declined", ended_s_ago=5), offer(2, "withdrawn"), offer(1, "missed", ended_s_ago=60)], [2, 1]),
        ([offer(n, "declined", ended_s_ago=5) for n in (1, 2, 3)], Voicemail()),
        ([offer(n, "missed", ended_s_ago=60) for n in (1, 2, 3)], [3, 2, 1]),
    ],
)
def test_the_company_s_people_are_not_rung_twice_for_one_call_while_others_remain(
    offers: list[Any], ends: Decision | list[int]
) -> None:
    routed = decided(context(plan(), COMPANY, agent(1), agent(2), agent(3), offers=tuple(offers)))

    assert (rung(routed) if isinstance(ends, list) else routed.decision) == ends


RUNG = Ring((Target(1, "gencred1"),), 20)


@pytest.mark.parametrize(
    ("previous", "dial", "decision"),
    [
        (RUNG, DialStatus.COMPLETED, Hangup()),
        (RUNG, DialStatus.NO_ANSWER, Voicemail()),
        (RUNG, DialStatus.BUSY, Voicemail()),
        (RUNG, DialStatus.CANCELED, Voicemail()),
        (RUNG, DialStatus.FAILED, Voicemail()),
        (RUNG, DialStatus.UNKNOWN, Voicemail()),
        (RUNG, None, Voicemail()),
        (FORWARD, DialStatus.COMPLETED, Hangup()),
        (FORWARD, DialStatus.NO_ANSWER, Voicemail()),
        (Voicemail(), None, Say("message_kept")),
        (Say("message_kept"), None, Hangup()),
        (Hangup(), None, Hangup()),
        (Wait(20), None, Voicemail()),
        (Gather(5, "", 5), None, Voicemail()),
    ],
)
def test_every_end_of_a_step_has_a_next_one(previous: Decision, dial: DialStatus | None, decision: Decision) -> None:
    ctx = context(plan(), NOWHERE, previous=previous, dial=dial)

    assert decided(ctx).decision == decision


def test_a_call_that_somebody_asked_to_end_ends() -> None:
    ctx = context(plan(queue()), QUEUE, agent(1), previous=RUNG, dial=DialStatus.BUSY, hangup_requested=True)

    assert decided(ctx).decision == Hangup()


def test_people_that_were_not_read_yet_are_asked_for() -> None:
    for place in (USER, COMPANY, QUEUE):
        assert decide(context(plan(queue()), place, pools={})) == Missing(place)


# --- A queue: whom it rings ---------------------------------------------------------------------------------------


OF_COMPANY = ("fallback_number", "hours", "queues")
OF_QUEUE = {field.name for field in fields(QueuePlan)} - {"sticky"}


def at_queue(
    *people: Candidate, waited_s: float | None = None, pool: dict[str, Any] | None = None, **facts: Any
) -> RouteContext:
    """Return the context of a call at the queue: it joins, or it has waited so long already.

    ``facts`` are the company's, the queue's or the call's, by their names.
    """
    of_company = {name: facts.pop(name) for name in OF_COMPANY if name in facts}
    of_queue = {name: facts.pop(name) for name in OF_QUEUE if name in facts}
    the_plan = plan(queue(**of_queue, sticky=True), *of_company.pop("queues", ()), **of_company)
    facts["pools"] = {QUEUE: replace(Pool(people), **(pool or {}))}
    if waited_s is not None:
        came = NOW - seconds(waited_s)
        language = facts.get("number", NumberPlan(QUEUE)).language
        walk = Walk(QUEUE, came, language or "es", language_is_chosen=bool(language), hops=1)
        facts = {"walk": walk, "previous": Wait(20), "visit": Visit("me", QUEUE.id, came, 0), **facts}
    return context(the_plan, QUEUE, **facts)


ONE_BY_ONE: dict[str, Any] = {"strategy": Strategy.LONGEST_IDLE}


@pytest.mark.parametrize(
    ("people", "facts", "rings"),
    [
        ([agent(1), agent(2)], {}, [2, 1]),
        ([agent(number) for number in range(1, 14)], {}, list(range(13, 3, -1))),
        ([agent(1), agent(2)], ONE_BY_ONE, [2]),
        ([agent(1), busy(2)], ONE_BY_ONE, [1]),
        ([agent(1), agent(2)], {**ONE_BY_ONE, "lost_claims": frozenset({2})}, [1]),
        ([agent(1), agent(2), agent(3)], {"strategy": Strategy.ROUND_ROBIN, "pool": {"cursor_agent_id": 2}}, [3]),
        # Never more offers than the queue allows, a ring group's included.
        ([agent(number) for number in range(1, 6)], {"max_offers": 3}, [5, 4, 3]),
    ],
)
def test_a_queue_rings_by_its_strategy(people: list[Candidate], facts: dict[str, Any], rings: list[int]) -> None:
    assert rung(decided(at_queue(*people, **facts))) == rings


def test_everybody_of_the_pool_is_accounted_for() -> None:
    people = [agent(1), agent(2), busy(3), away(4), agent(5, skills={}), agent(6, skills={SALES: 1})]
    people[:4] = [replace(one, skills={SALES: 1}) for one in people[:4]]

    routed = decided(at_queue(*people, **ONE_BY_ONE, requirements=(Requirement(SALES, "seguros"),)))

    assert {one.agent_id: why(routed, one.agent_id) for one in people} == {
        1: "comes_later",
        2: "comes_later",
        3: "busy",
        4: "offline",
        5: "no_skill",
        6: "rung",
    }


def test_who_can_be_rung_for_no_call_is_told_so_before_what_he_did_with_this_one() -> None:
    people = [agent(1, activity="NOT_RESPONDING"), agent(2), busy(3)]

    routed = decided(at_queue(*people, **ONE_BY_ONE, offers=missed(1, 2, 3, ago=0), waited_s=40))

    assert {number: why(routed, number) for number in (1, 2, 3)} == {
        1: "not_responding",
        2: "missed_before",
        3: "missed_before",
    }


def test_who_is_rung_carries_his_rank_and_the_strategy_that_made_it() -> None:
    routed = decided(at_queue(agent(1), agent(2), **ONE_BY_ONE))

    [reason] = [reason for reason in routed.reasons if reason["code"] == "rung"]
    assert isinstance(routed.decision, Ring)
    [target] = routed.decision.targets
    assert target.rank is not None
    assert reason["rank"] == list(target.rank.as_tuple()) == [1, -120, 0, -120, 0, 2]
    assert reason["strategy"] == "longest_idle"


def missed(*agents: int, ago: float = 60) -> tuple[Any, ...]:
    return tuple(offer(one, "missed", ended_s_ago=ago) for one in agents)


@pytest.mark.parametrize(
    ("offers", "rings"),
    [
        ((), [3]),
        (missed(3, ago=0), [2]),
        # His 10 seconds are over, but the others were not asked yet.
        (missed(3), [2]),
        (missed(3, 2), [1]),
        # Everybody was asked: from the front again.
        (missed(3, 2, 1), [3]),
        ((*missed(3, 2), *missed(1, ago=5)), [3]),
        ((*missed(2, 1), offer(3, "declined", ended_s_ago=29)), [2]),
        ((*missed(2, 1), offer(3, "declined", ended_s_ago=30)), [3]),
        # A phone that was lost, an offer that was withdrawn: rung, though not refused.
        ((offer(3, "device_lost", ended_s_ago=60),), [2]),
        ((offer(3, "withdrawn", ended_s_ago=1),), [2]),
        ((*missed(2, 1), offer(3, "withdrawn", ended_s_ago=1)), [3]),
        # Three times is enough.
        (missed(3, 3, 3, 2, 1), [2]),
    ],
)
def test_a_ladder_asks_everybody_once_before_anybody_twice(offers: tuple[Any, ...], rings: list[int]) -> None:
    ctx = at_queue(agent(1), agent(2), agent(3), **ONE_BY_ONE, waited_s=200, offers=offers, dial=DialStatus.NO_ANSWER)

    assert rung(decided(replace(ctx, previous=RUNG))) == rings


@pytest.mark.parametrize(
    ("offers", "then"),
    [
        # A lone agent who missed the call is offered it again after 10 seconds, who declined it after 30.
        (missed(1, ago=0), Wait(10)),
        (missed(1, ago=4), Wait(5)),
        ((offer(1, "declined"),), Wait(20)),
        ((offer(1, "declined", ended_s_ago=20),), Wait(10)),
        ((offer(1, "device_lost"),), Wait(10)),
        (missed(1, ago=10), [1]),
        (missed(1, 1), [1]),
        # Three times, and the queue gives up.
        (missed(1, 1, 1), VisitOutcome.OVERFLOW_WAIT),
    ],
)
def test_a_lone_agent_is_asked_again_and_not_for_ever(
    offers: tuple[Any, ...], then: Decision | list[int] | VisitOutcome
) -> None:
    routed = decided(at_queue(agent(1), waited_s=100, offers=offers, previous=RUNG, dial=DialStatus.NO_ANSWER))

    if isinstance(then, VisitOutcome):
        assert routed.visits == (Left(then),)
        assert "everybody_asked" in codes(routed)
    else:
        assert (rung(routed) if isinstance(then, list) else routed.decision) == then


def test_the_offers_of_a_visit_are_counted_and_not_those_of_another_queue_before() -> None:
    before = tuple(offer(one, "missed", ended_s_ago=500) for one in (4, 5, 6))
    here = missed(1, 2, ago=60)

    within = decided(at_queue(agent(1), agent(2), waited_s=100, offers=(*before, *here), max_offers=3))
    over = decided(at_queue(agent(1), agent(2), waited_s=100, offers=(*before, *here), max_offers=2))

    assert rung(within) == [2]
    assert over.visits == (Left(VisitOutcome.OVERFLOW_WAIT),)
    assert "offers_used_up" in codes(over)


def test_a_newcomer_leaves_the_agent_to_who_waits_longer() -> None:
    pool = {"waiting": (waiting("a", 30),), "size": 1}

    alone = decided(at_queue(agent(1), pool=pool))
    with_another = decided(at_queue(agent(1), agent(2), pool=pool))

    assert isinstance(alone.decision, Wait)
    assert why(alone, 1) == "for_who_waits_longer"
    # Ring all: the caller ahead needs one of them, and no more.
    assert rung(with_another) == [1]


@pytest.mark.parametrize(
    ("ahead", "rings"),
    [
        # He cannot be served by this agent, or may not have him, or came later: nothing is taken from him.
        (waiting("a", 30, language="en"), True),
        (waiting("a", 30, excluded=frozenset({1})), True),
        (waiting("a", 10), False),
        (waiting("a", 10, language="es"), False),
    ],
)
def test_an_agent_is_kept_only_for_whom_he_can_serve(ahead: Any, rings: bool) -> None:
    him = agent(1, skills={SPANISH: 3})

    routed = decided(at_queue(him, match_language=True, pool={"waiting": (ahead,), "size": 1}))

    assert isinstance(routed.decision, Ring) is rings


def test_who_waited_longer_takes_the_agent_before_one_who_came_later() -> None:
    pool = {"waiting": (waiting("a", 30),), "size": 2}

    assert rung(decided(at_queue(agent(1), pool=pool, waited_s=40))) == [1]


# --- A queue: language and skills ---------------------------------------------------------------------------------


SPEAKS_SPANISH = {"skills": {SPANISH: 3}}
SPEAKS_ENGLISH = {"skills": {ENGLISH: 3}}


def in_spanish(*people: Candidate, **facts: Any) -> RouteContext:
    return at_queue(*people, match_language=True, number=NumberPlan(QUEUE, language="es"), **facts)


@pytest.mark.parametrize(
    ("people", "facts", "then"),
    [
        ([agent(1, **SPEAKS_SPANISH), agent(2, **SPEAKS_ENGLISH)], {}, [1]),
        # All who speak it are busy: better wait than the wrong language.
        ([busy(1, **SPEAKS_SPANISH), agent(2, **SPEAKS_ENGLISH)], {}, Wait(20)),
        ([busy(1, **SPEAKS_SPANISH), agent(2, **SPEAKS_ENGLISH)], {"waited_s": 290}, Wait(10)),
        # Nobody at work speaks it: no silence.
        ([away(1, **SPEAKS_SPANISH), agent(2, **SPEAKS_ENGLISH)], {}, VisitOutcome.JOIN_EMPTY),
        ([away(1, **SPEAKS_SPANISH), agent(2, **SPEAKS_ENGLISH)], {"waited_s": 20}, VisitOutcome.LEAVE_EMPTY),
        ([agent(2, **SPEAKS_ENGLISH)], {"overflow_when_joining_empty": False}, VisitOutcome.JOIN_EMPTY),
        # The queue allows another language after a while.
        ([agent(2, **SPEAKS_ENGLISH)], {"relax_language": True}, Wait(20)),
        ([agent(2, **SPEAKS_ENGLISH)], {"relax_language": True, "waited_s": 50}, Wait(10)),
        ([agent(2, **SPEAKS_ENGLISH)], {"relax_language": True, "waited_s": 60}, [2]),
        ([agent(1, **SPEAKS_SPANISH), agent(2)], {"relax_language": True, "waited_s": 60}, [1, 2]),
        # … but the wait ends before: then it never does.
        ([agent(2)], {"relax_language": True, "max_wait_s": 45}, VisitOutcome.JOIN_EMPTY),
    ],
)
def test_spanish_goes_to_who_speaks_spanish(
    people: list[Candidate], facts: dict[str, Any], then: Decision | list[int] | VisitOutcome
) -> None:
    routed = decided(in_spanish(*people, **facts))

    if isinstance(then, VisitOutcome):
        assert routed.visits[-1] == Left(then)
        assert {"code": "nobody_with_language", "language": "es"} in routed.reasons
    else:
        assert (rung(routed) if isinstance(then, list) else routed.decision) == then


def test_nobody_at_work_at_all_is_what_the_reason_says_then() -> None:
    routed = decided(in_spanish(away(1, **SPEAKS_SPANISH)))

    assert routed.visits[-1] == Left(VisitOutcome.JOIN_EMPTY)
    assert "nobody_at_work" in codes(routed)


def test_a_skill_gives_way_while_the_caller_waits_and_the_reason_says_so() -> None:
    wants = (Requirement(SALES, "seguros", min_level=4),)
    him = agent(1, skills={SALES: 2})

    early = decided(at_queue(him, requirements=wants, waited_s=89))
    late = decided(at_queue(him, requirements=wants, waited_s=90))

    assert isinstance(early.decision, Wait)
    assert rung(late) == [1]
    assert {"code": "relaxed", "seconds": 90, "steps": 2} in late.reasons
    assert "relaxed" not in codes(decided(at_queue(him, waited_s=90)))


@pytest.mark.parametrize(
    ("skills_of", "requirements", "code"),
    [
        ({}, [("seguros", SALES, True)], "nobody_with_skill"),
        ({SALES: 1}, [("seguros", SALES, False)], "nobody_with_skill"),
        ({SALES: 1}, [("seguros", SALES, True)], ""),
    ],
)
def test_a_skill_that_nobody_at_work_will_ever_have_is_not_waited_for(
    skills_of: dict[int, int], requirements: list[tuple[str, int, bool]], code: str
) -> None:
    wants = tuple(Requirement(skill_id, name, 3, relaxable) for name, skill_id, relaxable in requirements)

    routed = decided(at_queue(busy(1, skills=skills_of), requirements=wants))

    assert isinstance(routed.decision, Wait) is (not code)
    assert not code or code in codes(routed)


def test_skills_that_only_two_people_have_between_them_are_said_to_be_had_by_nobody() -> None:
    wants = (Requirement(SALES, "seguros"), Requirement(34, "quejas"))

    routed = decided(at_queue(busy(1, skills={SALES: 5}), busy(2, skills={34: 5}), requirements=wants))

    assert "nobody_with_all_skills" in codes(routed)


@pytest.mark.parametrize(
    ("number_language", "contact_language", "hears", "chosen"),
    [("", "", "es", False), ("en", "", "en", True), ("", "en", "en", True), ("es", "en", "es", True)],
)
def test_a_caller_s_language_is_the_number_s_then_the_contact_s_then_the_company_s(
    number_language: str, contact_language: str, hears: str, chosen: bool
) -> None:
    number = NumberPlan(QUEUE, language=number_language)

    routed = decided(at_queue(agent(1), number=number, contact_language=contact_language))

    assert routed.walk is not None
    assert (routed.walk.language, routed.walk.language_is_chosen) == (hears, chosen)
    assert routed.visits == (Entered(QUEUE.id, 0, hears if chosen else ""),)


# --- A queue: waiting and leaving ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "facts", "outcome", "code"),
    [
        ([busy(1)], {}, None, "waits"),
        ([busy(1)], {"waited_s": 299}, None, "waits"),
        ([busy(1)], {"waited_s": 300}, VisitOutcome.OVERFLOW_WAIT, "waited_too_long"),
        ([busy(1)], {"pool": {"size": 50}}, VisitOutcome.OVERFLOW_FULL, "queue_full"),
        ([busy(1)], {"pool": {"size": 49}}, None, "waits"),
        # Who waits already is one of those who fill it.
        ([busy(1)], {"pool": {"size": 50}, "waited_s": 20}, None, "waits"),
        ([], {}, VisitOutcome.JOIN_EMPTY, "nobody_at_work"),
        ([away(1)], {}, VisitOutcome.JOIN_EMPTY, "nobody_at_work"),
        ([agent(1, intent="BREAK")], {}, VisitOutcome.JOIN_EMPTY, "nobody_at_work"),
        ([agent(1, activity="NOT_RESPONDING")], {}, VisitOutcome.JOIN_EMPTY, "nobody_at_work"),
        ([away(1)], {"overflow_when_joining_empty": False}, None, "waits"),
        ([agent(1, activity="WRAP_UP")], {}, None, "waits"),
        ([agent(1, activity="RESERVED")], {}, None, "waits"),
        ([away(1)], {"waited_s": 20}, VisitOutcome.LEAVE_EMPTY, "nobody_at_work"),
        ([away(1)], {"waited_s": 20, "overflow_when_joining_empty": False}, VisitOutcome.LEAVE_EMPTY, "nobody_at_work"),
        ([away(1)], {"waited_s": 20, "overflow_when_left_empty": False}, None, "waits"),
    ],
)
def test_a_queue_keeps_a_caller_or_lets_him_go(
    people: list[Candidate], facts: dict[str, Any], outcome: VisitOutcome | None, code: str
) -> None:
    routed = decided(at_queue(*people, **facts))

    left = [one.outcome for one in routed.visits if isinstance(one, Left)]
    assert left == ([outcome] if outcome else [])
    assert code in codes(routed)
    assert isinstance(routed.decision, Voicemail if outcome else Wait)


def test_a_full_queue_still_rings_for_a_newcomer_who_need_not_wait() -> None:
    routed = decided(at_queue(agent(1), pool={"size": 50}))

    assert isinstance(routed.decision, Ring)
    assert [type(change) for change in routed.visits] == [Entered]


@pytest.mark.parametrize(
    ("facts", "then"),
    [
        ({}, Voicemail()),
        ({"fallback_number": FALLBACK}, FORWARD),
        ({"fallback_number": FALLBACK, "overflow": VOICEMAIL}, Voicemail()),
        ({"overflow": MOBILE}, Forward(MOBILE.text, 25)),
        ({"overflow": GOODBYE}, Say("own_words", GOODBYE.text)),
        ({"overflow": OTHER_QUEUE, "queues": (queue(id=8, name="ayuda"),)}, [4]),
        ({"overflow": COMPANY}, [4]),
        # What the plan names is gone.
        ({"overflow": OTHER_QUEUE, "fallback_number": FALLBACK}, FORWARD),
    ],
)
def test_an_overflow_leads_on(facts: dict[str, Any], then: Decision | list[int]) -> None:
    routed = decided(at_queue(busy(1), waited_s=300, **facts), lambda place: Pool((agent(4),)))

    assert routed.visits[0] == Left(VisitOutcome.OVERFLOW_WAIT)
    assert (rung(routed) if isinstance(then, list) else routed.decision) == then


def test_an_overflow_into_another_queue_ends_one_visit_and_begins_another() -> None:
    ctx = at_queue(busy(1), waited_s=300, overflow=OTHER_QUEUE, queues=(queue(id=8, name="ayuda", priority=2),))

    routed = decided(ctx, lambda place: Pool((busy(4),)))

    assert routed.visits == (Left(VisitOutcome.OVERFLOW_WAIT), Entered(8, 2, ""))
    assert routed.walk is not None
    assert routed.walk.place == OTHER_QUEUE


def test_a_queue_that_overflows_to_itself_ends_in_voicemail() -> None:
    routed = decided(at_queue(busy(1), waited_s=300, overflow=QUEUE))

    assert routed.decision == Voicemail(box=QUEUE)
    assert routed.visits == (Left(VisitOutcome.OVERFLOW_WAIT),)
    assert "goes_in_circles" in codes(routed)


def test_two_empty_queues_that_overflow_into_each_other_end_in_voicemail_each_visited_once() -> None:
    other = queue(id=8, name="ayuda", overflow=QUEUE)

    routed = decided(at_queue(away(1), overflow=OTHER_QUEUE, queues=(other,)))

    assert routed.decision == Voicemail(box=QUEUE)
    assert [one.queue_id for one in routed.visits if isinstance(one, Entered)] == [7, 8]


def test_a_caller_who_is_being_offered_is_not_waited_for_by_a_fuller_place() -> None:
    routed = decided(at_queue(busy(1), waited_s=30, pool={"waiting": (waiting("a", 50), waiting("b", 10)), "size": 4}))

    assert {"code": "waits", "name": "ventas", "position": 2, "seconds": 30} in routed.reasons


def test_a_waiting_caller_is_told_his_place_and_the_expected_wait() -> None:
    pool = {"waiting": (waiting("a", 50),), "size": 1, "handled": Handled(30, 100.0)}

    routed = decided(at_queue(busy(1), announce_every_s=60, pool=pool))

    assert routed.decision == Wait(20, position=2, minutes=4)


def test_past_the_longest_wait_only_those_are_rung_who_were_not_asked_yet() -> None:
    late = {"waited_s": 310, "previous": RUNG, "dial": DialStatus.NO_ANSWER, **ONE_BY_ONE}

    another = decided(at_queue(agent(1), agent(2), offers=missed(2, ago=20), **late))
    nobody_else = decided(at_queue(agent(1), agent(2), offers=missed(2, 1, ago=20), **late))

    assert rung(another) == [1]
    assert nobody_else.visits == (Left(VisitOutcome.OVERFLOW_WAIT),)


def test_a_conversation_that_the_dial_tells_of_first_ends_the_visit_as_answered() -> None:
    routed = decided(at_queue(busy(1), waited_s=30, previous=RUNG, dial=DialStatus.COMPLETED))

    assert routed.decision == Hangup()
    assert routed.visits == (Left(VisitOutcome.ANSWERED),)


def test_a_queue_that_is_deleted_under_its_callers_fails_their_visit() -> None:
    ctx = at_queue(busy(1), waited_s=30)

    routed = decided(replace(ctx, plan=plan()))

    assert routed.decision == Voicemail()
    assert routed.visits == (Left(VisitOutcome.FAILED),)


# --- Hours --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "facts", "then"),
    [
        (NumberPlan(COMPANY, 3), {"hours": OPEN}, [1]),
        (NumberPlan(COMPANY, 3), {"hours": CLOSED}, Voicemail()),
        (NumberPlan(COMPANY, 3), {"hours": CLOSED, "fallback_number": FALLBACK}, FORWARD),
        (NumberPlan(COMPANY, 3, when_closed=GOODBYE), {"hours": CLOSED}, Say("own_words", GOODBYE.text)),
        # Hours that are gone close nothing.
        (NumberPlan(COMPANY, 3), {}, [1]),
        (NumberPlan(NOWHERE, 3, when_closed=GOODBYE), {"hours": CLOSED}, Say("unassigned")),
    ],
)
def test_a_number_keeps_hours(number: NumberPlan, facts: dict[str, Any], then: Decision | list[int]) -> None:
    routed = decided(context(plan(**facts), COMPANY, agent(1), number=number))

    assert (rung(routed) if isinstance(then, list) else routed.decision) == then


@pytest.mark.parametrize(
    ("facts", "then"),
    [
        ({"hours": OPEN}, Wait),
        ({"hours": CLOSED}, Voicemail),
        ({"hours": CLOSED, "when_closed": GOODBYE, "overflow": MOBILE}, Say),
        # No place for closed hours of its own: as when it overflows.
        ({"hours": CLOSED, "overflow": MOBILE}, Forward),
        # Closing time: who waits is served …
        ({"hours": CLOSED, "waited_s": 30}, Wait),
        ({"hours": CLOSED, "waited_s": 30, "when_closing": WhenClosing.FINISH}, Wait),
        # … or sent on.
        ({"hours": CLOSED, "waited_s": 30, "when_closing": WhenClosing.OVERFLOW}, Voicemail),
        ({"hours": OPEN, "waited_s": 30, "when_closing": WhenClosing.OVERFLOW}, Wait),
    ],
)
def test_a_queue_keeps_hours(facts: dict[str, Any], then: type[Decision]) -> None:
    routed = decided(at_queue(busy(1), hours_id=3, **facts))

    assert isinstance(routed.decision, then)
    assert then is Wait or Left(VisitOutcome.CLOSED) in routed.visits


HOLIDAY = SpecialDate(NOW.month, NOW.day, name="Día de la Revolución")


@pytest.mark.parametrize(
    ("calendar", "reason"),
    [
        ({"switch": Switch.CLOSED}, {"code": "closed_switch", "name": "oficina"}),
        ({}, {"code": "closed_weekly", "name": "oficina"}),
        ({"special": (replace(HOLIDAY, name=""),)}, {"code": "closed_special", "name": "oficina"}),
        (
            {"special": (HOLIDAY,)},
            {"code": "closed_on_named_date", "name": "oficina", "date": "Día de la Revolución"},
        ),
    ],
)
def test_why_it_is_closed_is_said(calendar: dict[str, Any], reason: dict[str, str]) -> None:
    closed = {3: replace(hours(Switch.NONE), **calendar)}

    routed = decided(context(plan(hours=closed), COMPANY, agent(1), number=NumberPlan(COMPANY, 3)))

    assert routed.reasons[0] == reason
    assert "?" not in explain.sentences(routed.reasons, "es")[0]


# --- Whom the caller knows ----------------------------------------------------------------------------------------


OWNER, LAST = Sticky(1, "owner"), Sticky(2, "last")


@pytest.mark.parametrize(
    ("people", "facts", "then"),
    [
        ([agent(1), agent(2), agent(3)], {"sticky": (OWNER, LAST)}, [1]),
        ([agent(1), agent(2), agent(3)], {"sticky": (LAST,)}, [2]),
        # Also in a ring group, and ahead of any order.
        ([agent(1, tier=9), agent(2), agent(3)], {"sticky": (OWNER,), "strategy": Strategy.RING_ALL}, [1]),
        # He is at work: he is waited for, though others are free …
        ([busy(1), agent(2), agent(3)], {"sticky": (OWNER,)}, Wait(20)),
        ([agent(1, activity="WRAP_UP"), agent(3)], {"sticky": (OWNER,), "waited_s": 20}, Wait(10)),
        ([busy(1), agent(2), agent(3)], {"sticky": (OWNER, LAST)}, Wait(20)),
        # … for 30 seconds at most.
        ([busy(1), agent(2), agent(3)], {"sticky": (OWNER,), "waited_s": 30}, [3]),
        ([busy(1), agent(2), agent(3)], {"sticky": (OWNER, LAST), "waited_s": 30}, [2]),
        # Never for somebody who is offline, on a break, not of this queue, or without the skill.
        ([away(1), agent(2), agent(3)], {"sticky": (OWNER,)}, [3]),
        ([away(1), agent(2), agent(3)], {"sticky": (OWNER, LAST)}, [2]),
        ([agent(1, intent="BREAK"), agent(3)], {"sticky": (OWNER,)}, [3]),
        ([agent(2), agent(3)], {"sticky": (OWNER,)}, [3]),
        # He declined, or missed it: the others.
        ([agent(1), agent(3)], {"sticky": (OWNER,), "waited_s": 5, "offers": (offer(1, "declined"),)}, [3]),
        ([busy(1), agent(3)], {"sticky": (OWNER,), "waited_s": 25, "offers": missed(1, ago=15)}, [3]),
    ],
)
def test_a_caller_has_the_agent_whom_he_knows(
    people: list[Candidate], facts: dict[str, Any], then: Decision | list[int]
) -> None:
    routed = decided(at_queue(*people, **{**ONE_BY_ONE, **facts}))

    assert (rung(routed) if isinstance(then, list) else routed.decision) == then


def test_nobody_waits_for_an_acquaintance_who_cannot_serve_the_call() -> None:
    wants = (Requirement(SALES, "seguros"),)

    assert rung(decided(at_queue(busy(1), agent(3, skills={SALES: 1}), requirements=wants, sticky=(OWNER,)))) == [3]


def test_a_queue_that_is_not_sticky_heeds_nobody() -> None:
    ctx = at_queue(agent(1), agent(3), **ONE_BY_ONE, sticky=(OWNER,))
    ctx = replace(ctx, plan=plan(queue(**ONE_BY_ONE, sticky=False)))

    assert rung(decided(ctx)) == [3]


# --- Menus --------------------------------------------------------------------------------------------------------


ENGLISH_MENU = MenuPlan(6, "english", {"en": "For sales, press one."}, (MenuOption("1", QUEUE),))
MAIN = MenuPlan(
    MENU.id,
    "principal",
    {"es": "Para ventas, marque uno.", "en": "For sales, press one."},
    (
        MenuOption("1", QUEUE),
        MenuOption("2", Destination(DestinationKind.MENU, 6), language="en"),
        MenuOption("3", NOWHERE),
        MenuOption("9", MENU),
    ),
    retries=2,
    on_timeout=MOBILE,
    on_wrong=GOODBYE,
)


def at_menu(menu: MenuPlan = MAIN, **facts: Any) -> RouteContext:
    return context(plan(queue(), menus=(menu, ENGLISH_MENU), **facts), MENU)


def keyed(ctx: RouteContext, *digits: str) -> Routed:
    """Return what is decided after these answers to one menu after another; an empty one is no digit."""
    routed = decided(ctx)
    for digit in digits:
        ctx = next_context(ctx, routed, after_s=5, digits=digit)
        routed = decided(ctx, lambda place: Pool((agent(1),)))
    return routed


SAID = Gather(5, "Para ventas, marque uno.", 5)


@pytest.mark.parametrize(
    ("digits", "then"),
    [
        ([], SAID),
        (["1"], [1]),
        (["2"], Gather(6, "For sales, press one.", 5, language="en")),
        (["2", "1"], [1]),
        (["3"], Voicemail()),
        (["9"], SAID),
        ([""], replace(SAID, again="no_digit")),
        (["7"], replace(SAID, again="wrong_digit")),
        (["", "7"], replace(SAID, again="wrong_digit")),
        (["7", "1"], [1]),
        # Said again twice; then the way out is that of the last answer.
        (["", "", ""], Forward(MOBILE.text, 25)),
        (["7", "7", "7"], Say("own_words", GOODBYE.text)),
        (["7", "7", ""], Forward(MOBILE.text, 25)),
        (["", "", "7"], Say("own_words", GOODBYE.text)),
        # A menu that is chosen anew is counted anew.
        (["", "", "9", ""], replace(SAID, again="no_digit")),
    ],
)
def test_a_menu_leads_where_its_digits_say(digits: list[str], then: Decision | list[int]) -> None:
    routed = keyed(at_menu(), *digits)

    assert (rung(routed) if isinstance(then, list) else routed.decision) == then


@pytest.mark.parametrize(
    ("facts", "digits", "then"),
    [
        ({"on_wrong": NOWHERE}, ["7", "7", "7"], Forward(MOBILE.text, 25)),
        ({"on_wrong": NOWHERE, "on_timeout": NOWHERE}, ["7", "7", "7"], Voicemail()),
        ({"retries": 0}, [""], Forward(MOBILE.text, 25)),
        # Without options it is an announcement: said once, and whatever is pressed leads on.
        ({"options": ()}, [], SAID),
        ({"options": ()}, [""], Forward(MOBILE.text, 25)),
        # Without a word it would be silence.
        ({"say": {}}, [], Forward(MOBILE.text, 25)),
        ({"say": {"es": " ", "en": ""}, "on_timeout": NOWHERE}, [], Voicemail()),
        # It lacks the caller's language and the company's: any other.
        ({"say": {"es": "", "en": "Press one."}}, [], Gather(5, "Press one.", 5, language="en")),
    ],
)
def test_a_menu_that_lacks_something_leads_on_all_the_same(
    facts: dict[str, Any], digits: list[str], then: Decision
) -> None:
    assert keyed(at_menu(replace(MAIN, **facts)), *digits).decision == then


@pytest.mark.parametrize(
    ("keys", "finish_on_key"), [("12", "#"), ("1#", "*"), ("#*", "0"), ("#*0123456789", "#"), ("", "#")]
)
def test_the_key_that_ends_the_input_is_none_of_the_choices(keys: str, finish_on_key: str) -> None:
    menu = replace(MAIN, options=tuple(MenuOption(key, QUEUE) for key in keys))

    decision = decided(at_menu(menu)).decision

    assert isinstance(decision, Gather)
    assert decision.finish_on_key == finish_on_key


def test_a_language_that_was_chosen_in_a_menu_is_that_of_who_answers() -> None:
    routed = keyed(at_menu(), "2", "1")

    assert routed.walk is not None
    assert (routed.walk.language, routed.walk.language_is_chosen) == ("en", True)
    assert routed.visits == (Entered(QUEUE.id, 0, "en"),)


def test_a_menu_that_is_deleted_under_its_callers_leads_to_the_fallback_number() -> None:
    ctx = at_menu(fallback_number=FALLBACK)
    after = next_context(ctx, decided(ctx), digits="1")

    assert decided(replace(after, plan=plan(fallback_number=FALLBACK))).decision == FORWARD


def test_a_digit_for_somebody_who_is_gone_leads_to_the_fallback_and_not_to_unassigned() -> None:
    menu = replace(MAIN, options=(MenuOption("1", USER),))
    ctx = at_menu(menu, fallback_number=FALLBACK)

    routed = decided(next_context(ctx, decided(ctx), digits="1"))

    assert routed.decision == FORWARD
    assert "user_gone" in codes(routed)


def test_a_plan_that_goes_in_circles_ends_in_voicemail() -> None:
    routed = keyed(at_menu(), *["9"] * (MAX_PLACES - 1))
    assert routed.decision == SAID

    routed = keyed(at_menu(), *["9"] * MAX_PLACES)

    assert routed.decision == Voicemail()
    assert "goes_in_circles" in codes(routed)


def test_an_unassigned_number_is_said_in_the_company_s_language() -> None:
    ctx = context(plan(), NOWHERE, number=NumberPlan(NOWHERE, language="en"), contact_language="en")

    assert decided(ctx).walk is None


# --- As JSON ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "decision",
    [
        Ring((Target(1, "gencred1"), Target(2, "gencred2")), 20),
        FORWARD,
        Wait(20, 3, 2),
        Gather(5, "Marque uno.", 5, "no_digit", "*"),
        Voicemail(90),
        Voicemail(box=QUEUE, words="Ventas no contesta.", language="es", transcribe=False),
        Voicemail(box=USER, play="/greetings/x.mp3"),
        Say("unassigned"),
        Say("own_words", "Llame mañana."),
        Hangup(),
    ],
    ids=str,
)
def test_a_stored_decision_is_read_back_as_it_was(decision: Decision) -> None:
    assert decision_from_json(decision_as_json(decision)) == decision


def test_what_is_no_decision_is_refused() -> None:
    with pytest.raises(ValueError, match="not a decision"):
        decision_from_json({"verb": "sing"})


def test_the_plan_of_a_company_without_queues_is_a_plan() -> None:
    assert decided(context(CompanyPlan(1, "es"), COMPANY, agent(1))).decision
