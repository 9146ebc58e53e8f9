"""The worker's tasks: each does its one thing, can run twice, and is told of by the beat's table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from celery import current_app
from celery.signals import before_task_publish
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from curbe.celery import SCHEDULE, app
from curbe.companies.models import Company
from recordings.models import Recording
from recordings.tasks import fetch_due, fetch_recording, find_missing
from telephony import tasks
from telephony.models import TelnyxEvent
from telephony.telnyx.errors import TelnyxUnreachable
from tests import cast

pytestmark = pytest.mark.django_db


def test_every_row_of_the_beats_table_is_a_task_that_exists() -> None:
    app.loader.import_default_modules()

    assert {row.task for row in SCHEDULE} <= set(app.tasks)


def test_events_that_were_left_are_acted_on(acme: Company) -> None:
    call = cast.make_call(acme)
    before = timezone.now() - timedelta(seconds=5)
    TelnyxEvent.objects.create(
        dedupe_key="k",
        kind="call.bridged",
        occurred_at=before,
        received_at=before,
        next_attempt_at=before + timedelta(seconds=2),
        call=call,
    )

    tasks.process_events()
    tasks.process_events()

    assert TelnyxEvent.objects.get().attempts == 1


def test_a_worker_and_a_beat_leave_marks_of_their_own(settings: Settings) -> None:
    # A cache of this test alone: another test that runs beside it asks the shared one who is alive.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "marks"}}

    tasks.mark_alive()
    assert cache.get("alive:worker") and not cache.get("alive:beat")

    # What beat does when it sends the task.
    before_task_publish.send(sender="telephony.tasks.mark_alive", body=None)
    assert cache.get("alive:beat")


def test_an_agent_who_is_gone_gets_no_credential() -> None:
    with patch("telephony.tasks.ensure_endpoint") as ensured:
        tasks.make_endpoint(agent_id=987654)

    ensured.assert_not_called()


def test_recordings_that_are_due_are_queued_and_the_others_are_not(
    acme: Company, django_capture_on_commit_callbacks: Any
) -> None:
    call, now = cast.make_call(acme), timezone.now()
    due, later = (
        Recording.objects.create(company=acme, call=call, telnyx_recording_id=name, next_attempt_at=moment)
        for name, moment in (("due", now), ("later", now + timedelta(minutes=5)))
    )

    with (
        patch.object(current_app, "send_task") as sent,
        django_capture_on_commit_callbacks(execute=True),
    ):
        fetch_due()

    assert [call.kwargs["kwargs"] for call in sent.call_args_list] == [{"recording_id": str(due.pk)}]
    assert later.next_attempt_at is not None


def test_looking_for_recordings_waits_for_telnyx(caplog: pytest.LogCaptureFixture) -> None:
    away = TelnyxUnreachable("GET /recordings", "away")

    with patch("recordings.tasks.search.find_missing", side_effect=away):
        find_missing()

    assert "Looking for recordings waits for Telnyx" in caplog.text


def test_the_task_that_is_queued_by_name_is_there() -> None:
    assert fetch_recording.name == "recordings.tasks.fetch_recording"
