"""What we believe and what is true: Telnyx is asked about all that has gone silent, and what differs is repaired.

A leg is repaired through the same handler that its lost callback would have met (``repairs``), so there is one way for
a call to change. Nothing here runs inside a transaction but the repairs themselves; asking happens outside.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from agents.models import Activity, Agent
from agents.operations import release
from agents.wrap_ups import WrapUp
from curbe.lib.ids import first_id_at
from telephony.core import leg_state
from telephony.models import Call, CallLeg, Offer, RouteTrace, SipEndpoint, TelnyxAccount
from telephony.operations import progress, wrap_ups
from telephony.operations.endpoints import NoConnection, ensure_endpoint
from telephony.operations.repairs import Turns, alone, note, report_on, word_on
from telephony.operations.rooms import check_rooms, rescue_from_silent_browsers
from telephony.operations.silence import ask_about_silent_calls
from telephony.telnyx.answers import LegReport
from telephony.telnyx.client import HangUp, TelnyxClient
from telephony.telnyx.errors import TelnyxRefused, TelnyxUnreachable

logger = logging.getLogger(__name__)

Check = Callable[[TelnyxClient, datetime], None]
_further: Final[list[Check]] = []

#: Telnyx confirms a hang-up with a callback within a second or two.
HANGUP_UNCONFIRMED: Final = timedelta(seconds=10)
#: A leg that outlived its call by this much has lost its callback.
LEG_LINGERS: Final = timedelta(seconds=15)
#: For so long after their call's end legs are looked for that linger.
LOOKED_BACK: Final = timedelta(hours=6)
LONGEST_CALL: Final = timedelta(hours=4)
#: The customer's leg, whoever called whom.
CUSTOMERS: Final = (CallLeg.Kind.CALLER, CallLeg.Kind.CALLED)
#: Rows per check and run; the next run, 5 s later, begins after the last of them.
BATCH: Final = 200
#: The same where each row is a question to Telnyx.
ASKED: Final = 60
#: One run at a time, over all workers: any number that nobody else uses as an advisory lock.
LOCK: Final = 0x0C0B_E001


def reconcile_all(client: TelnyxClient, now: datetime) -> None:
    """Run every check; one that fails stops none of the others. Does nothing while another run is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return
    try:
        for check in (*CHECKS, *_further):
            _run(check, client, now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def also(check: Check) -> None:
    """Have every run end with this check too. Apps above telephony register theirs when they are ready."""
    if check not in _further:
        _further.append(check)


def _run(check: Check, client: TelnyxClient, now: datetime) -> None:
    try:
        check(client, now)
    except TelnyxUnreachable as err:
        logger.warning("%s waits for Telnyx: %s", check.__name__, err)
    except Exception:
        logger.exception("Unable to finish %s", check.__name__)


# --- Hang-ups that nobody confirmed -------------------------------------------------------------------------------


_hangups: Final = Turns[Call](ASKED)


def ask_again_for_hangups(client: TelnyxClient, now: datetime) -> None:
    """Ask once more for the end of calls whose end was asked for and never came, the customer's leg first."""
    asked = Call.objects.exclude(status=Call.Status.COMPLETED).filter(hangup_requested_at__lt=now - HANGUP_UNCONFIRMED)
    for call in _hangups.take(asked):
        legs = list(CallLeg.objects.filter(call=call).exclude(status=CallLeg.Status.ENDED))
        for leg in sorted(legs, key=lambda leg: leg.kind not in CUSTOMERS):
            with alone("hang up leg", leg.call_sid):
                _hang_up(leg, call, client, now, "reconciler.hangup_repeated", "asked Telnyx to hang it up again")


def _hang_up(leg: CallLeg, call: Call, client: TelnyxClient, now: datetime, kind: str, did: str) -> None:
    """Have a leg ended that should be over, and note that it was up; one that is gone already is reported as such."""
    if client.hang_up(leg.call_sid, call.account_sid) is HangUp.GONE:
        report_on(leg, LegReport(call_sid=leg.call_sid, is_alive=False), call, now)
        return
    note(
        kind,
        ("leg", leg.call_sid, kind),
        call,
        believed={"leg": leg.call_sid, "call": str(call.status), "hangup_requested": bool(call.hangup_requested_at)},
        true={"is_alive": True},
        did=did,
        now=now,
    )


# --- Offers past their time ---------------------------------------------------------------------------------------


_expired: Final = Turns[Offer](ASKED)


def close_expired_offers(client: TelnyxClient, now: datetime) -> None:
    """Find out what became of ringings that must be over: answered without our hearing it, or over."""
    expired = Offer.objects.filter(outcome=Offer.Outcome.PENDING, expires_at__lt=now).select_related("call")
    for offer in _expired.take(expired):
        with alone("find out about offer", offer.pk):
            _ask_about_legs_of(offer, client, now)
            _close_if_pending(offer, now)


def _ask_about_legs_of(offer: Offer, client: TelnyxClient, now: datetime) -> None:
    """Report what Telnyx says of the agent's legs. A leg that it does not speak of stays up: it may yet be heard of."""
    legs = CallLeg.objects.filter(call=offer.call, agent_id=offer.agent_id).exclude(status=CallLeg.Status.ENDED)
    for leg in legs:
        try:
            report = word_on(leg, offer.call, client)
        except TelnyxRefused as err:
            logger.warning("Telnyx does not speak of leg %s: %s", leg.call_sid, err)
            continue
        if report is not None:
            report_on(leg, report, offer.call, now)


def _close_if_pending(offer: Offer, now: datetime) -> None:
    call = offer.call
    with transaction.atomic():
        Call.objects.select_for_update().only("pk").get(pk=call.pk)
        current = Offer.objects.get(pk=offer.pk)
        if current.outcome != Offer.Outcome.PENDING:
            return
        over = Call.objects.filter(pk=call.pk, status=Call.Status.COMPLETED).exists()
        # Made for a caller who waited, and he never came for it: nothing rang that could have been missed.
        unasked = RouteTrace.objects.filter(call=call, step=offer.step, asked_at=None).exists()
        current.outcome = leg_state.OfferOutcome.WITHDRAWN if over or unasked else leg_state.OfferOutcome.MISSED
        current.ended_at = now
        current.save(update_fields=["outcome", "ended_at"])
        release(call_id=call.pk, agent_ids=[offer.agent_id], reason=str(current.outcome), now=now)
        progress.tell_ended([current])
    note(
        "reconciler.offer_closed",
        ("offer", str(offer.pk)),
        call,
        believed={"offer": str(offer.pk), "agent": offer.agent_id, "outcome": "pending"},
        true={"expired_at": offer.expires_at.isoformat()},
        did=f"closed it as {current.outcome} and freed the agent",
        now=now,
    )


# --- Agents and legs that outlived their call ---------------------------------------------------------------------


_held: Final = Turns[Agent](BATCH)
_lingering: Final = Turns[CallLeg](ASKED)


def free_forgotten_agents(client: TelnyxClient, now: datetime) -> None:
    """Free agents whom a call holds that is over, or whose own leg in it is."""
    agents = list(_held.take(_forgotten(now)))
    calls = Call.objects.in_bulk([agent.busy_call_id for agent in agents if agent.busy_call_id is not None])
    for agent in agents:
        if agent.busy_call_id is not None:
            _free(agent.pk, agent.busy_call_id, calls.get(agent.busy_call_id), now)


def _forgotten(now: datetime) -> QuerySet[Agent]:
    """Return the agents who are held by no live call, or who left theirs: all their legs in it over, none to come."""
    calls = Call.objects.filter(pk=OuterRef("busy_call_id"))
    legs = CallLeg.objects.filter(call=OuterRef("busy_call_id"), agent=OuterRef("pk"))
    rings = Offer.objects.filter(call=OuterRef("busy_call_id"), agent=OuterRef("pk"), outcome=Offer.Outcome.PENDING)
    # Who is on a call has a leg in it from the first moment; who is rung gets his with Telnyx's first word.
    had = Q(Exists(legs)) | Q(activity=Activity.ON_CALL)
    left = had & ~Q(Exists(legs.exclude(status=CallLeg.Status.ENDED))) & ~Q(Exists(rings))
    # A call that is being opened claims its agents a moment before its row is there: leases end by themselves.
    leased = ~Exists(calls) & Q(reserved_until__isnull=False, reserved_until__gt=now)
    # Whoever is held is not idle, and only who is not idle stands in the index.
    busy = Agent.objects.filter(busy_call_id__isnull=False).exclude(activity=Activity.IDLE).exclude(leased)
    # A wrap-up is about a call that is over, and ends by its own clock.
    busy = busy.exclude(activity=Activity.WRAP_UP)
    return busy.filter(Q(~Exists(calls.exclude(status=Call.Status.COMPLETED))) | left)


def _free(agent_id: int, call_id: UUID, call: Call | None, now: datetime) -> None:
    with transaction.atomic():
        policies = _work_after(call, agent_id) if call is not None else {}
        freed = release(call_id=call_id, agent_ids=[agent_id], reason="reconciled", wrap_ups=policies, now=now)
        if call is not None:
            wrap_ups.began(call, policies, freed, now)
    if not freed or call is None:
        return
    note(
        "reconciler.agent_freed",
        ("agent", str(agent_id), str(call_id)),
        call,
        believed={"agent": agent_id, "busy_with": str(call_id)},
        true={"call": str(call.status)},
        did="freed the agent",
        now=now,
    )


def _work_after(call: Call, agent_id: int) -> dict[int, WrapUp]:
    """Return what comes after the call for this agent: he talked, whatever news of its end was lost."""
    legs, offers = list(CallLeg.objects.filter(call=call)), list(Offer.objects.filter(call=call))
    policies = wrap_ups.policies_of(call, legs, offers)
    return {agent_id: policies[agent_id]} if agent_id in policies else {}


def end_lingering_legs(client: TelnyxClient, now: datetime) -> None:
    """End legs whose call is over; one that is really still up is hung up, for it costs money and rings nobody."""
    lingering = CallLeg.objects.exclude(status=CallLeg.Status.ENDED).filter(
        # The key is ordered by time: without this bound every leg that ever was would be read.
        call_id__gte=first_id_at(now - LOOKED_BACK - LONGEST_CALL),
        call__status=Call.Status.COMPLETED,
        call__ended_at__range=(now - LOOKED_BACK, now - LEG_LINGERS),
    )
    for leg in _lingering.take(lingering.select_related("call")):
        with alone("end leg", leg.call_sid):
            report = client.call(leg.call_sid, leg.call.account_sid)
            if report.is_alive:
                _hang_up(leg, leg.call, client, now, "reconciler.leg_ended", "hung the leg up")
            else:
                report_on(leg, report, leg.call, now)


# --- Credentials --------------------------------------------------------------------------------------------------


#: Each takes two requests: the others come with the next runs.
_without_endpoint: Final = Turns[Agent](3)


def make_missing_endpoints(client: TelnyxClient, now: datetime) -> None:
    """Give a credential to agents who have none because the broker or Telnyx was away when they were made."""
    without = Agent.objects.filter(is_active=True).exclude(pk__in=SipEndpoint.objects.values("agent_id"))
    for agent in _without_endpoint.take(without.select_related("company")):
        try:
            ensure_endpoint(agent, client)
        except NoConnection:
            continue
        except TelnyxRefused as err:
            logger.warning("Agent %s still has no credential: %s", agent.pk, err)


def learn_the_account(client: TelnyxClient, now: datetime) -> None:
    """Note the id of our Telnyx account, which no endpoint tells: the newest call brought it, signed."""
    unknown = TelnyxAccount.objects.filter(company=None, account_sid="")
    if unknown.exists():
        known = Call.objects.exclude(account_sid="").order_by("-pk").values_list("account_sid", flat=True).first()
        unknown.update(account_sid=known or "")


#: In this order: what a question reveals spares the later checks their work.
CHECKS: Final[tuple[Check, ...]] = (
    ask_again_for_hangups,
    close_expired_offers,
    check_rooms,
    rescue_from_silent_browsers,
    ask_about_silent_calls,
    end_lingering_legs,
    free_forgotten_agents,
    make_missing_endpoints,
    learn_the_account,
)
