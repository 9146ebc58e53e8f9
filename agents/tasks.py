from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from agents import operations
from agents.presence import BEAT_EVERY_S


# A sweep that could not start before the next one is due is dropped: late ones would pile up and say the same.
@shared_task(expires=BEAT_EVERY_S)
def sweep_presence(**_: object) -> None:
    operations.sweep(timezone.now())
