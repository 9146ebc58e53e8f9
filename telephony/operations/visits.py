"""Visits to queues: each begins once, and ends with exactly one outcome."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, QuerySet, Value, When

from telephony.core.plan import CompanyPlan
from telephony.core.types import Entered, Left, VisitOutcome, Wait
from telephony.models import Call, QueueVisit

#: A caller who leaves within this time did not wait: he is counted apart (semantics, section 8).
SHORT: Final = timedelta(seconds=5)
_GAVE_UP: Final = (VisitOutcome.ABANDONED, VisitOutcome.ABANDONED_SHORT)
#: What may still turn out to have been answered, should the news come out of order.
_NOT_SURE: Final = (VisitOutcome.WAITING, *_GAVE_UP)


@dataclass(frozen=True, slots=True)
class Begun:
    """A visit that began in a decision, with the outcome that the same decision gave it already, if it did."""

    queue_id: int
    priority: int
    language: str
    outcome: VisitOutcome
    service_level_s: int
    #: None: from the decision on.
    entered_at: datetime | None = None


def begun(changes: Sequence[Entered | Left], plan: CompanyPlan) -> list[Begun]:
    """Return the visits that began in a decision; of several only the last can be open still."""
    found: list[Begun] = []
    for index, change in enumerate(changes):
        if not isinstance(change, Entered):
            continue
        after = changes[index + 1] if index + 1 < len(changes) else None
        outcome = after.outcome if isinstance(after, Left) else VisitOutcome.WAITING
        queue = plan.queues[change.queue_id]
        found.append(
            Begun(queue.id, change.priority, change.language, outcome, queue.service_level_s, change.entered_at)
        )
    return found


def apply(call: Call, changes: Sequence[Entered | Left], plan: CompanyPlan, now: datetime) -> None:
    """Write what a decision did to the visits of a locked call."""
    if changes and isinstance(changes[0], Left):
        _end(call.pk, changes[0].outcome, now)
    for one in begun(changes, plan):
        over = one.outcome is not VisitOutcome.WAITING
        QueueVisit.objects.create(
            company_id=call.company_id,
            queue_id=one.queue_id,
            call=call,
            entered_at=one.entered_at or now,
            priority=one.priority,
            language=one.language,
            outcome=one.outcome,
            ended_at=now if over else None,
            plan_version=plan.version,
            service_level_s=one.service_level_s,
        )
        call.queue_id = one.queue_id


def announced(call_id: uuid.UUID, wait: Wait, now: datetime) -> None:
    """Note which position the caller was told."""
    if wait.position:
        _open(call_id).update(announced_at=now, announced_position=wait.position)


def answered(call_id: uuid.UUID, agent_id: int | None, at: datetime) -> None:
    """The caller talks to somebody: his wait was over then, also if his hanging up was heard of first."""
    ids = QueueVisit.objects.filter(call_id=call_id, outcome__in=_NOT_SURE).order_by("-entered_at").values("pk")[:1]
    QueueVisit.objects.filter(pk__in=ids).update(outcome=VisitOutcome.ANSWERED, agent_id=agent_id, ended_at=at)


def never_was(call_id: uuid.UUID, at: datetime) -> None:
    """End a visit that was written for a caller who could not be moved to it."""
    _end(call_id, VisitOutcome.FAILED, at)


def call_ended(call_id: uuid.UUID, at: datetime) -> bool:
    """The call is over. Return whether it ended while it waited in a queue: then the caller gave up.

    The same however often it is asked: news of a call may come after its end.
    """
    short = When(entered_at__gt=at - SHORT, then=Value(VisitOutcome.ABANDONED_SHORT))
    if _open(call_id).update(outcome=Case(short, default=Value(VisitOutcome.ABANDONED)), ended_at=at):
        return True
    return QueueVisit.objects.filter(call_id=call_id, outcome__in=_GAVE_UP).exists()


def _end(call_id: uuid.UUID, outcome: VisitOutcome, now: datetime) -> None:
    _open(call_id).update(outcome=outcome, ended_at=now)


def _open(call_id: uuid.UUID) -> QuerySet[QueueVisit]:
    return QueueVisit.objects.filter(call_id=call_id, outcome=VisitOutcome.WAITING)
