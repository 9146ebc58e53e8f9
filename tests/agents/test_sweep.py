from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Activity, Agent, Beat, Presence
from agents.operations import heartbeat, sweep
from agents.tasks import sweep_presence
from curbe.companies.models import Company
from tests.agents.people import agent_in, changes_of, company_of_agents


def test_a_silent_browser_takes_its_agent_offline_and_forgets_the_phone(
    company: Company, now: datetime, pushes: list[tuple[str, str]]
) -> None:
    silent = agent_in(company, now=now, beat_age_s=30, presence=Presence.AVAILABLE)
    alive = agent_in(company, now=now, beat_age_s=29.9)

    assert sweep(now) == 1

    silent.refresh_from_db()
    alive.refresh_from_db()
    assert (silent.presence, silent.presence_at) == (Presence.OFFLINE, now)
    assert alive.presence == Presence.AVAILABLE
    assert changes_of(silent) == [("AVAILABLE", "OFFLINE", "sweep")]
    assert Beat.objects.get(agent=silent).phone_id == ""
    assert pushes == [("agent.presence", "OFFLINE")]
    assert sweep(now) == 0


def test_a_lease_that_ran_out_frees_the_agent(company: Company, now: datetime) -> None:
    agent = agent_in(
        company,
        now=now,
        activity=Activity.RESERVED,
        busy_call_id=uuid4(),
        reserved_until=now,
        presence=Presence.RINGING,
    )
    still_ringing = agent_in(
        company, now=now, activity=Activity.RESERVED, busy_call_id=uuid4(), reserved_until=now + timedelta(seconds=1)
    )

    assert sweep(now) == 1

    agent.refresh_from_db()
    still_ringing.refresh_from_db()
    assert (agent.activity, agent.busy_call_id, agent.presence) == (Activity.IDLE, None, Presence.AVAILABLE)
    assert still_ringing.activity == Activity.RESERVED


def test_the_end_of_a_wrap_up_is_told(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, activity=Activity.WRAP_UP, wrap_up_until=now, presence=Presence.WRAP_UP)

    assert sweep(now) == 1

    assert changes_of(agent) == [("WRAP_UP", "AVAILABLE", "wrap_up_over")]


def test_a_call_outlives_the_browser(company: Company, now: datetime) -> None:
    call_id = uuid4()
    agent = agent_in(company, now=now, beat_age_s=300, activity=Activity.ON_CALL, busy_call_id=call_id)

    assert sweep(now) == 0

    agent.refresh_from_db()
    assert (agent.presence, agent.busy_call_id) == (Presence.ON_CALL, call_id)


def test_after_a_crash_of_the_database_everybody_is_offline_for_one_beat(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now)
    Beat.objects.all().delete()

    assert sweep(now) == 1
    assert changes_of(agent) == [("AVAILABLE", "OFFLINE", "sweep")]

    answer = heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, now=now)
    assert answer.presence == "AVAILABLE"


def test_agents_without_a_beat_are_looked_for_once_a_minute(company: Company, now: datetime) -> None:
    agent_in(company, now=now, beat_age_s=None, presence=Presence.AVAILABLE)
    seconds = (10, 20, 30, 40, 50)

    assert [sweep(now + timedelta(seconds=second)) for second in seconds] == [0] * 5
    assert sweep(now + timedelta(minutes=1, seconds=9)) == 1


def test_a_phone_forgotten_by_the_sweep_has_its_agent_back_with_its_next_beat(company: Company, now: datetime) -> None:
    agent = agent_in(company, now=now, beat_age_s=31, presence=Presence.AVAILABLE)
    sweep(now)

    answer = heartbeat(agent_id=agent.id, phone_id="phone-1", ready=True, microphone=True, now=now)

    assert (answer.presence, answer.phone) == ("AVAILABLE", "here")


@contextmanager
def refusing_to_write(agent: Agent) -> Iterator[None]:
    """Make the database fail on this one row, as a broken constraint or a damaged page would."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN IF NEW.id = {agent.id} THEN "
            "RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql"
        )
        cursor.execute("CREATE TRIGGER refuse BEFORE UPDATE ON agents_agent FOR EACH ROW EXECUTE FUNCTION refuse()")
        yield
        cursor.execute("DROP TRIGGER refuse ON agents_agent")
        cursor.execute("DROP FUNCTION refuse()")


def test_one_bad_row_costs_nobody_else_his_sweep(
    company: Company, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    agents = [agent_in(company, now=now, beat_age_s=60, presence=Presence.AVAILABLE) for _ in range(9)]
    bad = agents[4]

    with refusing_to_write(bad), caplog.at_level(logging.ERROR, logger="agents.operations"):
        assert sweep(now) == 8

    assert [record.args for record in caplog.records] == [(bad.id,)]
    left = Agent.objects.filter(presence=Presence.AVAILABLE).values_list("id", flat=True)
    assert list(left) == [bad.id]
    assert sweep(now) == 1


@pytest.mark.django_db(transaction=True)
def test_who_is_being_changed_by_another_is_left_for_the_next_sweep(now: datetime) -> None:
    company = company_of_agents()
    held = agent_in(company, now=now, beat_age_s=60, presence=Presence.AVAILABLE)
    other = agent_in(company, now=now, beat_age_s=60, presence=Presence.AVAILABLE)
    elsewhere = connection.copy()
    try:
        elsewhere.set_autocommit(False)
        with elsewhere.cursor() as cursor:
            cursor.execute("SELECT 1 FROM agents_agent WHERE id = %s FOR UPDATE", [held.id])

        assert sweep(now) == 1

        other.refresh_from_db()
        assert other.presence == Presence.OFFLINE
        elsewhere.rollback()
        assert sweep(now) == 1
    finally:
        elsewhere.close()


def test_a_batch_costs_the_same_statements_for_one_agent_and_for_many(
    company: Company, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(60):
        agent_in(company, now=now, beat_age_s=60, presence=Presence.AVAILABLE)

    # Who expired; savepoint and its release; lock, write, note the changes, forget the phones.
    with django_assert_max_num_queries(7):
        assert sweep(now) == 60


def test_the_task_sweeps_by_the_clock_of_the_machine_and_expires_before_the_next(company: Company) -> None:
    agent = agent_in(company, now=timezone.now(), beat_age_s=60, presence=Presence.AVAILABLE)

    sweep_presence()

    agent.refresh_from_db()
    assert agent.presence == Presence.OFFLINE
    assert sweep_presence.expires == 10


def test_a_thousand_of_many_are_swept_in_batches_that_read_nobody_else(
    company: Company, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    many(company, now, agents=5_000, silent=1_000)

    # One look-up, then two batches of 500 (`make bench` prints how long it takes with 100,000).
    with django_assert_max_num_queries(13):
        assert sweep(now) == 1_000

    assert Agent.objects.filter(presence=Presence.OFFLINE).count() == 1_000


def many(company: Company, now: datetime, *, agents: int, silent: int) -> None:
    """Make ``agents`` who are available, of whom ``silent`` stopped beating a minute ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH people AS (
                INSERT INTO companies_user (username, password, email, name, language, is_active, is_staff,
                                            is_superuser, date_joined)
                SELECT 'many-' || n, '', '', '', '', true, false, false, %(now)s
                  FROM generate_series(1, %(agents)s) AS n
                RETURNING id
            ), agents AS (
                INSERT INTO agents_agent (company_id, user_id, is_active, intent, activity, presence, idle_since,
                                          presence_at, created_at)
                SELECT %(company)s, id, true, 'AVAILABLE', 'IDLE', 'AVAILABLE', %(now)s, %(now)s, %(now)s FROM people
                RETURNING id
            )
            INSERT INTO agents_beat (agent_id, phone_id, last_seen_at, ready, microphone)
            SELECT id, 'phone', %(now)s - CASE WHEN row_number() OVER (ORDER BY id) <= %(silent)s
                                               THEN interval '60 s' ELSE interval '5 s' END, true, true
              FROM agents
            """,
            {"now": now, "agents": agents, "silent": silent, "company": company.id},
        )
        # Plans that this connection made when the tables were empty would read all of a table for each row.
        cursor.execute("ANALYZE companies_user, agents_agent, agents_beat")
