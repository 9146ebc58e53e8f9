"""What we believe and what is true: Telnyx is asked about all that has gone silent, and what differs is repaired.

Every repair is an event of the ledger (source RECONCILER): what we believed → what is true → what we did. A leg is
repaired through the same handler that its lost callback would have met, so there is one way for a call to change.
Nothing here runs inside a transaction but the repairs themselves; asking happens outside.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from agents.models import Agent
from agents.operations import release
from telephony.core import call_state
from telephony.models import Call, CallLeg, Offer, SipEndpoint, TelnyxAccount, TelnyxEvent
from telephony.operations import ledger, progress
from telephony.operations.endpoints import NoConnection, ensure_endpoint
from telephony.telnyx.answers import LegReport, LiveCall
from telephony.telnyx.client import HangUp, TelnyxClient
from telephony.telnyx.errors import TelnyxError, TelnyxUnreachable

logger = logging.getLogger(__name__)

#: A call is silent when nothing was heard of it for this long. A talk is, for minutes; one list per connection answers
#: for all of them. With the beat of 15 s a lost end is repaired within 30 s of it.
SILENT: Final = timedelta(seconds=10)
#: Telnyx confirms a hang-up with a callback within a second or two.
HANGUP_UNCONFIRMED: Final = timedelta(seconds=10)
#: A leg that outlived its call by this much has lost its callback.
LEG_LINGERS: Final = timedelta(seconds=15)
#: Calls per run: what does not fit is the oldest news of the next run.
BATCH: Final = 200
#: One run at a time, over all workers: any number that nobody else uses as an advisory lock.
LOCK: Final = 0x0C0B_E001


def reconcile_all(client: TelnyxClient, now: datetime) -> None:
    """Run every check; one that fails stops none of the others. Does nothing while another run is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return
    try:
        for check in CHECKS:
            _run(check, client, now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _run(check: Callable[[TelnyxClient, datetime], None], client: TelnyxClient, now: datetime) -> None:
    try:
        check(client, now)
    except TelnyxUnreachable as err:
        logger.warning("%s waits for Telnyx: %s", check.__name__, err)
    except Exception:
        logger.exception("Unable to finish %s", check.__name__)


@contextmanager
def alone(wish: str, what: object) -> Iterator[None]:
    """Keep one stubborn row from stopping the others. When Telnyx is away, all of them wait."""
    try:
        yield
    except TelnyxUnreachable:
        raise
    except Exception:
        logger.exception("Unable to %s %s", wish, what)


# --- Calls without news -------------------------------------------------------------------------------------------


class LiveLegs:
    """The live legs of each connection, asked for once per run and only when somebody wants to know."""

    def __init__(self, client: TelnyxClient) -> None:
        self._client = client
        self._lists: dict[str, dict[str, LiveCall]] = {}

    def find(self, call_sid: str, connection_id: str) -> LiveCall | None:
        if not connection_id:
            return None
        if connection_id not in self._lists:
            self._lists[connection_id] = {leg.call_sid: leg for leg in self._client.active_calls(connection_id)}
        return self._lists[connection_id].get(call_sid)


def ask_about_silent_calls(client: TelnyxClient, now: datetime) -> None:
    """Ask for the live legs of each connection, and for single legs only where those lists are silent."""
    live = LiveLegs(client)
    silent = Call.objects.exclude(status=Call.Status.COMPLETED).filter(last_news_at__lt=now - SILENT)
    for call in silent.order_by("last_news_at")[:BATCH]:
        with alone("ask about call", call.pk):
            _ask_about(call, live, client, now)


def _ask_about(call: Call, live: LiveLegs, client: TelnyxClient, now: datetime) -> None:
    open_legs = CallLeg.objects.filter(call=call).exclude(status=CallLeg.Status.ENDED)
    legs = list(open_legs.select_related("agent__endpoint"))
    if not any(leg.call_sid == call.root_call_sid for leg in legs):
        _settle(call, now)
    for leg in legs:
        # Whether a leg that rings a credential is listed with our application or with the credential's connection is
        # not documented: both lists are read before a single leg is asked about.
        endpoint = getattr(leg.agent, "endpoint", None)
        found = live.find(leg.call_sid, call.connection_id) or (
            live.find(leg.call_sid, endpoint.connection_id) if endpoint else None
        )
        if found is not None:
            progress.learn(call, leg_id=found.leg_id, session_id=found.session_id)
            continue
        report = client.call(leg.call_sid, call.account_sid)
        if not report.is_known and leg.call_sid != call.root_call_sid:
            # Perhaps a leg inside a <Dial> cannot be read at all (docs/telnyx-assumptions.md, E-02). Its end reaches us
            # by the Dial's own request, or with the caller's end; a talk must not be ended on a guess.
            continue
        report_on(leg, report, call, now)
    # Asked is as good as heard: the next question comes after the next silence.
    Call.objects.filter(pk=call.pk, last_news_at__lt=now).update(last_news_at=now)


def _settle(call: Call, now: datetime) -> None:
    """Settle a call whose caller's leg is over, though the call is not: an old failure half-way."""
    with transaction.atomic():
        progress.settle_call(Call.objects.select_for_update().get(pk=call.pk), now)


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


# --- Hang-ups that nobody confirmed -------------------------------------------------------------------------------


def ask_again_for_hangups(client: TelnyxClient, now: datetime) -> None:
    """Ask once more for the end of calls whose end was asked for and never came, the customer's leg first."""
    asked = Call.objects.exclude(status=Call.Status.COMPLETED).filter(hangup_requested_at__lt=now - HANGUP_UNCONFIRMED)
    for call in asked.order_by("hangup_requested_at")[:BATCH]:
        legs = list(CallLeg.objects.filter(call=call).exclude(status=CallLeg.Status.ENDED))
        for leg in sorted(legs, key=lambda leg: leg.kind != CallLeg.Kind.CALLER):
            with alone("hang up leg", leg.call_sid):
                _hang_up(leg, call, client, now)


def _hang_up(leg: CallLeg, call: Call, client: TelnyxClient, now: datetime) -> None:
    if client.hang_up(leg.call_sid, call.account_sid) is HangUp.GONE:
        report_on(leg, LegReport(call_sid=leg.call_sid, is_alive=False), call, now)


# --- Offers past their time ---------------------------------------------------------------------------------------


def close_expired_offers(client: TelnyxClient, now: datetime) -> None:
    """Find out what became of ringings that must be over: answered without our hearing it, or over."""
    expired = Offer.objects.filter(outcome=Offer.Outcome.PENDING, expires_at__lt=now).select_related("call")
    for offer in expired.order_by("expires_at")[:BATCH]:
        legs = CallLeg.objects.filter(call=offer.call, agent_id=offer.agent_id).exclude(status=CallLeg.Status.ENDED)
        with alone("find out about offer", offer.pk):
            for leg in legs:
                report_on(leg, client.call(leg.call_sid, offer.call.account_sid), offer.call, now)
            _close_if_pending(offer, now)


def _close_if_pending(offer: Offer, now: datetime) -> None:
    call = offer.call
    with transaction.atomic():
        Call.objects.select_for_update().only("pk").get(pk=call.pk)
        current = Offer.objects.get(pk=offer.pk)
        if current.outcome != Offer.Outcome.PENDING:
            return
        over = Call.objects.filter(pk=call.pk, status=Call.Status.COMPLETED).exists()
        current.outcome = call_state.OfferOutcome.WITHDRAWN if over else call_state.OfferOutcome.MISSED
        current.ended_at = now
        current.save(update_fields=["outcome", "ended_at"])
        release(call_id=call.pk, agent_ids=[offer.agent_id], reason=str(current.outcome), now=now)
        progress.tell_ended([current])
    _note(
        "reconciler.offer_closed",
        ("offer", str(offer.pk)),
        call,
        believed={"offer": str(offer.pk), "agent": offer.agent_id, "outcome": "pending"},
        true={"expired_at": offer.expires_at.isoformat()},
        did=f"closed it as {current.outcome} and freed the agent",
        now=now,
    )


# --- Agents and legs that outlived their call ---------------------------------------------------------------------


def free_forgotten_agents(client: TelnyxClient, now: datetime) -> None:
    """Free agents whom a call holds that is over, or whose own leg in it is."""
    busy = Agent.objects.filter(busy_call_id__isnull=False).values_list("pk", "busy_call_id")[: BATCH * 5]
    held = [(agent_id, call_id) for agent_id, call_id in busy if call_id is not None]
    calls = {call.pk: call for call in Call.objects.filter(pk__in={call_id for _, call_id in held})}
    for agent_id, call_id in held:
        call = calls.get(call_id)
        if call is None or call.status == Call.Status.COMPLETED or _hung_up(agent_id, call):
            _free(agent_id, call_id, call, now)


def _hung_up(agent_id: int, call: Call) -> bool:
    """Say whether the agent had legs in the call, all of them over, and nothing rings him for it any more."""
    legs = list(CallLeg.objects.filter(call=call, agent_id=agent_id).values_list("status", flat=True))
    rings = Offer.objects.filter(call=call, agent_id=agent_id, outcome=Offer.Outcome.PENDING).exists()
    return bool(legs) and not rings and all(status == CallLeg.Status.ENDED for status in legs)


def _free(agent_id: int, call_id: UUID, call: Call | None, now: datetime) -> None:
    # A call that is being opened claims its agents a moment before its row is there: leases end by themselves.
    held = Q(pk=agent_id, busy_call_id=call_id)
    if call is None and Agent.objects.filter(held, reserved_until__gt=now).exists():
        return
    if not release(call_id=call_id, agent_ids=[agent_id], reason="reconciled", now=now) or call is None:
        return
    _note(
        "reconciler.agent_freed",
        ("agent", str(agent_id), str(call_id)),
        call,
        believed={"agent": agent_id, "busy_with": str(call_id)},
        true={"call": str(call.status)},
        did="freed the agent",
        now=now,
    )


def end_lingering_legs(client: TelnyxClient, now: datetime) -> None:
    """End legs whose call is over; one that is really still up is hung up, for it costs money and rings nobody."""
    lingering = CallLeg.objects.exclude(status=CallLeg.Status.ENDED).filter(
        call__status=Call.Status.COMPLETED,
        call__ended_at__lt=now - LEG_LINGERS,
        call__ended_at__gt=now - timedelta(days=1),
    )
    for leg in lingering.select_related("call").order_by("call__ended_at")[:BATCH]:
        with alone("end leg", leg.call_sid):
            report = client.call(leg.call_sid, leg.call.account_sid)
            if report.is_alive:
                _hang_up(leg, leg.call, client, now)
            else:
                report_on(leg, report, leg.call, now)


# --- Credentials --------------------------------------------------------------------------------------------------


def make_missing_endpoints(client: TelnyxClient, now: datetime) -> None:
    """Give a credential to agents who have none because the broker or Telnyx was away when they were made."""
    without = Agent.objects.filter(is_active=True).exclude(pk__in=SipEndpoint.objects.values("agent_id"))
    for agent in without.select_related("company").order_by("pk")[:10]:
        try:
            ensure_endpoint(agent, client)
        except NoConnection:
            return
        except TelnyxError as err:
            logger.warning("Agent %s still has no credential: %s", agent.pk, err)


def learn_the_account(client: TelnyxClient, now: datetime) -> None:
    """Note the id of our Telnyx account, which no endpoint tells: the newest call brought it, signed."""
    unknown = TelnyxAccount.objects.filter(company=None, account_sid="")
    if unknown.exists():
        known = Call.objects.exclude(account_sid="").order_by("-pk").values_list("account_sid", flat=True).first()
        unknown.update(account_sid=known or "")


# --- Repairs ------------------------------------------------------------------------------------------------------


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


def _note(
    kind: str,
    key: Sequence[str],
    call: Call,
    *,
    believed: dict[str, Any],
    true: dict[str, Any],
    did: str,
    now: datetime,
) -> None:
    logger.info("Call %s: %s", call.pk, did)
    ledger.note(
        kind=kind,
        dedupe_key="|".join(("reconciler", *key)),
        payload={"believed": believed, "true": true, "did": did},
        call=call,
        source=TelnyxEvent.Source.RECONCILER,
        now=now,
    )


#: In this order: what a question reveals spares the later checks their work.
CHECKS: Final[tuple[Callable[[TelnyxClient, datetime], None], ...]] = (
    ask_again_for_hangups,
    close_expired_offers,
    ask_about_silent_calls,
    end_lingering_legs,
    free_forgotten_agents,
    make_missing_endpoints,
    learn_the_account,
)
