"""A broker that is away, or hangs, holds nobody: tasks are handed over at once or not at all."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import redis
from django.conf import settings
from kombu.exceptions import OperationalError
from kombu.utils.url import parse_url

from curbe.celery import SHORT_PATIENCE, App

#: A webhook that queues a recording has to be answered well before Telnyx asks again (2 s).
MOST_S = 0.5
NOBODYS_QUEUE = "tests.broker"


def an_app(url: str) -> App:
    app = App("away")
    app.conf.update(
        broker_url=url,
        broker_transport_options=settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        task_publish_retry=settings.CELERY_TASK_PUBLISH_RETRY,
    )
    return app


def seconds_until_refused(app: App) -> float:
    started = time.perf_counter()
    with pytest.raises(OperationalError):
        app.send_task("nobody.waits", queue="recordings")
    return time.perf_counter() - started


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where connections are taken and nothing is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def refused() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


class Freezing:
    """The real Redis behind a wire that can go dead while it is connected."""

    def __init__(self) -> None:
        self._redis = parse_url(settings.REDIS_URL)
        self._is_dead = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listening]
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def url(self) -> str:
        port = self._listening.getsockname()[1]
        return f"redis://:{self._redis['password'] or ''}@127.0.0.1:{port}/{self._redis['virtual_host'] or 0}"

    def freeze(self) -> None:
        self._is_dead.set()

    def close(self) -> None:
        for one in self._sockets:
            one.close()

    def _take(self) -> None:
        while True:
            try:
                near, _address = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection((self._redis["hostname"], self._redis["port"]))
            self._sockets += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while (piece := one.recv(65536)) and not self._is_dead.is_set():
                other.sendall(piece)
        except OSError:
            return


@pytest.fixture
def freezing() -> Iterator[Freezing]:
    with closing(Freezing()) as wire:
        yield wire
    with redis.Redis.from_url(settings.REDIS_URL) as direct:
        direct.delete(NOBODYS_QUEUE)


def test_a_broker_that_refuses_is_given_up_at_once(refused: int) -> None:
    app = an_app(f"redis://127.0.0.1:{refused}/0")

    assert seconds_until_refused(app) < MOST_S
    assert seconds_until_refused(app) < MOST_S


def test_a_broker_that_never_answers_is_given_up_at_once(silent: int) -> None:
    app = an_app(f"redis://:secret@127.0.0.1:{silent}/0")

    assert seconds_until_refused(app) < MOST_S
    assert seconds_until_refused(app) < MOST_S


def test_a_broker_that_goes_dead_while_connected_is_given_up_at_once(freezing: Freezing) -> None:
    app = an_app(freezing.url)
    app.send_task("nobody.takes.it", queue=NOBODYS_QUEUE)
    freezing.freeze()

    assert seconds_until_refused(app) < MOST_S
    assert seconds_until_refused(app) < MOST_S


def test_the_worker_that_listens_is_more_patient_than_whoever_hands_over() -> None:
    app = an_app("redis://127.0.0.1:1/0")

    assert SHORT_PATIENCE["socket_timeout"] < app.connection_for_read().transport_options["socket_timeout"]
    assert app.connection_for_write().transport_options["visibility_timeout"] == 600
