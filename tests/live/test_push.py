"""curbe.lib.push: after the commit, in the background, and never in anybody's way."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Iterator, Sequence

import pytest
from channels.layers import get_channel_layer
from django.db import transaction

from curbe.lib import push
from curbe.lib.push import Message, Outbox


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Message]]:
    """Keep what would have gone to Redis."""
    messages: list[Message] = []

    monkeypatch.setattr(push, "deliver", messages.extend)
    monkeypatch.setattr(push, "_outbox", Outbox())
    yield messages


@pytest.mark.django_db(transaction=True)
def test_a_push_leaves_after_the_commit(delivered: list[Message]) -> None:
    with transaction.atomic():
        push.send("call.ended", groups=["company.1", "company.1", "agent.2"], call_id=7)
        assert push.flush(0.1)
        assert delivered == []

    assert push.flush(5)
    assert [(message.groups, message.event["call_id"]) for message in delivered] == [(("company.1", "agent.2"), "7")]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_told_to_nobody(delivered: list[Message]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        push.send("call.ended", groups=["company.1"], call_id=7)
        raise ZeroDivisionError

    assert push.flush(5)
    assert delivered == []


@pytest.mark.parametrize(("type", "fields"), [("call.vanished", {"call_id": 1}), ("call.ended", {"from": "+1305"})])
def test_a_push_that_is_not_in_the_table_is_an_error_in_the_log(
    delivered: list[Message], caplog: pytest.LogCaptureFixture, type: str, fields: dict[str, object]
) -> None:
    push.send(type, groups=["company.1"], **fields)

    assert delivered == []
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_full_queue_drops_and_does_not_wait(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    held = threading.Event()

    def wait_for_the_test(messages: Sequence[Message]) -> None:
        held.wait(5)

    monkeypatch.setattr(push, "deliver", wait_for_the_test)
    outbox = Outbox(length=2)
    for number in range(50):
        outbox.put(Message(("company.1",), {"type": "call.ended", "call_id": str(number)}))

    assert not held.is_set(), "nobody waited for the queue"
    assert any("dropped" in record.message for record in caplog.records)
    held.set()
    assert outbox.wait_until_empty(5)


def test_with_redis_away_the_sender_notices_nothing_and_the_next_push_is_tried(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[str] = []

    def refuse(messages: Sequence[Message]) -> None:
        tried.extend(message.event["call_id"] for message in messages)
        raise ConnectionError("Redis is away")

    monkeypatch.setattr(push, "deliver", refuse)
    outbox = Outbox()
    for number in ("1", "2"):
        outbox.put(Message(("company.1",), {"type": "call.ended", "call_id": number}))
        assert outbox.wait_until_empty(5)

    assert tried == ["1", "2"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.WARNING]


def test_what_waits_together_leaves_together(monkeypatch: pytest.MonkeyPatch) -> None:
    trips: list[int] = []
    first_is_on_its_way, go_on = threading.Event(), threading.Event()

    def slow(messages: Sequence[Message]) -> None:
        trips.append(len(messages))
        first_is_on_its_way.set()
        go_on.wait(5)

    monkeypatch.setattr(push, "deliver", slow)
    outbox = Outbox()
    outbox.put(Message(("company.1",), {"type": "call.ended", "call_id": "0"}))
    first_is_on_its_way.wait(5)
    for number in range(1, 31):
        outbox.put(Message(("company.1",), {"type": "call.ended", "call_id": str(number)}))
    go_on.set()

    assert outbox.wait_until_empty(5)
    assert trips == [1, 30]


def test_the_channel_of_a_group_is_the_one_that_the_channel_layer_listens_on() -> None:
    async def of_the_layer() -> str:
        layer = get_channel_layer()
        assert layer is not None
        return str(layer._get_group_channel_name("company.7"))

    assert asyncio.run(of_the_layer()) == push.group_channel("company.7")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_forked_sends_by_a_thread_of_its_own(delivered: list[Message]) -> None:
    outbox_before = push._outbox
    child = os.fork()
    if child == 0:
        # Celery's prefork: the parent's thread does not exist here.
        os._exit(0 if push._outbox is not outbox_before else 1)

    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
