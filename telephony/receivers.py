"""What telephony does when something below it changes: news travels up by signal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import receiver
from django.utils import timezone
from kombu.exceptions import OperationalError

from agents.models import Agent, Skill
from agents.operations import LOGGED_OUT, claim_phone
from agents.signals import freed
from curbe.companies.models import Company, User
from telephony.models import (
    BusinessHours,
    CallQueue,
    Menu,
    MenuOption,
    QueueSkill,
    RecordingRule,
    SipEndpoint,
    SpecialDate,
    VoicemailBox,
)
from telephony.operations import dispatch, plans
from telephony.signals import commands_wanted
from telephony.tasks import delete_credential, make_endpoint, offer_waiting_call, revoke_endpoint, run_commands

logger = logging.getLogger(__name__)


@receiver(post_save, sender=Agent, dispatch_uid="telephony.an_agent_gets_a_credential")
def an_agent_gets_a_credential(instance: Agent, created: bool, raw: bool = False, **_: Any) -> None:
    """Queue the making of a new agent's credential, so that it is there before his first log-in."""
    if created and not raw and instance.is_active:
        transaction.on_commit(partial(_queue, instance.pk), robust=True)


def _queue(agent_id: int) -> None:
    try:
        make_endpoint.apply_async(kwargs={"agent_id": agent_id}, queue="calls")
    except OperationalError:
        # The first token makes it instead, and the reconciler before that.
        logger.warning("The broker is away: agent %s gets his credential later", agent_id)


@receiver(post_save, sender=Agent, dispatch_uid="telephony.who_answers_no_more_has_no_credential")
def who_answers_no_more_has_no_credential(instance: Agent, created: bool, raw: bool = False, **_: Any) -> None:
    """Put off the phone of an agent who was switched off, and have his credential deleted."""
    if not created and not raw and not instance.is_active:
        transaction.on_commit(partial(_put_off, instance.pk), robust=True)


@receiver(post_save, sender=User, dispatch_uid="telephony.who_may_not_log_in_has_no_credential")
def who_may_not_log_in_has_no_credential(instance: User, created: bool, raw: bool = False, **_: Any) -> None:
    if created or raw or instance.is_active:
        return
    for agent_id in instance.agents.order_by("id").values_list("id", flat=True):
        transaction.on_commit(partial(_put_off, agent_id), robust=True)


def _put_off(agent_id: int) -> None:
    if not SipEndpoint.objects.filter(agent=agent_id).exists():
        return
    # Every open tab is told that it is logged out; a call that is up there is finished first.
    claim_phone(agent_id=agent_id, phone_id=LOGGED_OUT, take_over=True, now=timezone.now())
    try:
        revoke_endpoint.apply_async(kwargs={"agent_id": agent_id}, queue="calls")
    except OperationalError:
        logger.warning("The broker is away: the reconciler deletes the credential of agent %s", agent_id)


@receiver(pre_delete, sender=Agent, dispatch_uid="telephony.a_credential_goes_with_its_agent")
def a_credential_goes_with_its_agent(instance: Agent, **_: Any) -> None:
    endpoint = SipEndpoint.objects.filter(agent=instance).first()
    if endpoint is not None:
        transaction.on_commit(partial(_delete_credential, endpoint.telnyx_credential_id), robust=True)


def _delete_credential(credential_id: str) -> None:
    try:
        delete_credential.apply_async(kwargs={"credential_id": credential_id}, queue="calls")
    except OperationalError:
        logger.warning("The broker is away: the audit finds credential %s, which nobody has any more", credential_id)


@receiver(freed, dispatch_uid="telephony.a_free_agent_is_offered_who_waits")
def a_free_agent_is_offered_who_waits(agent_ids: Sequence[int], **_: Any) -> None:
    """Queue the look for a caller who waits. A broker that is away delays it until the caller's next tick."""
    for agent_id in dispatch.awaited_agents(agent_ids):
        try:
            offer_waiting_call.apply_async(kwargs={"agent_id": agent_id}, queue="calls", expires=OFFER_EXPIRES_S)
        except OperationalError:
            logger.warning("The broker is away: whoever waits finds the agents who became free by himself")
            # A request of Telnyx may be waiting for us, and each further try would cost it 0.3 s.
            return


@receiver(commands_wanted, dispatch_uid="telephony.commands_are_carried_out")
def commands_are_carried_out(call_id: UUID, **_: Any) -> None:
    """Queue what a conversation asks of Telnyx. A broker that is away delays it until the beat's next run."""
    try:
        run_commands.apply_async(kwargs={"call_id": str(call_id)}, queue="calls")
    except OperationalError:
        logger.warning("The broker is away: commands of call %s wait for the next run of the beat", call_id)


#: By then every caller has asked by himself.
OFFER_EXPIRES_S: Final = 20

#: What a plan is compiled from → the company whose plan it is.
_PARTS_OF_A_PLAN: Final[dict[type[Model], Callable[[Any], int]]] = {
    Company: lambda row: int(row.pk),
    BusinessHours: lambda row: int(row.company_id),
    SpecialDate: lambda row: int(row.hours.company_id),
    CallQueue: lambda row: int(row.company_id),
    QueueSkill: lambda row: int(row.queue.company_id),
    Menu: lambda row: int(row.company_id),
    MenuOption: lambda row: int(row.menu.company_id),
    RecordingRule: lambda row: int(row.company_id),
    Skill: lambda row: int(row.company_id),
    VoicemailBox: lambda row: int(row.company_id),
}


def _a_part_of_a_plan_changed(
    sender: type[Model], instance: Model, raw: bool = False, origin: object = None, **_: Any
) -> None:
    """Compile the plan anew in the transaction that changed one of its parts; not of a company that is going."""
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if not raw and deleted is not Company:
        plans.publish(_PARTS_OF_A_PLAN[sender](instance))


for _part in _PARTS_OF_A_PLAN:
    post_save.connect(_a_part_of_a_plan_changed, sender=_part, dispatch_uid=f"telephony.plan.saved.{_part.__name__}")
    post_delete.connect(_a_part_of_a_plan_changed, sender=_part, dispatch_uid=f"telephony.plan.gone.{_part.__name__}")
