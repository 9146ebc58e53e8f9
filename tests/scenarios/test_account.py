"""The account set up, spoilt in the portal, audited and repaired: against the pretend Telnyx, over HTTP, both ways."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from agents.models import Activity, Agent
from curbe.companies.models import Company
from telephony.core.account import Part
from telephony.models import (
    AccountAudit,
    AccountRepair,
    Asker,
    AuditFinding,
    Call,
    NumberOrder,
    NumberRelease,
    PhoneNumber,
    SipEndpoint,
    TelnyxAccount,
)
from telephony.operations import account_repairs, audits, endpoints
from telephony.operations.account_repairs import By
from telephony.sandbox.account.numbers import number_resource
from telephony.telnyx import client as client_module
from telephony.telnyx.account import ensure_account
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxUnreachable
from telephony.telnyx.transport import PAGE_SIZE, Transport, Wish
from tests import cast
from tests.telnyx.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]

NUMBER = "+13055550100"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(sandbox: Sandbox, settings: Settings, live_server: LiveServer) -> Iterator[Sandbox]:
    """The sandbox and Curbe, each reaching the other."""
    settings.PUBLIC_URL = live_server.url
    client_module._clients.clear()
    yield sandbox
    client_module._clients.clear()


@pytest.fixture
def acme(db: None) -> Company:
    return cast.make_company("acme", name="Acme Seguros", timezone="America/New_York", language="es")


@pytest.fixture
def ready(house: Sandbox, acme: Company) -> Sandbox:
    """An account that is as it should be: one number, two agents."""
    cast.make_number(acme, NUMBER, destination=PhoneNumber.Destination.VOICEMAIL)
    cast.make_agent(acme, "bob")
    cast.make_agent(acme, "ben")
    house.control("numbers", e164=NUMBER)
    assert audit(fix=True) == ""
    return house


def audit(*options: str, fix: bool = False) -> str:
    """Run the command; return its complaint, empty for none."""
    try:
        call_command("telnyx_audit", *(["--fix"] if fix else []), *options, stdout=io.StringIO())
    except CommandError as err:
        return str(err)
    return ""


def told(*options: str) -> str:
    out = io.StringIO()
    with suppress(CommandError):
        call_command("telnyx_audit", *options, stdout=out)
    return out.getvalue()


def codes() -> list[tuple[str, str]]:
    newest = AccountAudit.objects.latest("id")
    return [(one.code, one.field or one.subject) for one in newest.findings.filter(is_wrong=True).order_by("id")]


def the_set() -> TelnyxAccount:
    return TelnyxAccount.objects.get(company=None)


# --- Set up by one command ----------------------------------------------------------------------------------------


def test_an_empty_account_is_set_up_by_one_command(house: Sandbox, acme: Company) -> None:
    number = cast.make_number(acme, NUMBER)
    agent = cast.make_agent(acme, "bob")
    house.control("numbers", e164=NUMBER)

    assert audit(fix=True) == ""

    account = the_set()
    number.refresh_from_db()
    there = house.row("phone_numbers", number.telnyx_id)
    assert there["connection_id"] == account.texml_application_id == number.connection_id
    application = house.row("texml_applications", account.texml_application_id)
    assert application["voice_url"].endswith("/webhooks/telnyx/inbound")
    assert application["outbound"]["outbound_voice_profile_id"] == account.outbound_voice_profile_id
    recording = house.row("outbound_voice_profiles", account.outbound_voice_profile_id)["call_recording"]
    assert (recording["call_recording_type"], recording["call_recording_channels"]) == ("all", "dual")
    credential = house.row("telephony_credentials", SipEndpoint.objects.get(agent=agent).telnyx_credential_id)
    assert credential["resource_id"] == f"connection:{account.credential_connection_id}"


def test_a_second_run_changes_nothing(ready: Sandbox) -> None:
    before = {name: ready.table(name) for name in ("texml_applications", "telephony_credentials", "phone_numbers")}
    repairs = AccountRepair.objects.count()

    assert audit(fix=True) == ""

    assert {name: ready.table(name) for name in before} == before
    assert AccountRepair.objects.count() == repairs


def test_an_audit_without_fix_finds_an_empty_account_and_leaves_it_empty(house: Sandbox, acme: Company) -> None:
    cast.make_number(acme, NUMBER)

    complaint = audit()

    assert complaint == "4 thing(s) wrong in the Telnyx account"
    assert [code for code, _ in codes()] == ["set_missing", "set_missing", "set_missing", "number_missing"]
    assert house.table("texml_applications") == {}
    assert not TelnyxAccount.objects.exists()


@pytest.mark.parametrize("steps", range(6))
def test_a_set_up_that_fails_half_way_is_completed_by_the_next_one(
    house: Sandbox, acme: Company, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Telnyx dies after so many writes, each carried out and its answer lost."""
    agent = cast.make_agent(acme, "bob")
    number = cast.make_number(acme, NUMBER)
    house.control("numbers", e164=NUMBER)
    transport = type(house.client()._transport)
    send, written = transport._send_once, 0

    def dies(self: Any, wish: Any) -> Any:
        nonlocal written
        answer = send(self, wish)
        if wish.method != "GET":
            written += 1
            if written == steps + 1:
                raise TelnyxUnreachable(str(wish), "no answer within 8 s")
        return answer

    monkeypatch.setattr(transport, "_send_once", dies)
    audit(fix=True)
    monkeypatch.setattr(transport, "_send_once", send)

    assert audit(fix=True) == ""

    for part in Part:
        assert len(house.table(part)) == 1, part
    names = [row["name"] for row in house.table("telephony_credentials").values()]
    assert sorted(names) == sorted([endpoints.tag_of(agent), "curbe-probe"])
    number.refresh_from_db()
    assert number.connection_id == the_set().texml_application_id


# --- Somebody changed something in the portal ---------------------------------------------------------------------


def test_a_repointed_number_is_found_and_repaired_and_the_next_call_comes_through(ready: Sandbox) -> None:
    account = the_set()
    ready.control("numbers", e164=NUMBER, connection_id=account.credential_connection_id)
    call = {"to": NUMBER, "from": "+13055551234", "media": False, "hold_line_s": 5}
    assert "Curbe would not be asked" in ready.refused("calls", **call)

    assert audit() == "1 thing(s) wrong in the Telnyx account"
    assert codes() == [("number_bypasses", NUMBER)]
    finding = AuditFinding.objects.latest("id")
    assert (finding.found, finding.wanted) == ("Curbe Voice", account.texml_application_id)

    assert audit(fix=True) == ""
    ready.control("calls", **call)
    wait_until(lambda: Call.objects.filter(to_number=NUMBER).exists())
    ready.control("calls/end_all")
    event = AccountRepair.objects.get(repair="WIRE", code="number_bypasses")
    assert (event.after, event.outcome, event.asked_through) == (account.texml_application_id, "DONE", "COMMAND")


def test_a_number_that_was_unwired_is_found_too(ready: Sandbox) -> None:
    ready.control("numbers", e164=NUMBER, connection_id=None)

    assert audit() and codes() == [("number_connection", NUMBER)]
    assert audit(fix=True) == ""


@pytest.mark.parametrize(
    "part, field, value, name",
    [
        (Part.APPLICATION, "voice_url", "https://else.test/voice", "voice_url"),
        (Part.APPLICATION, "voice_method", "get", "voice_method"),
        (Part.APPLICATION, "status_callback", "", "status_callback"),
        (Part.APPLICATION, "active", False, "active"),
        (Part.APPLICATION, "outbound", {"outbound_voice_profile_id": None}, "outbound.outbound_voice_profile_id"),
        (Part.CONNECTION, "sip_uri_calling_preference", "disabled", "sip_uri_calling_preference"),
        (Part.CONNECTION, "webhook_event_url", "https://else.test", "webhook_event_url"),
        (Part.PROFILE, "enabled", False, "enabled"),
        (
            Part.PROFILE,
            "call_recording",
            {"call_recording_type": "none", "call_recording_channels": "dual", "call_recording_format": "mp3"},
            "call_recording.call_recording_type",
        ),
    ],
)
def test_a_field_that_somebody_changed_is_found_and_put_back(
    ready: Sandbox, part: Part, field: str, value: object, name: str
) -> None:
    row_id = next(iter(ready.table(part)))
    before = ready.row(part, row_id)[field]
    ready.spoil(part, row_id, **{field: value})

    assert audit() == "1 thing(s) wrong in the Telnyx account"
    assert codes() == [("set_field", name)]
    assert audit(fix=True) == ""

    assert ready.row(part, row_id)[field] == before


def test_a_connection_that_parks_no_more_is_put_right_in_one_request(ready: Sandbox) -> None:
    connection_id = the_set().credential_connection_id
    outbound = ready.row(Part.CONNECTION, connection_id)["outbound"] | {"call_parking_enabled": False}
    ready.spoil(Part.CONNECTION, connection_id, outbound=outbound, webhook_api_version="1")

    assert audit() and {field for _, field in codes()} == {"webhook_api_version", "outbound.call_parking_enabled"}
    assert audit(fix=True) == ""

    assert AccountRepair.objects.filter(code="set_field").count() == 1


def test_limits_are_ours_only_where_somebody_set_them(ready: Sandbox) -> None:
    profile_id = the_set().outbound_voice_profile_id
    ready.spoil(Part.PROFILE, profile_id, daily_spend_limit="5.0")
    assert audit() == ""
    # Where its companies call is theirs to say, until the operator says it.
    ready.spoil(Part.PROFILE, profile_id, whitelisted_destinations=["ES"])
    assert audit() and codes() == [("set_field", "whitelisted_destinations")]

    TelnyxAccount.objects.update(destinations=["US", "MX"], daily_spend_usd="50.00", concurrent_calls=20)

    assert audit() == "4 thing(s) wrong in the Telnyx account"
    assert audit(fix=True) == ""
    profile = ready.row(Part.PROFILE, profile_id)
    assert (profile["whitelisted_destinations"], profile["daily_spend_limit"]) == (["US", "MX"], "50.00")
    assert (profile["daily_spend_limit_enabled"], profile["concurrent_call_limit"]) == (True, 20)
    # Telnyx may write the same amount in another way.
    ready.spoil(Part.PROFILE, profile_id, daily_spend_limit="50.0")
    assert audit() == ""


# --- Numbers and credentials that belong to nobody ----------------------------------------------------------------


def test_a_number_that_is_not_in_the_account_cannot_be_repaired_and_is_said(ready: Sandbox, acme: Company) -> None:
    cast.make_number(acme, "+13055550199")

    assert audit(fix=True) == "1 thing(s) wrong in the Telnyx account"
    assert codes() == [("number_missing", "+13055550199")]


def test_a_number_of_the_account_that_is_nobodys_is_wrong_only_when_it_is_wired_to_us(ready: Sandbox) -> None:
    ready.control("numbers", e164="+13055550999")
    assert audit() == ""
    assert AuditFinding.objects.latest("id").code == "number_unknown"

    ready.control("numbers", e164="+13055550999", connection_id=the_set().texml_application_id)

    assert audit(fix=True) == "1 thing(s) wrong in the Telnyx account"
    assert PhoneNumber.objects.count() == 1


def test_a_number_that_a_company_file_brought_is_linked(ready: Sandbox, acme: Company) -> None:
    brought = cast.make_number(acme, "+13055550101")
    ready.control("numbers", e164="+13055550101", connection_id=the_set().texml_application_id)

    assert audit() and codes() == [("number_unlinked", "+13055550101")]
    assert audit(fix=True) == ""

    brought.refresh_from_db()


def test_credentials_that_nobody_has_any_more_are_deleted_and_foreign_ones_left(ready: Sandbox, acme: Company) -> None:
    client, connection_id = ready.client(), the_set().credential_connection_id
    client.create_credential(connection_id=connection_id, tag=f"curbe-agent-999999-{acme.public_id}")
    client.create_credential(connection_id=connection_id, tag="curbe-agent-7-ffffffff")
    client.create_credential(connection_id=connection_id, tag="the door's own telephone")

    assert audit() == "1 thing(s) wrong in the Telnyx account"
    assert codes() == [("credential_orphan", f"curbe-agent-999999-{acme.public_id}")]
    assert audit(fix=True) == ""

    names = {row["name"] for row in ready.table("telephony_credentials").values()}
    assert {"curbe-agent-7-ffffffff", "the door's own telephone"} < names
    assert f"curbe-agent-999999-{acme.public_id}" not in names


def test_agents_without_a_credential_get_one(ready: Sandbox) -> None:
    bob = Agent.objects.get(user__username="bob")
    ben = Agent.objects.get(user__username="ben")
    SipEndpoint.objects.filter(agent=bob).delete()
    ready.client().delete_credential(SipEndpoint.objects.get(agent=ben).telnyx_credential_id)

    assert audit() and {code for code, _ in codes()} == {
        "agent_without_credential",
        "credential_gone",
        "credential_orphan",
    }
    assert audit(fix=True) == ""

    kept = {one.telnyx_credential_id for one in SipEndpoint.objects.all()}
    ours = {row["id"] for row in ready.table("telephony_credentials").values() if row["name"] != "curbe-probe"}
    assert kept == ours and len(kept) == 2


# --- An agent's credential: renewed, deleted with him -------------------------------------------------------------


def test_a_renewed_credential_takes_the_place_of_the_old_one(ready: Sandbox) -> None:
    bob = Agent.objects.select_related("user", "company").get(user__username="bob")
    old = SipEndpoint.objects.get(agent=bob)

    new = endpoints.renew_endpoint(bob, ready.client(), timezone.now())

    assert new.sip_username != old.sip_username
    assert old.telnyx_credential_id not in ready.table("telephony_credentials")
    assert ready.row("telephony_credentials", new.telnyx_credential_id)["sip_username"] == new.sip_username
    assert audit() == ""


def test_who_is_switched_off_loses_his_credential_unless_he_talks(ready: Sandbox) -> None:
    bob = Agent.objects.select_related("user", "company").get(user__username="bob")
    credential_id = SipEndpoint.objects.get(agent=bob).telnyx_credential_id
    Agent.objects.filter(pk=bob.pk).update(is_active=False, activity=Activity.ON_CALL)
    bob.refresh_from_db()

    with pytest.raises(endpoints.IsTalking):
        endpoints.revoke_endpoint(bob, ready.client())
    assert credential_id in ready.table("telephony_credentials")

    Agent.objects.filter(pk=bob.pk).update(activity=Activity.IDLE)
    assert endpoints.revoke_endpoint(bob, ready.client())
    assert credential_id not in ready.table("telephony_credentials")
    assert not SipEndpoint.objects.filter(agent=bob).exists()
    assert not endpoints.revoke_endpoint(bob, ready.client())


def test_an_agent_who_was_switched_off_unheard_is_found_by_the_audit(ready: Sandbox) -> None:
    bob = Agent.objects.get(user__username="bob")
    Agent.objects.filter(pk=bob.pk).update(is_active=False)

    assert audit() and codes() == [("credential_of_nobody", "Bob")]
    assert audit(fix=True) == ""

    assert not SipEndpoint.objects.filter(agent=bob).exists()


# --- A set of a company's own -------------------------------------------------------------------------------------


def test_a_company_moves_to_a_set_of_its_own(ready: Sandbox, acme: Company) -> None:
    other = cast.make_company("other")
    cast.make_number(other, "+13055550200")
    ready.control("numbers", e164="+13055550200", connection_id=the_set().texml_application_id)
    platform_sip = SipEndpoint.objects.get(agent__user__username="bob").sip_username
    TelnyxAccount.objects.create(company=acme)

    assert audit(fix=True) == ""

    own = TelnyxAccount.objects.get(company=acme)
    application = ready.row(Part.APPLICATION, own.texml_application_id)
    assert application["voice_url"].endswith(f"/webhooks/telnyx/voice/{acme.public_id}")
    assert PhoneNumber.objects.get(e164=NUMBER).connection_id == own.texml_application_id
    assert PhoneNumber.objects.get(e164="+13055550200").connection_id == the_set().texml_application_id
    bobs = SipEndpoint.objects.get(agent__user__username="bob")
    assert (bobs.connection_id, bobs.sip_username != platform_sip) == (own.credential_connection_id, True)


def test_the_set_up_command_makes_a_companys_own_set_and_later_runs_leave_it_so(ready: Sandbox, acme: Company) -> None:
    call_command("telnyx_setup", "--company", "acme", stdout=io.StringIO())
    own = TelnyxAccount.objects.get(company=acme)
    assert PhoneNumber.objects.get(e164=NUMBER).connection_id == own.texml_application_id

    call_command("telnyx_setup", stdout=io.StringIO())
    call_command("sandbox_numbers", stdout=io.StringIO())

    assert PhoneNumber.objects.get(e164=NUMBER).connection_id == own.texml_application_id
    with pytest.raises(CommandError, match="no company nobody"):
        call_command("telnyx_setup", "--company", "nobody")


def test_a_repair_for_one_company_touches_nobody_elses(ready: Sandbox, acme: Company) -> None:
    other = cast.make_company("other")
    cast.make_number(other, "+13055550200")
    ready.control("numbers", e164="+13055550200")
    ready.control("numbers", e164=NUMBER, connection_id=None)
    run = audits.begin(By(Asker.PAGE), timezone.now())

    audits.run(run, ready.client(), fix=True, only=acme)

    assert [one.subject for one in run.findings.filter(is_wrong=True)] == ["+13055550200"]
    assert ready.world.account.number("+13055550200")["connection_id"] is None  # type: ignore[index]


# --- The door and the money ---------------------------------------------------------------------------------------


def test_the_round_trip_came_back_signed(ready: Sandbox) -> None:
    assert AccountAudit.objects.latest("id").facts["reach"] == "CAME"


def test_an_address_that_telnyx_cannot_reach_is_found(
    ready: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.operations.round_trip.WAIT_S", 0.5)
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    ensure_account(ready.client(), timezone.now())

    assert audit() and codes() == [("no_round_trip", "http://127.0.0.1:9")]


def test_a_key_that_is_not_the_accounts_is_found(
    ready: Sandbox, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telephony.operations.round_trip.WAIT_S", 0.5)
    settings.TELNYX_PUBLIC_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

    assert audit()

    assert [code for code, _ in codes()] == ["public_key", "no_round_trip"]


def test_a_low_balance_is_said(ready: Sandbox) -> None:
    ready.control("settings", balance="3.20")

    assert audit() and codes() == [("balance_low", "Telnyx")]
    assert "3.20 USD" in told()


# --- Numbers on their way -----------------------------------------------------------------------------------------


def ordered(acme: Company, e164: str, state: str, *, ended_ago: timedelta | None = None) -> NumberOrder:
    now = timezone.now()
    return NumberOrder.objects.create(
        company=acme,
        e164=e164,
        state=state,
        customer_reference=f"curbe-{e164}",
        connection_id=the_set().texml_application_id,
        sent_at=now - timedelta(days=1),
        created_at=now - timedelta(days=1),
        ended_at=None if ended_ago is None else now - ended_ago,
    )


def test_numbers_that_are_being_bought_or_given_back_are_nobodys_mistake(ready: Sandbox, acme: Company) -> None:
    ready.control("numbers", e164="+13055550301", connection_id=the_set().texml_application_id)
    order = ordered(acme, "+13055550301", NumberOrder.State.PENDING)
    cast.make_number(acme, "+13055550302", telnyx_id="71", connection_id=the_set().texml_application_id)
    now = timezone.now()
    NumberRelease.objects.create(company=acme, e164="+13055550302", created_at=now, next_look_at=now)

    assert audit() == ""

    NumberRelease.objects.all().delete()
    NumberOrder.objects.filter(pk=order.pk).update(state=NumberOrder.State.FAILED, ended_at=now)
    assert audit()
    assert sorted(codes()) == [("number_missing", "+13055550302"), ("number_unknown", "+13055550301")]


def test_a_number_whose_order_was_given_up_is_given_to_who_ordered_it(ready: Sandbox, acme: Company) -> None:
    ready.control("numbers", e164="+13055550301")
    ordered(acme, "+13055550301", NumberOrder.State.FAILED, ended_ago=timedelta(hours=20))
    # Somebody else who shares the account may have bought it: neither wired to us, nor under our reference.
    assert audit() == ""
    (there,) = [row for row in ready.table("phone_numbers").values() if row["phone_number"] == "+13055550301"]
    ready.spoil("phone_numbers", there["id"], customer_reference="curbe-+13055550301")
    assert audit() and codes() == [("number_unknown", "+13055550301")]

    assert audit(fix=True) == ""

    number = PhoneNumber.objects.get(e164="+13055550301")
    assert (number.company, number.connection_id) == (acme, the_set().texml_application_id)
    assert AccountRepair.objects.get(repair="ADOPT").company == acme


def test_an_audit_asks_for_pages_and_never_for_a_number(
    ready: Sandbox, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    application_id = the_set().texml_application_id
    amount = 2 * PAGE_SIZE + 20
    for place in range(amount):
        number = number_resource(f"+1305777{place:04}", connection_id=application_id, customer_reference=None)
        ready.world.account.tables["phone_numbers"][number["id"]] = number
        cast.make_number(acme, number["phone_number"], telnyx_id=number["id"], connection_id=application_id)
    asked: list[str] = []
    send_once = Transport._send_once

    def counted(self: Transport, wish: Wish) -> Any:
        asked.append(str(wish))
        return send_once(self, wish)

    monkeypatch.setattr(Transport, "_send_once", counted)
    assert audit() == ""

    assert asked.count("GET /phone_numbers") == 3
    assert not [one for one in asked if one.startswith("GET /phone_numbers/")]
    # Three rows of the set, the credentials, the balance, the key, and the call that nobody hears.
    assert len(asked) <= 3 + 10


# --- Telnyx in trouble --------------------------------------------------------------------------------------------


def test_telnyx_away_ends_the_command_in_words_and_is_kept(ready: Sandbox) -> None:
    ready.control("trouble", refuse_api="500")

    assert "did not answer" in audit()

    failed = AccountAudit.objects.latest("id")
    assert failed.finished_at is not None and "did not answer" in failed.error
    ready.control("trouble", all_off=True)
    assert audit() == ""


@pytest.mark.parametrize("method", ["balance", "public_key", "ring_nobody"])
def test_a_question_that_telnyx_does_not_answer_costs_only_its_own_line(
    ready: Sandbox, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    ready.control("numbers", e164=NUMBER, connection_id=None)

    def away(*_: Any, **__: Any) -> None:
        raise TelnyxUnreachable(method, "it says 500")

    monkeypatch.setattr(TelnyxClient, method, away)

    assert audit() == "1 thing(s) wrong in the Telnyx account"
    newest = AccountAudit.objects.latest("id")
    found = newest.findings.exclude(code="no_daily_limit").order_by("is_wrong")
    assert [(one.code, one.is_wrong) for one in found] == [("not_answered", False), ("number_connection", True)]
    assert "Not checked: " in told()


def test_a_repair_that_telnyx_refuses_is_an_event_and_stops_no_other(ready: Sandbox, acme: Company) -> None:
    cast.make_number(acme, "+13055550101")
    ready.control("numbers", e164="+13055550101")
    ready.control("numbers", e164=NUMBER, connection_id=None)
    assert audit()
    first = AuditFinding.objects.filter(code="number_connection", subject=NUMBER).latest("id")
    ready.world.account.remove("phone_numbers", first.telnyx_id)

    done = account_repairs.repair_kept(first, By(Asker.PAGE), ready.client(), timezone.now())

    assert (done.outcome, done.error) == ("FAILED", "NOT_AT_TELNYX")
    first.refresh_from_db()
    assert first.repaired_at is None
    assert audit(fix=True) == "1 thing(s) wrong in the Telnyx account"
    assert codes() == [("number_missing", NUMBER)]


def test_two_audits_do_not_run_at_once(ready: Sandbox) -> None:
    audits.begin(By(Asker.PAGE), timezone.now())

    assert "Another audit runs" in audit()


def test_the_command_says_what_is_what_should_be_and_why(ready: Sandbox) -> None:
    ready.control("numbers", e164=NUMBER, connection_id=the_set().credential_connection_id)

    said = told()

    assert "WRONG  +1 305-555-0100 bypasses Curbe Voice [Acme Seguros]" in said
    assert "is: wired to the SIP connection “Curbe Voice”" in said
    assert f"should be: wired to the TeXML application {the_set().texml_application_id}" in said
    assert "ring a browser directly" in said
    assert "--fix repairs it" in said
    assert "esquiva Curbe Voice" in told("--language", "es")


def test_a_wrong_key_is_said(ready: Sandbox, settings: Settings) -> None:
    settings.TELNYX_API_KEY = "wrong"

    assert "10009 Authentication failed" in audit()


def wait_until(condition: Callable[[], bool], within_s: float = 10) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)
