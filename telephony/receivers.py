"""What telephony does when something below it changes: news travels up by signal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from agents.models import Agent, Skill
from agents.signals import freed
from curbe.companies.models import Company
from telephony.models import BusinessHours, CallQueue, Menu, MenuOption, QueueSkill, SpecialDate, VoicemailBox
from telephony.operations import dispatch, plans
from telephony.signals import commands_wanted
from telephony.tasks import make_endpoint, offer_waiting_call, run_commands

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
