"""Pushes: what the pages are told, and how it gets to them without holding a request up.

A push is flat, in the past tense, and carries ids only: the page fetches the partial that an id names, and that fetch
passes the door of the company again. Whoever misses a push (socket down, queue full, Redis away) refetches later.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

if TYPE_CHECKING:
    import redis

logger = logging.getLogger(__name__)


class Event(NamedTuple):
    fields: tuple[str, ...]
    audience: str


#: Every type of push. A new one gets its row here in the commit that sends it.
EVENTS: Final[Mapping[str, Event]] = {
    "call.ringing": Event(("call_id",), "the agents offered, supervisors, company"),
    "call.answered": Event(("call_id",), "company"),
    "call.updated": Event(("call_id",), "company"),
    "call.ended": Event(("call_id",), "company"),
    "offer.ended": Event(("call_id", "outcome"), "that agent"),
    "repair.made": Event(("call_id",), "supervisors"),
    "outbound.refused": Event((), "supervisors"),
    "recording.pending": Event(("call_id", "recording_id"), "company"),
    "recording.stored": Event(("call_id", "recording_id"), "company"),
    "recording.failed": Event(("call_id", "recording_id"), "company"),
    "recording.deleted": Event(("call_id", "recording_id"), "company"),
    "transcript.saved": Event(("call_id",), "company"),
    "voicemail.changed": Event(("message_id", "box_id"), "company"),
    "agent.presence": Event(("agent_id", "presence"), "that agent, supervisors"),
    "agent.intent": Event(("agent_id",), "that agent"),
    "number_order.changed": Event(("order_id",), "supervisors"),
    "phone.claimed": Event(("claimed_us", "phone_id"), "that agent"),
}

#: A second of the busiest hour that was designed for; older pushes than that are worth nothing.
QUEUE_LENGTH: Final = 2_000
#: How many pushes share a round trip at the most, and how long the first of them waits for the others. Nobody sees a
#: hundredth of a second; the processor time of a push falls to a third.
BATCH: Final = 200
GATHER_S: Final = 0.01
#: Redis answers a publish in well under a millisecond: past this it is away, and the push with it.
DELIVERY_TIMEOUT_S: Final = 2.0


class Message(NamedTuple):
    groups: tuple[str, ...]
    event: dict[str, str]


def company_group(company_id: int) -> str:
    return f"company.{company_id}"


def supervisors_group(company_id: int) -> str:
    return f"supervisors.{company_id}"


def agent_group(agent_id: int) -> str:
    return f"agent.{agent_id}"


def send(type: str, *, groups: Iterable[str], **fields: object) -> None:
    """Tell everybody in ``groups``, once the current transaction has committed (at once outside of one).

    Adds ``at`` (ISO 8601, UTC). Never raises and never waits: a push that cannot go is dropped and logged.
    """
    known = EVENTS.get(type)
    if known is None or set(known.fields) != set(fields):
        logger.error("Push %s with fields %s is not in the table", type, sorted(fields))
        return
    event = {"type": type, **{name: str(value) for name, value in fields.items()}}
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    message = Message(tuple(dict.fromkeys(groups)), event)
    transaction.on_commit(partial(_outbox.put, message), robust=True)


def flush(timeout_s: float) -> bool:
    """Wait until everything that was sent has left, or the time is over; say which. For tests and shut-down."""
    return _outbox.wait_until_empty(timeout_s)


def deliver(messages: Sequence[Message]) -> None:
    """Publish the messages to their groups, all in one round trip. Raises whatever Redis raises.

    What ``RedisPubSubChannelLayer.group_send`` does, without its event loop, whose work for one push cost as much
    processor time as the rest of an inbound call. A test holds the names of the channels equal to the layer's.
    """
    # Here, and not above: commands that push nothing need not carry the client, a tenth of their memory.
    from channels_redis.pubsub import RedisPubSubChannelLayer

    layer = get_channel_layer()
    if not isinstance(layer, RedisPubSubChannelLayer):
        raise RuntimeError("CHANNEL_LAYERS has no default that publishes by Redis")
    (url,) = _layer_setting("hosts")
    pipeline = _redis(url).pipeline(transaction=False)
    for message in messages:
        body = layer.serialize({"type": "push", "event": message.event})
        for group in message.groups:
            pipeline.publish(group_channel(group), body)
    pipeline.execute()


def group_channel(group: str) -> str:
    """Return the Redis channel on which the channel layer's consumers hear a group."""
    return f"{_layer_setting('prefix')}__group__{group}"


def _layer_setting(name: str) -> Any:
    layer: dict[str, Any] = dict(settings.CHANNEL_LAYERS["default"])
    return layer["CONFIG"][name]


@cache
def _redis(url: str) -> redis.Redis:
    timeout_s = DELIVERY_TIMEOUT_S
    import redis

    return redis.Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)


class Outbox:
    """A bounded queue, drained by one daemon thread with a Redis connection of its own.

    The thread starts with the first message, so a process that forks (Celery's prefork) starts it in the child.
    """

    def __init__(self, length: int = QUEUE_LENGTH) -> None:
        self._queue: queue.Queue[Message] = queue.Queue(maxsize=length)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def put(self, message: Message) -> None:
        try:
            self._queue.put_nowait(message)
        except queue.Full:
            logger.warning("Push %s dropped: %s wait already", message.event["type"], self._queue.maxsize)
            return
        self._start()

    def wait_until_empty(self, timeout_s: float) -> bool:
        with self._queue.all_tasks_done:
            return self._queue.all_tasks_done.wait_for(lambda: self._queue.unfinished_tasks == 0, timeout_s)

    def _start(self) -> None:
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._drain, name="push", daemon=True)
                self._thread.start()

    def _drain(self) -> None:
        while True:
            first = self._queue.get()
            time.sleep(GATHER_S)
            messages = [first, *self._waiting()]
            try:
                deliver(messages)
            except Exception as err:
                # Pages refetch after a gap; what matters is that the next push is tried.
                logger.warning("%s push(es) not delivered: %s", len(messages), type(err).__name__)
            finally:
                for _ in messages:
                    self._queue.task_done()

    def _waiting(self) -> list[Message]:
        """Return what else waits, without waiting for it: under load many pushes share a round trip."""
        found: list[Message] = []
        with suppress(queue.Empty):
            while len(found) < BATCH:
                found.append(self._queue.get_nowait())
        return found


_outbox = Outbox()


def _forget_the_parents_thread() -> None:
    global _outbox
    _outbox = Outbox()
    _redis.cache_clear()


os.register_at_fork(after_in_child=_forget_the_parents_thread)
