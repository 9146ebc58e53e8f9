"""What became of those who came to a queue: exactly one outcome each, so that the sum is what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, Value

from telephony.models import CallQueue, QueueVisit

Outcome = QueueVisit.Outcome


@dataclass(frozen=True, slots=True)
class Line:
    outcome: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """Visits that began within a span of time.

    ``in_time``: answered within the service level that held when each began; later changes do not rewrite the past.
    """

    #: Every outcome, in the order of the model, waiting last.
    lines: tuple[Line, ...]
    offered: int
    answered: int
    in_time: int
    abandoned_short: int
    #: Mean wait of those who were answered, in seconds; None if nobody was.
    mean_wait_s: float | None

    @property
    def ended(self) -> int:
        return sum(line.count for line in self.lines if line.outcome != Outcome.WAITING)

    @property
    def waiting(self) -> int:
        return sum(line.count for line in self.lines if line.outcome == Outcome.WAITING)

    @property
    def adds_up(self) -> bool:
        return self.offered == self.ended + self.waiting

    @property
    def counted(self) -> int:
        """Return the divisor of the service level: who hung up at once did not wait."""
        return self.offered - self.abandoned_short

    @property
    def service_level(self) -> int | None:
        """Return answered in time ÷ (offered − hung up at once), in whole per cent; None where nobody came."""
        return round(100 * self.in_time / self.counted) if self.counted else None


def report(queue: CallQueue, begin: datetime, end: datetime) -> Report:
    """Return the report of the visits that began from ``begin`` until before ``end``. Two queries."""
    visits = QueueVisit.objects.filter(queue=queue, entered_at__gte=begin, entered_at__lt=end).order_by()
    waited = ExpressionWrapper(F("ended_at") - F("entered_at"), output_field=DurationField())
    level = ExpressionWrapper(F("service_level_s") * Value(timedelta(seconds=1)), output_field=DurationField())
    counts = dict(visits.values_list("outcome").annotate(count=Count("id")))
    # Counted apart from the outcomes on purpose: were the two ever to differ, the page would say so.
    totals = visits.annotate(waited=waited, level=level).aggregate(
        offered=Count("id"),
        in_time=Count("id", filter=Q(outcome=Outcome.ANSWERED, waited__lte=F("level"))),
        mean_wait=Avg("waited", filter=Q(outcome=Outcome.ANSWERED)),
    )
    order = [*(one for one in Outcome if one is not Outcome.WAITING), Outcome.WAITING]
    mean_wait: timedelta | None = totals["mean_wait"]
    return Report(
        lines=tuple(Line(str(one), str(one.label), counts.get(str(one), 0)) for one in order),
        offered=totals["offered"],
        answered=counts.get(str(Outcome.ANSWERED), 0),
        in_time=totals["in_time"],
        abandoned_short=counts.get(str(Outcome.ABANDONED_SHORT), 0),
        mean_wait_s=mean_wait.total_seconds() if mean_wait is not None else None,
    )
