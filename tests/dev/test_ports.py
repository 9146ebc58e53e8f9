from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from curbe.dev import ports


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_open_and_not_free(listener: int) -> None:
    assert ports.is_open(listener)
    assert not ports.is_free(listener)


def test_the_remembered_port_is_kept_while_it_is_free() -> None:
    first = ports.choose(remembered=None)

    assert ports.is_free(first)
    assert ports.choose(remembered=first) == first


def test_a_remembered_port_that_somebody_took_is_replaced(listener: int) -> None:
    assert ports.choose(remembered=listener) != listener


def test_no_two_servers_get_the_same_port() -> None:
    first = ports.choose(remembered=None, rng=random.Random(7))

    assert ports.choose(remembered=None, taken={first}, rng=random.Random(7)) != first
    assert ports.choose(remembered=first, taken={first}) != first


def test_chosen_ports_lie_below_those_of_outgoing_connections() -> None:
    assert ports.choose(remembered=None) < 32768
