"""record keeps, process acts once, and nothing that fails takes anything else with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company
from telephony import handlers
from telephony.models import Call, TelnyxEvent
from telephony.operations import ledger
from telephony.operations.ledger import Processing
from tests import cast

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def record(key: str = "k", *, kind: str = "test.thing", **fields: object) -> TelnyxEvent | None:
    given = {"source": "callback", "occurred_at": NOW, "payload": {"CallSid": "v3:a"}, "now": NOW, **fields}
    return ledger.record(kind=kind, dedupe_key=key, **given)  # type: ignore[arg-type]


def recorded(key: str = "k", **fields: object) -> TelnyxEvent:
    event = record(key, **fields)  # type: ignore[arg-type]
    assert event is not None
    return event


@pytest.fixture
def acted() -> Iterator[list[str]]:
    """What the handler of ``test.thing`` was called for; a call from "trouble" makes it fail."""
    calls: list[str] = []

    def handler(event: TelnyxEvent, call: Call, now: datetime) -> None:
        calls.append(event.dedupe_key)
        if call.from_number == "trouble":
            call.caller_name = "half done"
            call.save(update_fields=["caller_name"])
            raise ValueError("cannot do that")

    handlers.register("test.thing", handler)
    yield calls
    handlers._HANDLERS.pop("test.thing")


@pytest.fixture
def call(acme: Company) -> Call:
    call = cast.make_call(acme)
    call.identifiers.create(kind="call_sid", value="v3:a")
    return call


@pytest.mark.django_db
class TestRecord:
    def test_an_event_is_kept_once(self) -> None:
        first, second = record(), record()

        assert first is not None and second is None
        assert TelnyxEvent.objects.get().pk == first.pk

    def test_a_time_that_cannot_be_is_our_own(self) -> None:
        assert recorded("a", occurred_at=None).occurred_at == NOW
        assert recorded("b", occurred_at=NOW - timedelta(days=900)).occurred_at == NOW
        assert recorded("c", occurred_at=NOW - timedelta(seconds=2)).occurred_at == NOW - timedelta(seconds=2)

    def test_what_is_returned_can_be_settled(self) -> None:
        event = recorded()

        ledger.settle(event, NOW)

        assert TelnyxEvent.objects.get().processed_at == NOW

    def test_keeping_costs_one_query(self, django_assert_num_queries: object) -> None:
        with django_assert_num_queries(1):  # type: ignore[operator]
            record()


@pytest.mark.django_db
class TestProcess:
    def test_an_event_meets_its_handler_once(self, call: Call, acted: list[str]) -> None:
        event = recorded()

        first, second = (ledger.process(event.pk, NOW) for _ in range(2))

        event.refresh_from_db()
        assert (first, acted) == (Processing.DONE, ["k"])
        assert second is Processing.BUSY
        assert (event.call_id, event.company_id, event.processed_at) == (call.pk, call.company_id, NOW)

    def test_an_event_whose_call_is_not_there_waits(self, acted: list[str], db: None) -> None:
        event = recorded()

        assert ledger.process(event.pk, NOW) is Processing.WAITING
        assert acted == []
        assert TelnyxEvent.objects.get().processed_at is None

    def test_the_call_that_comes_calls_its_events_in_their_order(self, acme: Company, acted: list[str]) -> None:
        recorded("later", occurred_at=NOW)
        recorded("earlier", occurred_at=NOW - timedelta(seconds=5))
        recorded("child", payload={"CallSid": "v3:x", "ParentCallSid": "v3:a"}, occurred_at=NOW - timedelta(seconds=2))
        recorded("another's", payload={"CallSid": "v3:b"})
        call = cast.make_call(acme)
        call.identifiers.create(kind="call_sid", value="v3:a")

        assert ledger.call_created(call.pk, NOW) == 3
        assert acted == ["earlier", "child", "later"]

    def test_a_failure_is_kept_with_the_event_and_undoes_the_handlers_work(self, call: Call, acted: list[str]) -> None:
        Call.objects.filter(pk=call.pk).update(from_number="trouble")
        event = recorded()

        assert ledger.process(event.pk, NOW) is Processing.FAILED

        event.refresh_from_db()
        call.refresh_from_db()
        assert (event.processed_at, event.attempts) == (None, 1)
        assert "ValueError: cannot do that" in event.error
        assert call.caller_name == ""

    def test_a_person_can_have_it_done_again(self, call: Call, acted: list[str]) -> None:
        Call.objects.filter(pk=call.pk).update(from_number="trouble")
        event = recorded()
        ledger.process(event.pk, NOW)
        Call.objects.filter(pk=call.pk).update(from_number="+13055551234")

        assert ledger.process_again(event.pk, NOW) is Processing.DONE

        event.refresh_from_db()
        assert (event.error, event.processed_at) == ("", NOW)

    def test_an_event_that_nobody_acts_on_is_done(self, db: None) -> None:
        event = recorded(kind="call.levitated")

        assert ledger.process(event.pk, NOW) is Processing.DONE


@pytest.mark.django_db
class TestTheWorker:
    def test_it_takes_what_is_left(self, call: Call, acted: list[str]) -> None:
        recorded("a")
        recorded("b")

        assert ledger.process_due(NOW + timedelta(seconds=5)) == 2
        assert sorted(acted) == ["a", "b"]

    def test_it_leaves_the_web_process_its_first_seconds(self, call: Call, acted: list[str]) -> None:
        recorded()

        assert ledger.process_due(NOW + timedelta(seconds=1)) == 0

    def test_it_waits_longer_after_each_failure_and_stops_in_the_end(self, call: Call, acted: list[str]) -> None:
        Call.objects.filter(pk=call.pk).update(from_number="trouble")
        recorded()
        for after_s in range(0, 10_000, 5):
            ledger.process_due(NOW + timedelta(seconds=after_s))

        assert len(acted) == ledger.MAX_ATTEMPTS
        left = TelnyxEvent.objects.get()
        assert (left.processed_at, left.next_attempt_at) == (None, None)

    def test_one_that_fails_does_not_stop_the_next(self, acme: Company, call: Call, acted: list[str]) -> None:
        Call.objects.filter(pk=call.pk).update(from_number="trouble")
        other = cast.make_call(acme)
        other.identifiers.create(kind="call_sid", value="v3:b")
        recorded("bad")
        recorded("good", payload={"CallSid": "v3:b"})

        assert ledger.process_due(NOW + timedelta(seconds=5)) == 1
        assert TelnyxEvent.objects.get(dedupe_key="good").processed_at is not None

    def test_an_event_without_a_call_is_given_up_after_an_hour_and_kept(self, acted: list[str], db: None) -> None:
        recorded()

        ledger.process_due(NOW + timedelta(minutes=59))
        assert TelnyxEvent.objects.get().error == ""

        ledger.process_due(NOW + timedelta(minutes=61))
        kept = TelnyxEvent.objects.get()
        assert "No call of ours" in kept.error
        assert kept.processed_at is None

    @pytest.mark.parametrize(
        ("age_s", "looks_again_after_s"),
        [(0, 2), (2, 5), (5, 10), (12, 30), (31, 120), (600, 1800), (3599, 3600), (3600, None)],
    )
    def test_an_event_without_a_call_looks_for_it_less_and_less_often(
        self, acted: list[str], db: None, age_s: float, looks_again_after_s: float | None
    ) -> None:
        event = recorded()

        assert ledger.process(event.pk, NOW + timedelta(seconds=age_s)) is Processing.WAITING

        event.refresh_from_db()
        after_s = (event.next_attempt_at - NOW).total_seconds() if event.next_attempt_at else None
        assert after_s == looks_again_after_s

    def test_what_waits_for_a_call_keeps_nobody_waiting(
        self, call: Call, acted: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each run takes ten, and twenty-five who wait came before the one that can be done."""
        monkeypatch.setattr(ledger, "BATCH", 10)
        monkeypatch.setattr(ledger, "LONGEST_RUN_S", 0.0)
        for number in range(25):
            recorded(f"foreign {number}", payload={"CallSid": f"v3:foreign-{number}"}, now=NOW - timedelta(minutes=5))
        recorded("ours", now=NOW - timedelta(minutes=1))

        runs = [ledger.process_due(NOW + timedelta(seconds=second)) for second in range(3)]

        assert (runs, acted) == ([0, 0, 1], ["ours"])

    def test_one_run_takes_all_that_is_due_and_the_next_has_nothing_to_read(
        self,
        call: Call,
        acted: list[str],
        monkeypatch: pytest.MonkeyPatch,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        # However slow the machine is.
        monkeypatch.setattr(ledger, "LONGEST_RUN_S", 600.0)
        for number in range(201):
            recorded(f"foreign {number}", payload={"CallSid": f"v3:foreign-{number}"}, now=NOW - timedelta(minutes=5))
        recorded("ours", now=NOW - timedelta(minutes=1))

        assert ledger.process_due(NOW) == 1
        assert acted == ["ours"]
        with django_assert_num_queries(1):
            ledger.process_due(NOW + timedelta(seconds=5))

    def test_what_a_worker_took_is_taken_by_nobody_else_until_he_must_be_dead(
        self, call: Call, acted: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        recorded()
        soon = NOW + timedelta(seconds=2)
        monkeypatch.setattr(ledger, "process", lambda event_id, now: Processing.BUSY)
        ledger.process_due(soon)
        monkeypatch.undo()

        assert ledger.process_due(soon + ledger.TAKEN_FOR / 2) == 0
        assert ledger.process_due(soon + ledger.TAKEN_FOR) == 1

    @pytest.mark.parametrize("asked", ["voice", "outbound"])
    def test_news_of_a_call_that_was_turned_away_is_done_with_at_once(
        self, acted: list[str], db: None, asked: str
    ) -> None:
        ledger.settle(recorded(f"{asked}|v3:a", kind=f"instruction.{asked}"), NOW)
        news = recorded()
        of_its_child = recorded("child", payload={"CallSid": "v3:x", "ParentCallSid": "v3:a"})

        outcomes = [ledger.process(event.pk, NOW) for event in (news, of_its_child)]

        assert outcomes == [Processing.DONE, Processing.DONE]
        assert acted == []
        assert not TelnyxEvent.objects.exclude(processed_at=NOW, next_attempt_at=None).exists()

    def test_news_of_a_call_that_was_taken_is_not_turned_away(self, call: Call, acted: list[str]) -> None:
        ledger.settle(recorded("voice|v3:a", kind="instruction.voice", call_id=call.pk), NOW)

        ledger.process(recorded().pk, NOW)

        assert acted == ["k"]

    def test_a_person_who_tries_again_puts_it_on_the_work_list_again(self, call: Call, acted: list[str]) -> None:
        Call.objects.filter(pk=call.pk).update(from_number="trouble")
        event = recorded()
        TelnyxEvent.objects.update(attempts=ledger.MAX_ATTEMPTS, next_attempt_at=None)

        ledger.process_again(event.pk, NOW)
        ledger.process_due(NOW + timedelta(seconds=ledger.PAUSES_S[1]))

        assert acted == ["k", "k"]


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_a_call_that_is_locked_too_long_is_left_to_the_worker(self, call: Call, acted: list[str]) -> None:
        event = recorded()
        locked, done = threading.Event(), threading.Event()

        def hold() -> None:
            with transaction.atomic():
                Call.objects.select_for_update().get(pk=call.pk)
                locked.set()
                done.wait(10)
            connections.close_all()

        holder = threading.Thread(target=hold)
        holder.start()
        assert locked.wait(10)
        began = timezone.now()

        outcome = ledger.process(event.pk, NOW)

        took = timezone.now() - began
        done.set()
        holder.join()
        assert outcome is Processing.BUSY
        assert took < timedelta(seconds=1.5)
        assert (TelnyxEvent.objects.get().attempts, acted) == (0, [])
        assert ledger.process(event.pk, NOW) is Processing.DONE

    def test_two_at_the_same_event_act_once(self, call: Call, acted: list[str]) -> None:
        event = recorded()
        barrier = threading.Barrier(4)
        outcomes: list[Processing] = []

        def act() -> None:
            barrier.wait(10)
            outcomes.append(ledger.process(event.pk, NOW))
            connections.close_all()

        threads = [threading.Thread(target=act) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert acted == ["k"]
        assert sorted(outcomes) == [Processing.BUSY, Processing.BUSY, Processing.BUSY, Processing.DONE]

    def test_the_lock_time_of_a_handler_does_not_outlive_it(self, call: Call, acted: list[str]) -> None:
        ledger.process(recorded().pk, NOW)

        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone()[0] == "0"
