"""The account compared with what Curbe needs: fetched, compared, kept; and, if asked for, put right.

An audit changes nothing at Telnyx (but for the call that nobody hears, see ``round_trip``). Put right is line by line
(``account_repairs``); then the account is compared again, so that what is kept is what is true.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from curbe.companies.models import Company
from telephony.core import audit as core
from telephony.core.audit import Audit, DoorFacts, Finding, NumberHere, NumberThere, Reach, Repair, SetFacts
from telephony.models import AccountAudit, Asker, AuditFinding
from telephony.operations import account_repairs, round_trip
from telephony.operations.account_repairs import By
from telephony.queries import account_here
from telephony.telnyx import account_facts
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxError
from telephony.telnyx.key import NoPublicKey, public_key

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: A run that is older than this has lost its process.
LONGEST_RUN: Final = timedelta(minutes=20)
#: Findings of older audits than this are of no use to anybody.
KEPT: Final = timedelta(days=90)
BATCH: Final = 1_000
#: Orders and releases that ended so lately may not show in what was read of the account.
JUST_NOW: Final = timedelta(minutes=5)
#: A set that is made lets numbers be wired and credentials be moved, which are seen by the next look.
MOST_ROUNDS: Final = 3
#: Any number that nobody else uses as an advisory lock.
LOCK: Final = 0x0C0B_E00A


class AlreadyRunning(Exception):
    """Another audit runs: its result will do as well."""


def begin(by: By, now: datetime) -> AccountAudit:
    """Return a new audit that is to be run. Raises AlreadyRunning."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if running(now) is not None:
            raise AlreadyRunning
        AccountAudit.objects.filter(started_at__lt=now - KEPT).delete()
        return AccountAudit.objects.create(asked_through=by.through, asked_by=by.user, started_at=now)


def running(now: datetime) -> AccountAudit | None:
    unfinished = AccountAudit.objects.filter(finished_at=None, started_at__gt=now - LONGEST_RUN)
    return unfinished.order_by("-id").first()


def run(audit: AccountAudit, client: TelnyxClient, *, fix: bool = False, only: Company | None = None) -> AccountAudit:
    """Compare, and keep what was found; with ``fix`` put right what can be, of one company if ``only`` names it.

    Raises TelnyxError; the audit then says why it was not finished.
    """
    try:
        found = _compare(audit, client)
        for _round in range(MOST_ROUNDS):
            if not fix or not _repair_all(found, audit, client, only):
                break
            found = _compare(audit, client)
        found = _with_round_trip(found, audit, client)
    except TelnyxError as err:
        _finish(audit, error=str(err))
        raise
    except Exception:
        _finish(audit, error="Something went wrong on our side; the log has it.")
        raise
    _keep(audit, found)
    return audit


def _repair_all(found: Audit, audit: AccountAudit, client: TelnyxClient, only: Company | None) -> bool:
    """Put right what can be, sets before what is wired to them; return whether anything became right."""
    by = By(Asker(audit.asked_through), audit.asked_by)
    mendable = [one for one in found.findings if one.repair and (only is None or one.company_id == only.pk)]
    order = list(Repair)
    done = False
    seen: set[tuple[Repair, object]] = set()
    for one in sorted(mendable, key=lambda one: order.index(one.repair or Repair.SET)):
        what = account_repairs.thing_of(one)
        if what in seen:
            continue  # One repair puts every line of a set right.
        seen.add(what)
        done |= account_repairs.repair(one, by, client, timezone.now()).is_done
    return done


# --- Comparing ----------------------------------------------------------------------------------------------------


def _compare(audit: AccountAudit, client: TelnyxClient) -> Audit:
    found = Audit()
    sets = account_facts.sets(client)
    for one in sets:
        found.add("sets", core.of_set(one, settings.PUBLIC_URL))
    _compare_numbers(found, sets, client)
    _compare_credentials(found, sets, client)
    audit.facts = {}
    balance = _answered(found, "balance", client.balance)
    if balance is not None:
        found.add("balance", core.of_balance(balance.available, balance.currency))
        audit.facts = {"balance": str(balance.available or ""), "currency": balance.currency}
    return found


def _answered(found: Audit, what: str, ask: Callable[[], T]) -> T | None:
    """Return the answer; None, and a line that says so, where Telnyx gives none: the rest is worth knowing anyway."""
    try:
        return ask()
    except TelnyxError as err:
        logger.warning("The audit of the Telnyx account lacks the %s: %s", what, err)
        found.add(what, [core.of_no_answer(what, str(err))])
        return None


def _compare_numbers(found: Audit, sets: Iterable[SetFacts], client: TelnyxClient) -> None:
    applications, connections = core.application_of(sets), core.connection_of(sets)
    began = timezone.now()
    here: dict[str, NumberHere] = account_here.numbers()
    unknown: list[NumberThere] = []
    for there in account_facts.numbers(client):
        ours = here.pop(there.e164, None)
        if ours is None:
            unknown.append(there)
            continue
        found.add("numbers", core.of_number(there, ours, applications, connections))
    # Between our rows and Telnyx's pages numbers come and go; what is on its way is nobody's mistake.
    moving = account_here.moving(since=began - JUST_NOW)
    ours_by_reference = account_here.ordered_as({one.reference for one in unknown})
    # Where Telnyx tells no reference: wired to us, and ordered by us. Others of the account may want the same numbers.
    wired = {one.e164 for one in unknown if one.connection_id in applications.values()}
    ours_by_e164 = account_here.bought_by(wired)
    for one in unknown:
        buyer = ours_by_reference.get(one.reference) or ours_by_e164.get(one.e164)
        lines = core.of_unknown_number(one, applications, buyer)
        found.add("numbers", [] if one.e164 in moving else lines)
    # What is left over was on no page of Telnyx's list.
    for missing in here.values():
        found.add("numbers", [] if missing.e164 in moving else [core.of_missing_number(missing)])


def _compare_credentials(found: Audit, sets: Iterable[SetFacts], client: TelnyxClient) -> None:
    connections = core.connection_of(sets)
    there = {one.id: one for one in account_facts.credentials(client)}
    agents = account_here.agents()
    for agent in agents:
        if agent.answers or agent.credential_id:
            found.add("agents", core.of_agent(agent, there, connections))
    used = {agent.credential_id: agent for agent in agents if agent.credential_id}
    companies = account_here.companies()
    for one in there.values():
        found.add("credentials", core.of_credential(one, used=used, companies=companies, connections=connections))


def _with_round_trip(found: Audit, audit: AccountAudit, client: TelnyxClient) -> Audit:
    """Add what the door is like. It is asked last: only then there is an application that can be called from."""
    trip = _answered(found, "round_trip", lambda: round_trip.ask(client, timezone.now()))
    # That it could not be asked for is a line of its own.
    trip = trip or round_trip.RoundTrip(Reach.NOT_ASKED)
    last = round_trip.last_signed_at()
    facts = DoorFacts(
        our_key=_our_key(),
        their_key=_answered(found, "public_key", client.public_key) or "",
        reach=trip.reach,
        origin=settings.PUBLIC_URL,
        last_signed_at=last,
        why_not=trip.why_not,
    )
    found.add("door", core.of_door(facts))
    audit.facts |= {"reach": trip.reach, "last_signed_at": last.isoformat() if last else ""}
    return found


def _our_key() -> str:
    try:
        return public_key()
    except NoPublicKey:
        return ""


# --- Keeping ------------------------------------------------------------------------------------------------------


def _keep(audit: AccountAudit, found: Audit) -> None:
    rows = (_row(audit, one) for one in found.findings)
    with transaction.atomic():
        AuditFinding.objects.bulk_create(rows, batch_size=BATCH)
        audit.looked_at = dict(found.looked_at)
        _finish(audit)


def _row(audit: AccountAudit, one: Finding) -> AuditFinding:
    return AuditFinding(
        audit=audit,
        company_id=one.company_id,
        code=one.code,
        subject=one.subject[:120],
        found=one.found,
        wanted=one.wanted,
        part=one.part,
        field=one.field[:80],
        telnyx_id=one.telnyx_id[:64],
        our_id=one.our_id,
        repair=one.repair or "",
        is_wrong=one.is_wrong,
    )


def give_up(audit: AccountAudit, why: str) -> None:
    """End an audit that cannot be run, so that the next one need not wait for it."""
    _finish(audit, error=why)


def _finish(audit: AccountAudit, *, error: str = "") -> None:
    audit.finished_at = timezone.now()
    audit.error = error
    audit.save(update_fields=["finished_at", "error", "looked_at", "facts"])
