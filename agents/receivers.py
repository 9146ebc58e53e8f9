"""What happens to agents when something below them changes."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from agents import operations
from agents.breaks import defaults_for
from agents.models import Agent, BreakReason
from curbe.companies.models import Company, Membership, User


@receiver(post_save, sender=Company, dispatch_uid="agents.a_new_company_has_reasons_for_breaks")
def a_new_company_has_reasons_for_breaks(instance: Company, created: bool, raw: bool = False, **_: Any) -> None:
    if created and not raw:
        BreakReason.objects.bulk_create(defaults_for(instance))


@receiver(post_delete, sender=Membership, dispatch_uid="agents.who_left_answers_no_more")
def who_left_answers_no_more(instance: Membership, **_: Any) -> None:
    """Ring nobody who is no longer a member. The row stays: calls name it."""
    for agent in Agent.objects.filter(company_id=instance.company_id, user_id=instance.user_id, is_active=True):
        agent.is_active = False
        # Saved one by one: telephony hears of it, and takes back his credential.
        agent.save(update_fields=["is_active"])


@receiver(user_logged_out, dispatch_uid="agents.who_logged_out_is_not_rung")
def who_logged_out_is_not_rung(user: User | None, **_: Any) -> None:
    """Take the phone from every tab that is still open somewhere."""
    if user is not None:
        operations.log_out(user_id=user.pk, now=timezone.now())


@receiver(user_logged_in, dispatch_uid="agents.who_logs_in_has_his_phone")
def who_logs_in_has_his_phone(user: User, **_: Any) -> None:
    operations.log_in(user_id=user.pk, now=timezone.now())
