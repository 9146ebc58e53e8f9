from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache, caches
from django.db import connections
from django.test import Client
from pytest_django import DjangoAssertNumQueries

MARKS = ("alive:worker", "alive:beat")


@pytest.fixture(autouse=True)
def marks_are_put_back() -> Iterator[None]:
    yield
    cache.delete_many(MARKS)


def ready() -> tuple[int, dict[str, str]]:
    answer = Client(raise_request_exception=False).get("/readyz")
    return answer.status_code, answer.json()


def everybody_is_alive() -> None:
    cache.set_many(dict.fromkeys(MARKS, "now"), timeout=30)


def test_alive_asks_nobody(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})
    assert not answer.cookies


def test_ready_names_each_part(db: None) -> None:
    everybody_is_alive()

    assert ready() == (
        200,
        {"status": "ready", "postgresql": "ok", "redis": "ok", "worker": "ok", "beat": "ok"},
    )


@pytest.mark.parametrize("part", ["worker", "beat"])
def test_a_part_that_left_no_mark_is_missing_and_named(db: None, part: str) -> None:
    everybody_is_alive()
    cache.delete(f"alive:{part}")

    status, parts = ready()

    assert status == 503
    assert {name for name, state in parts.items() if state == "missing"} == {part}


def test_without_redis_the_database_is_named_all_the_same(db: None, settings: object) -> None:
    nowhere = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    settings.CACHES = nowhere  # type: ignore[attr-defined]
    caches.close_all()

    status, parts = ready()

    assert status == 503
    assert parts == {
        "status": "not ready",
        "postgresql": "ok",
        "redis": "missing",
        "worker": "missing",
        "beat": "missing",
    }


@pytest.mark.django_db(transaction=True)
def test_without_the_database_redis_is_named_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    everybody_is_alive()
    connection = connections["default"]
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")

    status, parts = ready()

    monkeypatch.undo()
    assert status == 503
    assert (parts["postgresql"], parts["redis"]) == ("missing", "ok")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read(db: None, path: str) -> None:
    assert Client().post(path).status_code == 405
    assert Client().head(path).status_code in {200, 503}
