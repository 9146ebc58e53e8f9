"""What happens to agents when something below them changes."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from agents.models import Agent
from curbe.companies.models import Membership


@receiver(post_delete, sender=Membership, dispatch_uid="agents.who_left_answers_no_more")
def who_left_answers_no_more(instance: Membership, **_: Any) -> None:
    """Ring nobody who is no longer a member. The row stays: calls name it."""
    Agent.objects.filter(company_id=instance.company_id, user_id=instance.user_id).update(is_active=False)
