"""What the worker does for calls. Every task is safe to run twice, and takes ids only."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final
from uuid import UUID

from celery import shared_task
from celery.signals import before_task_publish
from django.core.cache import cache
from django.utils import timezone

from agents.models import Agent
from curbe.companies.models import Company
from telephony.models import AccountAudit
from telephony.operations import audit_notice, audits, commands, dispatch, endpoints, ledger, wrap_ups
from telephony.operations.endpoints import NoConnection, ensure_endpoint
from telephony.operations.number_chores import finish_due
from telephony.operations.reconcile import reconcile_all
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: Three marks that beat sends every 10 s: /readyz calls a worker lost after that.
ALIVE_FOR_S: Final = 35
ENDPOINT_RETRIES: Final = 8
#: An account of 10,000 numbers takes seconds; Telnyx may ask us to wait between its pages.
AUDIT_LIMIT_S: Final = 15 * 60


@shared_task(autoretry_for=(TelnyxUnreachable, NoConnection), retry_backoff=5, max_retries=ENDPOINT_RETRIES)
def make_endpoint(*, agent_id: int, **_: object) -> None:
    """Give an agent his credential at Telnyx."""
    agent = Agent.objects.select_related("company").filter(pk=agent_id, is_active=True).first()
    if agent is not None:
        ensure_endpoint(agent, get_client())


@shared_task(autoretry_for=(TelnyxUnreachable,), retry_backoff=5, max_retries=ENDPOINT_RETRIES)
def revoke_endpoint(*, agent_id: int, **_: object) -> None:
    """Delete the credential of an agent who answers no more. During a call it is left to the reconciler."""
    agent = Agent.objects.select_related("user", "company").filter(pk=agent_id).first()
    if agent is None or (agent.is_active and agent.user.is_active):
        return
    with suppress(endpoints.IsTalking):
        endpoints.revoke_endpoint(agent, get_client())


@shared_task(autoretry_for=(TelnyxUnreachable,), retry_backoff=5, max_retries=ENDPOINT_RETRIES)
def delete_credential(*, credential_id: str, **_: object) -> None:
    """Delete a credential whose agent is gone."""
    get_client().delete_credential(credential_id)


@shared_task(soft_time_limit=AUDIT_LIMIT_S, time_limit=AUDIT_LIMIT_S + 30)
def run_audit(*, audit_id: int, fix: bool = False, company_id: int | None = None, **_: object) -> None:
    """Run an audit that a person asked for: of the whole account. A named company: only its lines are repaired."""
    audit = AccountAudit.objects.select_related("asked_by").filter(pk=audit_id, finished_at=None).first()
    if audit is None:
        return
    only = Company.objects.get(pk=company_id) if company_id else None
    with suppress(TelnyxError):  # What was wrong stands in its row.
        audits.run(audit, get_client().patient(), fix=fix, only=only)


@shared_task(soft_time_limit=AUDIT_LIMIT_S, time_limit=AUDIT_LIMIT_S + 30)
def audit_daily(**_: object) -> None:
    """Once a day compare the account with what Curbe needs, and say what is new."""
    now = timezone.now()
    if audit_notice.is_due(now):
        audit_notice.audit_and_tell(get_client().patient(), now)


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
def finish_number_orders(**_: object) -> None:
    """Go on with every number that is being bought or given back."""
    finish_due(get_client(), timezone.now())


@shared_task
def mark_alive(**_: object) -> None:
    """Leave the worker's mark, which /readyz reads."""
    cache.set("alive:worker", timezone.now().isoformat(), timeout=ALIVE_FOR_S)


@before_task_publish.connect(sender=mark_alive.name)
def mark_beat_alive(**_: object) -> None:
    """Leave beat's mark as it sends the task above: a worker that died must not look like a dead beat."""
    cache.set("alive:beat", timezone.now().isoformat(), timeout=ALIVE_FOR_S)
