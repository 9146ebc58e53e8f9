"""WS /ws/live: who is let in, and who hears what."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import pytest
from pytest_django import Settings as SettingsWrapper

from agents.models import Agent
from curbe.companies.models import Company, User
from curbe.lib import push
from curbe.live import LIVED, NOBODY, LiveConsumer
from tests import cast
from tests.live.listening import HOST, Socket, in_another_thread, open_socket, run

# The consumer asks the database from a thread of its own: what it is to find must be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _our_address(settings: SettingsWrapper) -> None:
    settings.PUBLIC_URL = f"https://{HOST}"


@pytest.fixture(autouse=True)
def _our_channels(settings: SettingsWrapper) -> None:
    # The tests of other processes have companies of the same numbers, and push to the same Redis.
    layer = settings.CHANNEL_LAYERS["default"]
    config = {**layer["CONFIG"], "prefix": f"test-{uuid.uuid4()}"}
    settings.CHANNEL_LAYERS = {"default": {**layer, "CONFIG": config}}


async def tell(type: str, groups: Iterable[str], **fields: object) -> None:
    await in_another_thread(lambda: push.send(type, groups=groups, **fields))


def test_nobody_is_closed_with_4401() -> None:
    async def story() -> None:
        socket = Socket(None)
        assert await socket.connects()
        assert await socket.hears() == {"closed": NOBODY} == {"closed": 4401}

    run(story)


def test_a_person_without_a_company_is_closed_with_4401() -> None:
    stranger = cast.make_user(None, "stranger")

    async def story() -> None:
        socket = Socket(stranger)
        assert await socket.connects()
        assert await socket.hears() == {"closed": NOBODY}

    run(story)


def test_a_member_hears_the_company_and_nobody_elses(acme: Company, alice: User, mallory: User) -> None:
    async def story() -> None:
        ours, theirs = await open_socket(alice), await open_socket(mallory)
        await tell("call.ended", [push.company_group(acme.pk)], call_id="c1")

        event = await ours.hears()
        assert (event["type"], event["call_id"]) == ("call.ended", "c1")
        assert event["at"].endswith("+00:00")
        assert await theirs.hears_nothing()
        await ours.leave()
        await theirs.leave()

    run(story)


def test_an_agent_hears_what_is_for_that_agent(acme: Company, bob: User, sam: User) -> None:
    agent = bob.agents.get()

    async def story() -> None:
        bobs, sams = await open_socket(bob), await open_socket(sam)
        await tell("phone.claimed", [push.agent_group(agent.pk)], claimed_us=1, phone_id="other")

        assert (await bobs.hears())["phone_id"] == "other"
        assert await sams.hears_nothing()
        await bobs.leave()
        await sams.leave()

    run(story)


def test_supervisors_hear_presence_and_agents_do_not(acme: Company, bob: User, sam: User) -> None:
    async def story() -> None:
        bobs, sams = await open_socket(bob), await open_socket(sam)
        await tell("agent.presence", [push.supervisors_group(acme.pk)], agent_id=99, presence="AVAILABLE")

        assert (await sams.hears())["presence"] == "AVAILABLE"
        assert await bobs.hears_nothing()
        await bobs.leave()
        await sams.leave()

    run(story)


def test_an_agent_who_was_retired_hears_only_the_company(acme: Company, bob: User) -> None:
    agent = bob.agents.get()
    Agent.objects.filter(pk=agent.pk).update(is_active=False)

    async def story() -> None:
        socket = await open_socket(bob)
        await tell("phone.claimed", [push.agent_group(agent.pk)], claimed_us=1, phone_id="other")

        assert await socket.hears_nothing()
        await socket.leave()

    run(story)


def test_a_person_of_two_companies_hears_the_one_that_is_open(acme: Company, elsewhere: Company, bob: User) -> None:
    cast.make_membership(elsewhere, bob)

    async def story() -> None:
        socket = await open_socket(bob, company_public_id=elsewhere.public_id)
        await tell("call.ended", [push.company_group(acme.pk)], call_id="ours")
        await tell("call.ended", [push.company_group(elsewhere.pk)], call_id="theirs")

        assert (await socket.hears())["call_id"] == "theirs"
        await socket.leave()

    run(story)


def test_a_company_that_one_does_not_belong_to_cannot_be_opened(acme: Company, elsewhere: Company, bob: User) -> None:
    async def story() -> None:
        socket = await open_socket(bob, company_public_id=elsewhere.public_id)
        await tell("call.ended", [push.company_group(elsewhere.pk)], call_id="theirs")

        assert await socket.hears_nothing()
        await socket.leave()

    run(story)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.test", "https://voice.test.evil.test", "http://voice.test", "https://voice.test:8443", "null", None],
)
def test_a_page_of_another_origin_is_refused(alice: User, origin: str | None) -> None:
    async def story() -> None:
        assert not await Socket(alice, origin=origin).connects()

    run(story)


@pytest.mark.parametrize(
    ("origin", "connects"),
    [("http://127.0.0.1:8310", True), ("http://127.0.0.1:8311", False), ("http://10.0.0.9:8310", False)],
)
def test_in_development_the_pages_of_the_same_host_may_listen(
    alice: User, settings: SettingsWrapper, origin: str, connects: bool
) -> None:
    settings.DEBUG, settings.PORT, settings.ALLOWED_HOSTS = True, 8310, ["127.0.0.1"]
    host = origin.removeprefix("http://").split(":")[0] + ":8311"

    async def story() -> None:
        assert await Socket(alice, origin=origin, host=host).connects() is connects

    run(story)


def test_a_ping_is_answered_and_anything_else_is_ignored(alice: User) -> None:
    async def story() -> None:
        socket = await open_socket(alice)
        await socket.say('{"type": "call.ended"}')
        await socket.say("ping")

        assert await socket.hears() == {"type": "pong"}
        await socket.leave()

    run(story)


def test_a_socket_passes_the_door_again_after_its_life(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveConsumer, "life_s", 0.05)

    async def story() -> None:
        socket = await open_socket(alice)
        assert await socket.hears() == {"closed": LIVED}

    run(story)
