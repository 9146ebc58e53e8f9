"""What the worker does for calls. Every task is safe to run twice, and takes ids only."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from celery import shared_task
from celery.signals import before_task_publish
from django.core.cache import cache
from django.utils import timezone

from agents.models import Agent
from telephony.operations import commands, dispatch, ledger, wrap_ups
from telephony.operations.endpoints import NoConnection, ensure_endpoint
from telephony.operations.reconcile import reconcile_all
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxUnreachable

logger = logging.getLogger(__name__)

#: Three marks that beat sends every 10 s: /readyz calls a worker lost after that.
ALIVE_FOR_S: Final = 35
ENDPOINT_RETRIES: Final = 8


@shared_task(autoretry_for=(TelnyxUnreachable, NoConnection), retry_backoff=5, max_retries=ENDPOINT_RETRIES)
def make_endpoint(*, agent_id: int, **_: object) -> None:
    """Give an agent his credential at Telnyx."""
    agent = Agent.objects.select_related("company").filter(pk=agent_id, is_active=True).first()
    if agent is not None:
        ensure_endpoint(agent, get_client())


@shared_task
def offer_waiting_call(*, agent_id: int, **_: object) -> None:
    """Offer an agent who became free whoever waits for somebody like him."""
    dispatch.agent_freed(agent_id, get_client(), timezone.now())


@shared_task
def run_commands(*, call_id: str, **_: object) -> None:
    """Ask Telnyx for what one call's conversation needs; come back for what has to wait."""
    again_s = commands.run(UUID(call_id), get_client(), patience_ms=commands.WORKERS_PATIENCE_MS)
    if again_s is not None:
        run_commands.apply_async(kwargs={"call_id": call_id}, queue="calls", countdown=again_s)


@shared_task
def run_due_commands(**_: object) -> None:
    """Ask for what nobody came back for: the broker was away, or a worker died."""
    commands.run_due(get_client(), timezone.now())


@shared_task
def process_events(**_: object) -> None:
    """Act on events that were kept and not acted on yet."""
    ledger.process_due(timezone.now())


@shared_task
def reconcile(**_: object) -> None:
    """Ask Telnyx about everything that has gone silent."""
    reconcile_all(get_client(), timezone.now())


@shared_task
def end_wrap_ups(**_: object) -> None:
    """Write down which wrap-ups the clock has ended."""
    wrap_ups.end_overdue(timezone.now())


@shared_task
def mark_alive(**_: object) -> None:
    """Leave the worker's mark, which /readyz reads."""
    cache.set("alive:worker", timezone.now().isoformat(), timeout=ALIVE_FOR_S)


@before_task_publish.connect(sender=mark_alive.name)
def mark_beat_alive(**_: object) -> None:
    """Leave beat's mark as it sends the task above: a worker that died must not look like a dead beat."""
    cache.set("alive:beat", timezone.now().isoformat(), timeout=ALIVE_FOR_S)
