"""One line of the audit put right: who wanted it and when is written first, then Telnyx is asked, then what came of it.

Every repair looks again before it acts: what the audit saw may be old.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from django.utils import timezone

from agents.models import Agent
from curbe.companies.models import Company, User
from telephony.core.audit import Finding, Repair
from telephony.models import AccountRepair, Asker, AuditFinding, PhoneNumber, SipEndpoint, TelnyxAccount
from telephony.operations.endpoints import IsTalking, NoConnection, mend_endpoint
from telephony.operations.numbers import applications_by_company, link_numbers
from telephony.telnyx.account import UnableToSetUp, ensure_account
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class By:
    """Who wants something done, and through what."""

    through: Asker
    user: User | None = None


class Line(Protocol):
    """A finding, fresh or kept."""

    @property
    def code(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def found(self) -> str: ...
    @property
    def wanted(self) -> str: ...
    @property
    def company_id(self) -> int | None: ...
    @property
    def telnyx_id(self) -> str: ...
    @property
    def our_id(self) -> int | None: ...
    @property
    def part(self) -> str: ...
    @property
    def field(self) -> str: ...
    @property
    def repair(self) -> str | None: ...


class Why(StrEnum):
    """Why something is not put right (now); said in words by ``audit_words``."""

    NO_OWN_SET = "NO_OWN_SET"
    NUMBER_GONE = "NUMBER_GONE"
    NOT_AT_TELNYX = "NOT_AT_TELNYX"
    NO_APPLICATION = "NO_APPLICATION"
    NOT_TAKEN = "NOT_TAKEN"
    AGENT_GONE = "AGENT_GONE"
    IN_USE = "IN_USE"
    IS_TALKING = "IS_TALKING"
    NO_CONNECTION = "NO_CONNECTION"


class UnableToRepair(Exception):
    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def thing_of(line: Line) -> tuple[Repair, object]:
    """Return what a repair of the line acts on: lines of one thing are put right together."""
    repair = Repair(line.repair or "")
    return repair, (line.company_id if repair is Repair.SET else line.our_id or line.telnyx_id)


def repair_kept(finding: AuditFinding, by: By, client: TelnyxClient, now: datetime) -> AccountRepair:
    """Put a kept line right, and mark it and all lines of the same thing in its audit."""
    done = repair(finding, by, client, now)
    if done.is_done:
        same = AuditFinding.objects.filter(audit=finding.audit_id, repair=finding.repair, company=finding.company_id)
        if finding.repair != Repair.SET:
            same = same.filter(our_id=finding.our_id, telnyx_id=finding.telnyx_id)
        same.update(repaired_at=now)
    return done


def repair(line: Line, by: By, client: TelnyxClient, now: datetime) -> AccountRepair:
    """Do what the line's repair says; return how it went, also when Telnyx or the state of things did not allow it."""
    event = AccountRepair.objects.create(
        company_id=line.company_id,
        code=line.code,
        repair=line.repair or "",
        subject=line.subject[:120],
        part=line.part,
        field=line.field[:80],
        before=line.found,
        telnyx_id=line.telnyx_id[:64],
        asked_through=by.through,
        asked_by=by.user,
        asked_at=now,
    )
    try:
        event.after = _REPAIRS[Repair(line.repair or "")](line, client)
        event.outcome = AccountRepair.Outcome.DONE
    except (TelnyxError, UnableToSetUp, UnableToRepair, NoConnection, IsTalking) as err:
        logger.warning("Unable to repair %s of %s: %s", line.code, line.telnyx_id or line.our_id, err)
        event.outcome = AccountRepair.Outcome.FAILED
        event.error = _OF_AGENTS.get(type(err), str(err))
    event.finished_at = timezone.now()
    event.save(update_fields=["after", "outcome", "error", "finished_at"])
    return event


def wire_and_link(client: TelnyxClient, by: By) -> tuple[int, list[str]]:
    """Link our numbers to the account's, and wire those that lead elsewhere; return how many were newly linked, and
    what Telnyx refused, a line each: it keeps no other number from being wired. Raises TelnyxError for the list itself.

    A number on a SIP connection bypasses us: it rings that connection, and no webhook is ever asked.
    """
    remote = client.phone_numbers()
    linked = link_numbers(remote)
    applications = applications_by_company()
    ours = {e164: (pk, company_id) for e164, pk, company_id in PhoneNumber.objects.values_list("e164", "id", "company")}
    refused: list[str] = []
    for number in remote:
        pk, company_id = ours.get(number.e164, (None, None))
        wanted = applications.get(company_id, applications.get(None)) if pk else None
        if not wanted or number.connection_id == wanted:
            continue
        line = Finding(
            "number_connection",
            number.e164,
            found=number.connection_name or number.connection_id,
            wanted=wanted,
            company_id=company_id,
            telnyx_id=number.id,
            our_id=pk,
            repair=Repair.WIRE,
        )
        done = repair(line, by, client, timezone.now())
        if not done.is_done:
            refused.append(f"{number.e164} is not wired: {done.error}")
    return linked, refused


_OF_AGENTS: Final[Mapping[type[Exception], str]] = {IsTalking: Why.IS_TALKING, NoConnection: Why.NO_CONNECTION}


def _put_set_right(line: Line, client: TelnyxClient) -> str:
    company = Company.objects.filter(pk=line.company_id).first() if line.company_id else None
    if line.company_id and not TelnyxAccount.objects.filter(company=company).exists():
        raise UnableToRepair(Why.NO_OWN_SET)
    account = ensure_account(client, timezone.now(), company=company)
    return account.texml_application_id if not line.field else line.wanted


def _wire(line: Line, client: TelnyxClient) -> str:
    number = _number_of(line)
    wanted = application_for(number.company_id)
    there = client.phone_number(line.telnyx_id)
    if there is None or there.e164 != number.e164:
        raise UnableToRepair(Why.NOT_AT_TELNYX)
    if there.connection_id != wanted:
        there = client.wire_number(there.id, connection_id=wanted)
    PhoneNumber.objects.filter(pk=number.pk).update(telnyx_id=there.id, connection_id=there.connection_id)
    if there.connection_id != wanted:
        raise UnableToRepair(Why.NOT_TAKEN)
    return there.connection_id


def _link(line: Line, client: TelnyxClient) -> str:
    number = _number_of(line)
    there = client.phone_number(line.telnyx_id)
    if there is None or there.e164 != number.e164:
        raise UnableToRepair(Why.NOT_AT_TELNYX)
    PhoneNumber.objects.filter(pk=number.pk).update(telnyx_id=there.id, connection_id=there.connection_id)
    return there.id


def _adopt(line: Line, client: TelnyxClient) -> str:
    """Give a number that a company ordered, and whose order was given up, its row, and wire it."""
    company = Company.objects.filter(pk=line.company_id or 0).first()
    if company is None:
        raise UnableToRepair(Why.NUMBER_GONE)
    known = PhoneNumber.objects.select_related("company").filter(e164=line.subject).first()
    if known is not None:
        return known.company.name  # Somebody gave it a row meanwhile; how it is wired, the next look says.
    wanted = application_for(company.pk)
    there = client.phone_number(line.telnyx_id)
    if there is None or there.e164 != line.subject:
        raise UnableToRepair(Why.NOT_AT_TELNYX)
    if there.connection_id != wanted:
        there = client.wire_number(there.id, connection_id=wanted)
    PhoneNumber.objects.get_or_create(
        e164=there.e164,
        defaults={"company": company, "telnyx_id": there.id, "connection_id": there.connection_id},
    )
    return company.name


def _number_of(line: Line) -> PhoneNumber:
    number = PhoneNumber.objects.filter(pk=line.our_id or 0, e164=line.subject).first()
    if number is None:
        raise UnableToRepair(Why.NUMBER_GONE)
    return number


def application_for(company_id: int) -> str:
    """Return the TeXML application of the company's own set, else of the platform's. Raises UnableToRepair."""
    applications = applications_by_company()
    application_id = applications.get(company_id) or applications.get(None)
    if not application_id:
        raise UnableToRepair(Why.NO_APPLICATION)
    return application_id


def _mend_credential(line: Line, client: TelnyxClient) -> str:
    agent = Agent.objects.select_related("user", "company").filter(pk=line.our_id or 0).first()
    if agent is None:
        raise UnableToRepair(Why.AGENT_GONE)
    endpoint = mend_endpoint(agent, client, timezone.now())
    return endpoint.sip_username if endpoint else ""


def _delete_credential(line: Line, client: TelnyxClient) -> str:
    if SipEndpoint.objects.filter(telnyx_credential_id=line.telnyx_id).exists():
        raise UnableToRepair(Why.IN_USE)
    client.delete_credential(line.telnyx_id)
    return ""


_REPAIRS: Final[Mapping[Repair, Callable[[Line, TelnyxClient], str]]] = {
    Repair.SET: _put_set_right,
    Repair.ADOPT: _adopt,
    Repair.LINK: _link,
    Repair.WIRE: _wire,
    Repair.CREDENTIAL: _mend_credential,
    Repair.DELETE_CREDENTIAL: _delete_credential,
}
