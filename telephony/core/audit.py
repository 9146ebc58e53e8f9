"""The audit: plain facts of the Telnyx account and of our own rows go in, findings come out. Pure.

Numbers are compared one by one as they are read: an account may have very many. Everything else is small.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from telephony.core import account
from telephony.core.account import Limits, Part

#: What is left of the money when somebody should pay in.
LOW_BALANCE: Final = Decimal(10)
#: Agents' credentials are called so: agent, company's public id.
CREDENTIAL_NAME: Final = re.compile(r"curbe-agent-(\d{1,18})-([0-9a-f]{8})")
#: What nobody registers with: the audit rings it to see whether Telnyx's signed news reaches us.
PROBE_NAME: Final = "curbe-probe"
ACTIVE: Final = "active"


class Repair(StrEnum):
    """How a finding is put right; in the order in which repairs must run, as the later ones need the earlier ones."""

    SET = "SET"
    ADOPT = "ADOPT"
    LINK = "LINK"
    WIRE = "WIRE"
    CREDENTIAL = "CREDENTIAL"
    DELETE_CREDENTIAL = "DELETE_CREDENTIAL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what is, and what should be. Why it matters and how it is said is the edges' (``audit_words``)."""

    code: str
    #: Whom or what it is about, as people call it: a number, a name.
    subject: str
    found: str = ""
    wanted: str = ""
    #: Empty: the platform's, which only its operator sees.
    company_id: int | None = None
    #: Of the row at Telnyx; empty where there is none.
    telnyx_id: str = ""
    #: Of our own row, by the kind of the finding: set, number or agent; None where there is none.
    our_id: int | None = None
    #: What a finding of a set is about: the collection, and the dotted field in it.
    part: str = ""
    field: str = ""
    repair: Repair | None = None
    #: False for what somebody should know, but which keeps no call from its way.
    is_wrong: bool = True


@dataclass(frozen=True, slots=True)
class SetFacts:
    """A set as we keep it, and its rows as Telnyx has them (None: there is none)."""

    #: None: there is not even a row of ours yet.
    id: int | None
    company_id: int | None
    #: The company's public id; empty for the platform's.
    company: str
    ids: Mapping[Part, str]
    rows: Mapping[Part, Mapping[str, Any] | None]
    limits: Limits

    @property
    def name(self) -> str:
        return account.name_of(self.company)


@dataclass(frozen=True, slots=True)
class NumberHere:
    id: int
    e164: str
    company_id: int
    telnyx_id: str
    connection_id: str


@dataclass(frozen=True, slots=True)
class NumberThere:
    id: str
    e164: str
    connection_id: str
    connection_name: str
    status: str
    #: Of the order that bought it; ours are unmistakable.
    reference: str = ""


@dataclass(frozen=True, slots=True)
class AgentHere:
    """An agent, and his endpoint as we keep it (empty ids: he has none)."""

    id: int
    name: str
    company_id: int
    #: He answers calls: without a credential he could not.
    answers: bool
    credential_id: str = ""
    sip_username: str = ""


@dataclass(frozen=True, slots=True)
class CredentialThere:
    id: str
    name: str
    sip_username: str
    connection_id: str
    expired: bool


class Reach(StrEnum):
    """What became of the call that nobody can hear."""

    NOT_ASKED = "NOT_ASKED"
    CAME = "CAME"
    DID_NOT_COME = "DID_NOT_COME"
    #: There was nothing to ask with: no number of ours yet, or Telnyx refused the call.
    COULD_NOT_ASK = "COULD_NOT_ASK"


@dataclass(frozen=True, slots=True)
class DoorFacts:
    """Whether what Telnyx signs reaches us and is believed."""

    #: The key that we check with, and the account's as Telnyx tells it (empty: it does not say).
    our_key: str
    their_key: str
    reach: Reach
    origin: str
    #: When something signed came last; None: never, as far as we remember.
    last_signed_at: datetime | None
    #: Why the round trip could not be asked for; empty if it was.
    why_not: str = ""


@dataclass
class Audit:
    """Findings as they are made, and how many things of each kind were looked at."""

    findings: list[Finding] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, findings: Iterable[Finding]) -> None:
        """Count one thing that was looked at, and keep what was found of it."""
        self.looked_at[kind] += 1
        self.findings += findings


# --- Sets ---------------------------------------------------------------------------------------------------------


def of_set(facts: SetFacts, origin: str) -> Iterator[Finding]:
    """Yield what is wrong with the application, connection and profile of a set."""
    profile_id = facts.ids[Part.PROFILE]
    wanted = {
        Part.PROFILE: account.profile(facts.company, facts.limits),
        Part.APPLICATION: account.application(facts.company, origin=origin, profile_id=profile_id),
        Part.CONNECTION: account.connection(facts.company, origin=origin, profile_id=profile_id),
    }
    for part in Part:
        row = facts.rows[part]
        if row is None:
            yield _of_set(facts, "set_missing", part)
            continue
        for one in account.differences(wanted[part], row):
            if one.field.endswith("outbound_voice_profile_id") and not profile_id:
                continue  # Said once, of the profile itself.
            yield _of_set(facts, "set_field", part, field=one.field, found=one.found, wanted=one.wanted)
    found = facts.rows[Part.PROFILE]
    if found is not None and not found.get("daily_spend_limit_enabled") and facts.limits.daily_spend_usd is None:
        yield Finding("no_daily_limit", facts.name, company_id=facts.company_id, our_id=facts.id, is_wrong=False)


def _of_set(facts: SetFacts, code: str, part: Part, *, field: str = "", found: str = "", wanted: str = "") -> Finding:
    return Finding(
        code,
        facts.name,
        company_id=facts.company_id,
        our_id=facts.id,
        telnyx_id=facts.ids[part],
        part=part,
        field=field,
        found=found,
        wanted=wanted,
        repair=Repair.SET,
    )


# --- Numbers ------------------------------------------------------------------------------------------------------


def application_of(sets: Iterable[SetFacts]) -> dict[int | None, str]:
    """Return the TeXML application that is there, by company; under None the platform's."""
    return _part_of(sets, Part.APPLICATION)


def connection_of(sets: Iterable[SetFacts]) -> dict[int | None, str]:
    """Return the credential connection that is there, by company; under None the platform's."""
    return _part_of(sets, Part.CONNECTION)


def _part_of(sets: Iterable[SetFacts], part: Part) -> dict[int | None, str]:
    return {one.company_id: one.ids[part] for one in sets if one.rows[part] is not None}


def of_number(
    there: NumberThere,
    here: NumberHere,
    applications: Mapping[int | None, str],
    connections: Mapping[int | None, str],
) -> Iterator[Finding]:
    """Yield what is wrong with a number of the account; ``here`` is our row of it."""
    wanted = applications.get(here.company_id, applications.get(None, ""))
    common: dict[str, Any] = {"company_id": here.company_id, "our_id": here.id, "telnyx_id": there.id}
    if there.status not in {ACTIVE, ""}:
        yield Finding("number_inactive", there.e164, found=there.status, wanted=ACTIVE, is_wrong=False, **common)
    if wanted and there.connection_id != wanted:
        # The costliest mistake has a line of its own: the two rows that a number may be pointed at bear one name.
        code = "number_bypasses" if there.connection_id in connections.values() else "number_connection"
        found = there.connection_name or there.connection_id
        yield Finding(code, there.e164, found=found, wanted=wanted, repair=Repair.WIRE, **common)
    elif (here.telnyx_id, here.connection_id) != (there.id, there.connection_id):
        yield Finding(
            "number_unlinked", there.e164, found=here.telnyx_id, wanted=there.id, repair=Repair.LINK, **common
        )


def of_unknown_number(
    there: NumberThere, applications: Mapping[int | None, str], bought_by: int | None = None
) -> Iterator[Finding]:
    """Yield a number of the account of which we have no row; ``bought_by`` is the company that ordered it, if one did.

    Wired elsewhere it is another program's, which may share the account; unless we ordered it, and gave up too early.
    """
    yield Finding(
        "number_unknown",
        there.e164,
        found=there.connection_name or there.connection_id,
        telnyx_id=there.id,
        company_id=bought_by,
        repair=Repair.ADOPT if bought_by else None,
        is_wrong=bool(bought_by) or there.connection_id in applications.values(),
    )


def of_missing_number(here: NumberHere) -> Finding:
    return Finding("number_missing", here.e164, company_id=here.company_id, our_id=here.id)


# --- Credentials --------------------------------------------------------------------------------------------------


def of_agent(
    agent: AgentHere, there: Mapping[str, CredentialThere], connections: Mapping[int | None, str]
) -> Iterator[Finding]:
    """Yield what is wrong with an agent's credential; ``there`` are the account's, by id."""
    common: dict[str, Any] = {"company_id": agent.company_id, "our_id": agent.id, "repair": Repair.CREDENTIAL}
    if not agent.answers:
        if agent.credential_id:
            yield Finding(
                "credential_of_nobody", agent.name, found=agent.sip_username, telnyx_id=agent.credential_id, **common
            )
        return
    if not agent.credential_id:
        yield Finding("agent_without_credential", agent.name, **common)
        return
    common["telnyx_id"] = agent.credential_id
    credential = there.get(agent.credential_id)
    if credential is None:
        yield Finding("credential_gone", agent.name, found="", wanted=agent.sip_username, **common)
        return
    wanted = connections.get(agent.company_id, connections.get(None, ""))
    if credential.expired:
        yield Finding("credential_expired", agent.name, found=credential.sip_username, **common)
    elif credential.sip_username != agent.sip_username:
        yield Finding("credential_name", agent.name, found=agent.sip_username, wanted=credential.sip_username, **common)
    elif wanted and credential.connection_id != wanted:
        yield Finding("credential_elsewhere", agent.name, found=credential.connection_id, wanted=wanted, **common)


def of_credential(
    credential: CredentialThere,
    *,
    used: Mapping[str, AgentHere],
    companies: Mapping[str, int],
    connections: Mapping[int | None, str],
) -> Iterator[Finding]:
    """Yield what is wrong with a credential of the account that no agent of ours uses.

    ``used`` holds agents by credential; ``companies`` ids by public id. What bears the name of a company that is not
    here is another installation's, or another program's, and is left alone.
    """
    if credential.id in used or credential.name == PROBE_NAME:
        return
    named = CREDENTIAL_NAME.fullmatch(credential.name)
    if named and named[2] in companies:
        yield Finding(
            "credential_orphan",
            credential.name,
            found=credential.sip_username,
            company_id=companies[named[2]],
            telnyx_id=credential.id,
            repair=Repair.DELETE_CREDENTIAL,
        )
    elif credential.connection_id in connections.values():
        yield Finding(
            "credential_foreign",
            credential.name or credential.sip_username,
            found=credential.sip_username,
            telnyx_id=credential.id,
            is_wrong=False,
        )


# --- The door, and money ------------------------------------------------------------------------------------------


def of_door(facts: DoorFacts) -> Iterator[Finding]:
    """Yield what keeps Telnyx's signed requests from us."""
    if facts.their_key and facts.their_key != facts.our_key:
        yield Finding("public_key", facts.origin, found=facts.our_key, wanted=facts.their_key)
    last = facts.last_signed_at.isoformat(timespec="seconds") if facts.last_signed_at else ""
    if facts.reach is Reach.DID_NOT_COME:
        yield Finding("no_round_trip", facts.origin, found=last)
    elif facts.reach is Reach.COULD_NOT_ASK and facts.last_signed_at is None:
        yield Finding("never_heard", facts.origin, found=facts.why_not, is_wrong=False)


def of_no_answer(what: str, why_not: str) -> Finding:
    """Return the line of something that could not be asked: balance, public_key or round_trip."""
    return Finding("not_answered", what, found=why_not, is_wrong=False)


def of_balance(available: Decimal | None, currency: str) -> Iterator[Finding]:
    if available is not None and available < LOW_BALANCE:
        yield Finding("balance_low", "Telnyx", found=f"{available:.2f} {currency}", wanted=f"{LOW_BALANCE} {currency}")
