"""Celery: the worker's app, and everything that runs by the clock in one table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from celery import Celery
from kombu import Connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curbe.settings")


#: How long whoever hands over a task bears with the broker: one try, and 0.3 s for each answer. A web thread that waits
#: is a call that is not answered, and everything that is queued is also found by the clock.
SHORT_PATIENCE: Final[Mapping[str, Any]] = {"max_retries": 0, "socket_connect_timeout": 0.3, "socket_timeout": 0.3}


class App(Celery):
    """Celery that hands tasks over at once or not at all; the worker, which only listens, stays patient."""

    def connection_for_write(self, url: str | None = None, **kwargs: Any) -> Connection:
        patience = {**(kwargs.pop("transport_options", None) or {}), **SHORT_PATIENCE}
        return super().connection_for_write(url, transport_options=patience, **kwargs)


class Row(NamedTuple):
    task: str
    every_s: float
    queue: str
    why: str


# What a lost callback, or one that could not be acted on, leaves behind is over within 30 s: docs/architecture.md adds
# these periods up ("What is lost").
SCHEDULE: Final = (
    Row("agents.tasks.sweep_presence", 10, "calls", "A browser that died is offline after 30 s, and people are told."),
    Row("telephony.tasks.process_events", 3, "calls", "Events that could not get their lock, or await their call."),
    Row("telephony.tasks.run_due_commands", 3, "calls", "What conversations ask of Telnyx, if the broker was away."),
    Row("telephony.tasks.reconcile", 5, "calls", "Calls, offers, fresh recordings without news: Telnyx is asked."),
    Row("telephony.tasks.end_wrap_ups", 10, "calls", "Wrap-ups that the clock ended get their end, and a disposition."),
    Row("recordings.tasks.fetch_due", 5, "recordings", "Recordings whose fetch failed, or was never queued."),
    Row("recordings.tasks.find_missing", 15, "recordings", "Recordings that nobody told us of, of older calls."),
    Row("recordings.tasks.poll", 60, "recordings", "Recordings that no webhook announced, by Telnyx's own list."),
    Row("recordings.tasks.finish_deletions", 60, "recordings", "Deletions that storage or Telnyx did not carry out."),
    Row("recordings.tasks.delete_overdue", 3600, "recordings", "Recordings older than their company wants to keep."),
    Row("telephony.tasks.finish_number_orders", 5, "default", "Numbers bought or given back: what is open goes on."),
    Row(
        "telephony.tasks.audit_daily",
        3600,
        "default",
        "Is the last daily audit a day old? Beat may restart.",
    ),
    Row("recordings.tasks.settle_messages", 5, "recordings", "Messages that nobody listened to, or mailed."),
    Row("recordings.tasks.find_transcripts", 15, "recordings", "Texts of recordings that no callback brought."),
    Row("recordings.tasks.make_missing_waveforms", 60, "recordings", "Waveforms that were not made after the fetch."),
    Row("telephony.tasks.mark_alive", 10, "default", "Worker and beat are alive: /readyz reads the mark."),
)

app = App("curbe")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["agents", "telephony", "recordings"])
app.conf.beat_schedule = {
    row.task: {
        "task": row.task,
        "schedule": row.every_s,
        # A run that could not start before the next one is due is dropped: a late sweep helps nobody.
        "options": {"queue": row.queue, "expires": row.every_s},
    }
    for row in SCHEDULE
}
