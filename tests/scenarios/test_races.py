"""What happens at the same moment, in threads and connections of their own: a call has one offer, an agent too."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.db import connections
from django.utils import timezone

from agents.models import Activity, Agent
from telephony.models import Offer, QueueVisit
from telephony.operations.dispatch import agent_freed
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests import cast
from tests.scenarios.line import Caller, Document, Line, step_of
from tests.scenarios.test_queues import API, LEGS, moved_to, waits
from tests.telnyx_post import Telnyx

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_S = 30
ROUNDS = 5


@pytest.fixture
def client() -> TelnyxClient:
    return TelnyxClient(Transport(api_key="KEY", base_url=API, sleep=lambda seconds: None))


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def at_once(*wishes: Callable[[], Any]) -> list[Any]:
    """Do all of it at the same moment, each in a thread and a connection of its own; return what came of each."""
    start = threading.Barrier(len(wishes))

    def do(wish: Callable[[], Any]) -> Any:
        try:
            start.wait(WAIT_S)
            return wish()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(wishes)) as threads:
        done: list[Future[Any]] = [threads.submit(do, wish) for wish in wishes]
        return [one.result(WAIT_S) for one in done]


def nobody_is_in_two_offers() -> None:
    live = list(Offer.objects.filter(outcome=Offer.Outcome.PENDING).values_list("call_id", "agent_id"))
    assert max(Counter(agent_id for _call_id, agent_id in live).values(), default=0) <= 1
    held = set(Agent.objects.filter(activity=Activity.RESERVED).values_list("busy_call_id", "id"))
    assert held == set(live), "whoever is offered a call is held by it, and nobody else is held"


def test_a_new_call_a_tick_and_an_agent_who_becomes_free_share_one_agent(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, json={})
    for _ in range(ROUNDS):
        line = Line(telnyx)
        line.everybody_is(Activity.ON_CALL)
        (agent,) = line.agents
        waiting = line.caller()
        new = Caller(telnyx, cast.make_number(line.company, agent=agent).e164)
        line.frees(agent)

        at_once(new.calls, waiting.goes_on, lambda agent=agent: agent_freed(agent.pk, client, timezone.now()))  # type: ignore[misc]

        nobody_is_in_two_offers()
        rings = Offer.objects.get(agent=agent).call_id
        assert rings in {new.call.pk, waiting.call.pk}


def test_two_agents_who_become_free_at_the_same_moment_get_a_caller_each(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, json={})
    for _ in range(ROUNDS):
        line = Line(telnyx, agents=2, strategy="longest_idle")
        line.everybody_is(Activity.ON_CALL)
        callers = [line.caller() for _ in range(3)]
        for agent in line.agents:
            line.frees(agent)

        at_once(*(lambda agent=agent: agent_freed(agent.pk, client, timezone.now()) for agent in line.agents))  # type: ignore[misc]

        nobody_is_in_two_offers()
        offered = set(Offer.objects.filter(agent__in=line.agents).values_list("call_id", flat=True))
        assert offered == {caller.call.pk for caller in callers[:2]}, "the two who waited longest"


def test_the_ticks_of_many_callers_and_many_agents_who_become_free_make_one_offer_each(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    api.post(LEGS, json={})
    line = Line(telnyx, agents=3, strategy="round_robin")
    line.everybody_is(Activity.ON_CALL)
    callers = [line.caller() for _ in range(4)]
    for agent in line.agents:
        line.frees(agent)

    frees = [lambda agent=agent: agent_freed(agent.pk, client, timezone.now()) for agent in line.agents]  # type: ignore[misc]
    at_once(*frees, *(caller.goes_on for caller in callers))

    nobody_is_in_two_offers()
    per_call = Counter(Offer.objects.filter(outcome="pending").values_list("call_id", flat=True))
    assert max(per_call.values()) == 1
    # Whom the crowd left over, the next tick finds.
    for caller in callers:
        if not Offer.objects.filter(call=caller.call, outcome="pending").exists():
            caller.goes_on()
    nobody_is_in_two_offers()
    assert Offer.objects.filter(outcome="pending").count() == 3
    assert QueueVisit.objects.filter(outcome="waiting").count() == 4


def test_the_same_tick_asked_twice_at_once_says_the_same(telnyx: Telnyx) -> None:
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    line.frees(line.agents[0])
    path = caller.document.next

    said = at_once(*(lambda: caller.goes_on(path).bytes for _ in range(4)))

    assert len(set(said)) == 1
    nobody_is_in_two_offers()
    assert Offer.objects.count() == 1


def test_music_that_ends_while_the_leg_is_moved_is_followed_by_a_little_more_and_then_by_one_dial(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    """Telnyx asks for the step before it has carried out the move, which would tear a ``<Dial>`` down."""
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    offered = caller.document.next
    heard: list[Document] = []

    def crosses(request: Any) -> tuple[int, dict[str, str], str]:
        heard.extend(at_once(lambda: caller.goes_on(offered)))
        return 200, {}, "{}"

    api.add_callback(responses.POST, LEGS, crosses)
    line.frees(line.agents[0])
    assert agent_freed(line.agents[0].pk, client, timezone.now()) == caller.call.pk
    (moved,) = moved_to(api)

    (music,) = heard
    assert music.verbs == ["Play", "Redirect"]
    assert step_of(music.next) == step_of(offered)
    assert caller.goes_on(moved).rung == [line.sip(line.agents[0])]
    assert caller.goes_on(music.next).bytes == caller.goes_on(moved).bytes


def test_a_leg_that_moves_before_we_hear_that_it_will_gets_its_dial_at_once(
    telnyx: Telnyx, client: TelnyxClient, api: responses.RequestsMock
) -> None:
    """Telnyx asks the new address while the answer to our request is still on its way."""
    line = Line(telnyx)
    line.everybody_is(Activity.ON_CALL)
    caller = line.caller()
    heard: list[Document] = []

    def moves(request: Any) -> tuple[int, dict[str, str], str]:
        heard.extend(at_once(lambda: caller.goes_on(moved_by(request))))
        return 200, {}, "{}"

    api.add_callback(responses.POST, LEGS, moves)
    line.frees(line.agents[0])
    agent_freed(line.agents[0].pk, client, timezone.now())

    assert heard[0].rung == [line.sip(line.agents[0])]
    assert not waits(caller)


def moved_by(request: Any) -> str:
    (url,) = parse_qs(request.body)["Url"]
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
