"""The audit's comparison, on plain facts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from telephony.core import account, audit
from telephony.core.account import Difference, Limits, Part
from telephony.core.audit import (
    AgentHere,
    CredentialThere,
    DoorFacts,
    NumberHere,
    NumberThere,
    Reach,
    Repair,
    SetFacts,
)

ORIGIN = "https://voice.test"
APPLICATIONS: Mapping[int | None, str] = {None: "app", 2: "app-of-2"}
CONNECTIONS: Mapping[int | None, str] = {None: "con", 2: "con-of-2"}
HERE = NumberHere(7, "+13055550100", 1, "71", "app")


def a_set(company: str = "", limits: Limits = Limits(), **rows: Any) -> SetFacts:  # noqa: B008
    right = {
        Part.PROFILE: account.profile(company, limits) | {"daily_spend_limit_enabled": True},
        Part.APPLICATION: account.application(company, origin=ORIGIN, profile_id="pro"),
        Part.CONNECTION: account.connection(company, origin=ORIGIN, profile_id="pro"),
    }
    ids = {Part.PROFILE: "pro", Part.APPLICATION: "app", Part.CONNECTION: "con"}
    return SetFacts(1, None, company, ids, {**right, **{Part(name): row for name, row in rows.items()}}, limits)


def codes(findings: Any) -> list[str]:
    return [one.code for one in findings]


# --- What differs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found", "differ"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),  # What we did not ask for is not ours to judge.
        ({"a": True}, {"a": False}, [("a", "false", "true")]),
        ({"a": True}, {}, [("a", "", "true")]),
        ({"a": "post"}, {"a": None}, [("a", "", "post")]),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, [("a.b", "2", "1")]),
        ({"a": {"b": 1}}, {"a": None}, [("a.b", "", "1")]),
        ({"a": ["US", "MX"]}, {"a": ["MX", "US"]}, []),
        ({"a": ["US"]}, {"a": ["US", "ES"]}, [("a", "ES, US", "US")]),
        ({"a": ["US"]}, {"a": "US"}, [("a", "US", "US")]),
        ({"a": "50.00"}, {"a": "50.0"}, []),
        ({"a": "50.00"}, {"a": 50}, []),
        ({"a": "50.00"}, {"a": "5.00"}, [("a", "5.00", "50.00")]),
        ({"a": "true"}, {"a": True}, [("a", "true", "true")]),
        ({"a": 5}, {"a": 5.0}, []),
    ],
)
def test_what_differs(wanted: Any, found: Any, differ: list[tuple[str, str, str]]) -> None:
    assert list(account.differences(wanted, found)) == [Difference(*one) for one in differ]


# --- Sets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("company", ["", "b5325600"])
def test_a_set_that_is_right_is_not_complained_of(company: str) -> None:
    assert list(audit.of_set(a_set(company), ORIGIN)) == []


def test_addresses_of_a_companys_own_set_name_the_company() -> None:
    wanted = account.application("b5325600", origin=ORIGIN, profile_id="pro")

    assert wanted["voice_url"] == "https://voice.test/webhooks/telnyx/voice/b5325600"
    assert wanted["status_callback"] == "https://voice.test/webhooks/telnyx/status/b5325600"
    assert wanted["friendly_name"] == "Curbe Voice b5325600"


def test_what_is_missing_is_said_once_and_not_of_what_names_it() -> None:
    bare = a_set(outbound_voice_profiles=None)
    bare = SetFacts(1, None, "", {**bare.ids, Part.PROFILE: ""}, bare.rows, bare.limits)

    (one,) = audit.of_set(bare, ORIGIN)

    assert (one.code, one.part, one.repair) == ("set_missing", "outbound_voice_profiles", Repair.SET)


def test_no_daily_limit_is_something_to_know_unless_somebody_set_one() -> None:
    profile = account.profile("", Limits())

    (one,) = audit.of_set(a_set(outbound_voice_profiles=profile), ORIGIN)
    assert (one.code, one.is_wrong, one.repair) == ("no_daily_limit", False, None)

    limits = Limits(daily_spend_usd=Decimal(50))
    found = list(audit.of_set(a_set("", limits, outbound_voice_profiles=profile), ORIGIN))
    assert [one.field for one in found] == ["daily_spend_limit_enabled", "daily_spend_limit"]


# --- Numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "here", "found"),
    [
        (("71", "app", "active"), HERE, []),
        (("71", "", "active"), HERE, ["number_connection"]),
        (("71", "else", "active"), HERE, ["number_connection"]),
        (("71", "con", "active"), HERE, ["number_bypasses"]),
        (("71", "con-of-2", "active"), HERE, ["number_bypasses"]),
        (("71", "app-of-2", "active"), HERE, ["number_connection"]),
        (("72", "app", "active"), HERE, ["number_unlinked"]),
        (("71", "app", "port-pending"), HERE, ["number_inactive"]),
        (("71", "app", "active"), NumberHere(7, HERE.e164, 2, "71", "app"), ["number_connection"]),
        (("71", "app-of-2", "active"), NumberHere(7, HERE.e164, 2, "71", "app-of-2"), []),
        (("71", "app", "active"), NumberHere(7, HERE.e164, 1, "", ""), ["number_unlinked"]),
    ],
)
def test_a_number(there: tuple[str, str, str], here: NumberHere, found: list[str]) -> None:
    number_id, connection_id, status = there
    number = NumberThere(number_id, HERE.e164, connection_id, "", status)

    assert codes(audit.of_number(number, here, APPLICATIONS, CONNECTIONS)) == found


def test_nothing_is_wanted_of_a_number_while_there_is_no_application() -> None:
    number = NumberThere("71", HERE.e164, "app", "", "active")

    assert list(audit.of_number(number, HERE, {}, {})) == []


@pytest.mark.parametrize(("connection_id", "is_wrong"), [("app", True), ("app-of-2", True), ("else", False)])
def test_a_number_of_nobody_is_wrong_only_when_it_is_wired_to_us(connection_id: str, is_wrong: bool) -> None:
    number = NumberThere("71", HERE.e164, connection_id, "", "active")

    (one,) = audit.of_unknown_number(number, APPLICATIONS)

    assert (one.code, one.is_wrong, one.repair, one.company_id) == ("number_unknown", is_wrong, None, None)


def test_a_number_of_nobody_that_a_company_ordered_is_given_to_it() -> None:
    number = NumberThere("71", HERE.e164, "else", "", "active")

    (one,) = audit.of_unknown_number(number, APPLICATIONS, bought_by=1)

    assert (one.is_wrong, one.repair, one.company_id) == (True, Repair.ADOPT, 1)


# --- Credentials --------------------------------------------------------------------------------------------------


def there(**fields: Any) -> dict[str, CredentialThere]:
    values = {"id": "c1", "name": "n", "sip_username": "gen1", "connection_id": "con", "expired": False}
    one = CredentialThere(**{**values, **fields})
    return {one.id: one}


@pytest.mark.parametrize(
    ("agent", "credentials", "found"),
    [
        (AgentHere(1, "Bob", 1, True, "c1", "gen1"), there(), []),
        (AgentHere(1, "Bob", 1, True), {}, ["agent_without_credential"]),
        (AgentHere(1, "Bob", 1, True, "c1", "gen1"), {}, ["credential_gone"]),
        (AgentHere(1, "Bob", 1, True, "c1", "gen1"), there(expired=True), ["credential_expired"]),
        (AgentHere(1, "Bob", 1, True, "c1", "gen9"), there(), ["credential_name"]),
        (AgentHere(1, "Bob", 1, True, "c1", "gen1"), there(connection_id="old"), ["credential_elsewhere"]),
        (AgentHere(1, "Bob", 2, True, "c1", "gen1"), there(), ["credential_elsewhere"]),
        (AgentHere(1, "Bob", 2, True, "c1", "gen1"), there(connection_id="con-of-2"), []),
        (AgentHere(1, "Bob", 1, False, "c1", "gen1"), there(), ["credential_of_nobody"]),
        (AgentHere(1, "Bob", 1, False), {}, []),
    ],
)
def test_an_agent(agent: AgentHere, credentials: dict[str, CredentialThere], found: list[str]) -> None:
    assert codes(audit.of_agent(agent, credentials, CONNECTIONS)) == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"name": "curbe-agent-9-0000acme"}, []),  # no hex: not a name of ours, and on another connection
        ({"name": "curbe-agent-9-aaaaaaaa"}, ["credential_orphan"]),
        ({"name": "curbe-agent-9-bbbbbbbb"}, []),  # another installation's
        ({"name": "curbe-agent-9-bbbbbbbb", "connection_id": "con"}, ["credential_foreign"]),
        ({"name": "the door", "connection_id": "con"}, ["credential_foreign"]),
        ({"name": "curbe-probe", "connection_id": "con"}, []),
        ({"id": "used", "name": "curbe-agent-9-aaaaaaaa"}, []),
    ],
)
def test_a_credential_that_no_agent_uses(fields: dict[str, str], found: list[str]) -> None:
    (credential,) = there(**{"connection_id": "else", **fields}).values()
    used = {"used": AgentHere(1, "Bob", 1, True, "used", "gen1")}

    findings = audit.of_credential(credential, used=used, companies={"aaaaaaaa": 1}, connections=CONNECTIONS)

    assert codes(findings) == found


# --- The door and the money ---------------------------------------------------------------------------------------

SIGNED = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (DoorFacts("k", "k", Reach.CAME, ORIGIN, SIGNED), []),
        (DoorFacts("k", "", Reach.CAME, ORIGIN, SIGNED), []),  # Telnyx does not say its key.
        (DoorFacts("k", "l", Reach.CAME, ORIGIN, SIGNED), ["public_key"]),
        (DoorFacts("k", "k", Reach.DID_NOT_COME, ORIGIN, SIGNED), ["no_round_trip"]),
        (DoorFacts("k", "k", Reach.COULD_NOT_ASK, ORIGIN, SIGNED), []),
        (DoorFacts("k", "k", Reach.COULD_NOT_ASK, ORIGIN, None, "NO_NUMBER"), ["never_heard"]),
        (DoorFacts("k", "k", Reach.NOT_ASKED, ORIGIN, None), []),
    ],
)
def test_the_door(facts: DoorFacts, found: list[str]) -> None:
    assert codes(audit.of_door(facts)) == found


@pytest.mark.parametrize(("available", "found"), [("9.99", ["balance_low"]), ("10.00", []), ("-1", ["balance_low"])])
def test_the_balance(available: str, found: list[str]) -> None:
    assert codes(audit.of_balance(Decimal(available), "USD")) == found
    assert list(audit.of_balance(None, "")) == []
