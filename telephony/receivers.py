"""What telephony does when something below it changes: news travels up by signal."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from agents.models import Agent
from telephony.tasks import make_endpoint

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
