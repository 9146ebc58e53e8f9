"""How what differs from the truth is repaired: by the event that was missing, through the handler it would have met.

Every repair is an event of the ledger (source RECONCILER): what we believed → what is true → what we did.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

from curbe.lib import push
from telephony.models import Call, CallLeg, TelnyxEvent
from telephony.operations import ledger
from telephony.telnyx.answers import LegReport
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxUnreachable

logger = logging.getLogger(__name__)

M = TypeVar("M", bound=Model)


@contextmanager
def alone(wish: str, what: object) -> Iterator[None]:
    """Keep one stubborn row from stopping the others. When Telnyx is away, all of them wait."""
    try:
        yield
    except TelnyxUnreachable:
        raise
    except Exception:
        logger.exception("Unable to %s %s", wish, what)


class Turns(Generic[M]):
    """A long list gone through slice by slice, by key and round and round.

    A slice begins after the last row that was taken up, whatever came of it: rows that fail again and again, or at
    which Telnyx fell silent, keep nobody waiting. The place is this process's own; a new one begins at the beginning.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._last: Any = None

    def take(self, rows: QuerySet[M]) -> Iterator[M]:
        """Yield the next rows, at most as many as a slice has; each once."""
        ordered = rows.order_by("pk")
        if self._last is None:
            taken = list(ordered[: self._size])
        else:
            taken = list(ordered.filter(pk__gt=self._last)[: self._size])
            taken += ordered.filter(pk__lte=self._last)[: self._size - len(taken)]
        for row in taken:
            self._last = row.pk
            yield row


def word_on(leg: CallLeg, call: Call, client: TelnyxClient) -> LegReport | None:
    """Return what Telnyx says of a leg; None if it says nothing that could be believed.

    Perhaps a leg inside a <Dial> cannot be read at all (docs/telnyx-assumptions.md, E-02). Its end reaches us by the
    Dial's own request, or with the caller's end; a talk must not be ended on a guess.
    """
    report = client.call(leg.call_sid, call.account_sid)
    return report if report.is_known or leg.call_sid == call.customer_sid else None


def report_on(leg: CallLeg, report: LegReport, call: Call, now: datetime) -> None:
    """Turn what Telnyx says of a leg into the event that we should have had, if it differs from what we believe."""
    status = _status_of(report, leg)
    if status is None:
        return
    true = {"is_alive": report.is_alive, "status": report.status}
    form = {
        "CallSid": leg.call_sid,
        "CallStatus": status,
        "CallSessionId": report.session_id,
        "CallLegId": report.leg_id,
        "Timestamp": (report.ended_at or now).isoformat(),
        # Tells a conversation whose answer we never heard of from a ringing.
        "CallDuration": "" if report.duration_s is None else str(report.duration_s),
    }
    repair(
        kind=f"status.{status}",
        key=("leg", leg.call_sid, status),
        call=call,
        believed={"leg": leg.call_sid, "status": str(leg.status)},
        true=true,
        did=f"told the call that this leg is {status}",
        form={name: value for name, value in form.items() if value},
        now=now,
    )


def _status_of(report: LegReport, leg: CallLeg) -> str | None:
    """Return Telnyx's word for what is news in the report; None when it tells us nothing new."""
    if not report.is_alive:
        return report.status or "completed"
    if report.status == "in-progress" and leg.kind != CallLeg.Kind.CALLER and leg.answered_at is None:
        return "in-progress"
    return None


def repair(
    *,
    kind: str,
    key: Sequence[str],
    call: Call,
    believed: dict[str, Any],
    true: dict[str, Any],
    did: str,
    form: dict[str, str],
    now: datetime,
) -> None:
    """Record the event that was missing, and act on it as if it had come."""
    event = ledger.record(
        kind=kind,
        source=TelnyxEvent.Source.RECONCILER,
        dedupe_key="|".join(("reconciler", *key)),
        occurred_at=now,
        payload={**form, "believed": believed, "true": true, "did": did},
        call_id=call.pk,
        company_id=call.company_id,
        now=now,
    )
    if event is not None:
        logger.info("Call %s: %s", call.pk, did)
        ledger.process(event.pk, now)
        tell(call)


def note(
    kind: str,
    key: Sequence[str],
    call: Call,
    *,
    believed: dict[str, Any],
    true: dict[str, Any],
    did: str,
    now: datetime,
) -> None:
    """Record a repair that needed no event of Telnyx's; the same one twice is one."""
    event = ledger.note(
        kind=kind,
        dedupe_key="|".join(("reconciler", *key)),
        payload={"believed": believed, "true": true, "did": did},
        call=call,
        source=TelnyxEvent.Source.RECONCILER,
        now=now,
    )
    if event is not None:
        logger.info("Call %s: %s", call.pk, did)
        tell(call)


def tell(call: Call) -> None:
    """Tell who supervises that a repair was made; their page fetches it."""
    push.send("repair.made", groups=[push.supervisors_group(call.company_id)], call_id=str(call.pk))
