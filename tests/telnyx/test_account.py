"""What Curbe needs of an account: made once, left alone when right, corrected when not."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
import responses
from django.core.management import CommandError, call_command
from pytest_django import Settings

from agents.models import Agent
from curbe.companies.models import Company, User
from telephony.models import AccountRepair, PhoneNumber, SipEndpoint, TelnyxAccount
from telephony.operations.endpoints import NoConnection, ensure_endpoint, tag_of
from telephony.telnyx.account import UnableToSetUp, ensure_account
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxUnreachable
from tests import cast
from tests.telnyx.conftest import API

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db
COLLECTIONS = ("outbound_voice_profiles", "texml_applications", "credential_connections", "phone_numbers")


class FakeAccount:
    """Telnyx's account in memory: lists, creates, reads and corrects rows, and counts what was written."""

    def __init__(self, api: responses.RequestsMock) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in COLLECTIONS}
        self.written: list[tuple[str, str, dict[str, Any]]] = []
        #: Method and collection that are refused, and the answer.
        self.refused: tuple[str, str, dict[str, Any]] | None = None
        for method in (responses.GET, responses.POST, responses.PATCH):
            api.add_callback(method, re.compile(rf"{API}/.*"), callback=self._answer)

    def _answer(self, request: Any) -> tuple[int, dict[str, str], str]:
        collection, _, row_id = request.path_url.removeprefix("/v2/").partition("?")[0].partition("/")
        table = self.tables[collection]
        if request.method == "GET" and not row_id:
            rows = list(table.values())
            return 200, {}, json.dumps({"data": rows, "meta": {"page_number": 1, "total_pages": 1}})
        if row_id and row_id not in table:
            return 404, {}, json.dumps({"errors": [{"code": "10005"}]})
        if request.method == "GET":
            return 200, {}, json.dumps({"data": table[row_id]})
        if self.refused and self.refused[:2] == (request.method, collection):
            return 422, {}, json.dumps(self.refused[2])
        fields = json.loads(request.body)
        self.written.append((request.method, collection, fields))
        row_id = row_id or f"{len(table) + 1}{len(collection)}"
        table[row_id] = table.get(row_id, {}) | fields | {"id": row_id}
        return 200, {}, json.dumps({"data": table[row_id]})


@pytest.fixture
def mock() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def account(mock: responses.RequestsMock) -> FakeAccount:
    return FakeAccount(mock)


@pytest.fixture(autouse=True)
def public_url(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://voice.test"


def test_everything_is_made_with_the_fields_that_the_design_asks_for(
    client: TelnyxClient, account: FakeAccount
) -> None:
    row = ensure_account(client, NOW)

    (_, _, profile), (_, _, application), (_, _, connection) = account.written
    assert profile == {
        "name": "Curbe Voice",
        "enabled": True,
        "call_recording": {
            "call_recording_type": "all",
            "call_recording_channels": "dual",
            "call_recording_format": "mp3",
        },
    }
    assert application == {
        "friendly_name": "Curbe Voice",
        "active": True,
        "voice_url": "https://voice.test/webhooks/telnyx/inbound",
        "voice_fallback_url": "https://voice.test/webhooks/telnyx/inbound",
        "voice_method": "post",
        "status_callback": "https://voice.test/webhooks/telnyx/status",
        "status_callback_method": "post",
        "outbound": {"outbound_voice_profile_id": row.outbound_voice_profile_id},
    }
    login = {name: connection.pop(name) for name in ("user_name", "password")}
    assert connection == {
        "connection_name": "Curbe Voice",
        "active": True,
        "sip_uri_calling_preference": "internal",
        "webhook_api_version": "texml",
        "webhook_event_url": "https://voice.test/webhooks/telnyx/outbound",
        "inbound": {"simultaneous_ringing": "disabled"},
        "outbound": {"outbound_voice_profile_id": row.outbound_voice_profile_id, "call_parking_enabled": True},
    }
    # rest-api.md section 6: 4 to 32 letters and digits, the first no digit; a password of 8 to 128.
    assert re.fullmatch(r"[a-z][a-z0-9]{3,31}", login["user_name"])
    assert 8 <= len(login["password"]) <= 128


def test_the_ids_are_kept_in_the_platforms_row(client: TelnyxClient, account: FakeAccount) -> None:
    ensure_account(client, NOW)

    row = TelnyxAccount.objects.get(company=None)
    assert row.texml_application_id in account.tables["texml_applications"]
    assert row.credential_connection_id in account.tables["credential_connections"]
    assert row.outbound_voice_profile_id in account.tables["outbound_voice_profiles"]
    assert row.checked_at == NOW


def test_a_second_run_writes_nothing(client: TelnyxClient, account: FakeAccount) -> None:
    ensure_account(client, NOW)
    account.written.clear()

    ensure_account(client, NOW)

    assert account.written == []


def test_addresses_follow_the_public_url(client: TelnyxClient, account: FakeAccount, settings: Settings) -> None:
    ensure_account(client, NOW)
    account.written.clear()
    settings.PUBLIC_URL = "https://new.test"

    ensure_account(client, NOW)

    corrected = {collection: fields for _, collection, fields in account.written}
    assert {method for method, _, _ in account.written} == {"PATCH"}
    assert set(corrected) == {"texml_applications", "credential_connections"}
    assert corrected["texml_applications"]["voice_url"] == "https://new.test/webhooks/telnyx/inbound"
    # Both are required in every PATCH (rest-api.md section 5).
    assert corrected["texml_applications"]["friendly_name"] == "Curbe Voice"


def test_only_what_differs_is_sent_and_what_a_patch_requires(client: TelnyxClient, account: FakeAccount) -> None:
    """``webhook_api_version`` "texml" is documented for new connections only, so it is not sent without need."""
    row = ensure_account(client, NOW)
    account.written.clear()
    account.tables["texml_applications"][row.texml_application_id]["voice_method"] = "get"
    account.tables["credential_connections"][row.credential_connection_id]["active"] = False

    ensure_account(client, NOW)

    voice_url = "https://voice.test/webhooks/telnyx/inbound"
    assert [fields for _, _, fields in account.written] == [
        {"friendly_name": "Curbe Voice", "voice_url": voice_url, "voice_method": "post"},
        {"connection_name": "Curbe Voice", "active": True},
    ]


def test_a_connection_whose_version_cannot_be_changed_is_made_anew(
    client: TelnyxClient, account: FakeAccount, mock: responses.RequestsMock
) -> None:
    row = ensure_account(client, NOW)
    old_id = row.credential_connection_id
    account.tables["credential_connections"][old_id]["webhook_api_version"] = "1"
    refusal = {"errors": [{"code": "10032", "title": "Invalid enumerated value"}]}
    account.refused = ("PATCH", "credential_connections", refusal)

    again = ensure_account(client, NOW)

    assert again.credential_connection_id != old_id
    assert account.tables["credential_connections"][again.credential_connection_id]["webhook_api_version"] == "texml"


def test_rows_of_the_account_that_we_forgot_are_found_by_their_name(client: TelnyxClient, account: FakeAccount) -> None:
    first = ensure_account(client, NOW)
    TelnyxAccount.objects.all().delete()
    account.written.clear()

    second = ensure_account(client, NOW)

    assert second.texml_application_id == first.texml_application_id
    assert account.written == []


def test_a_row_that_was_deleted_at_telnyx_is_made_again(client: TelnyxClient, account: FakeAccount) -> None:
    ensure_account(client, NOW)
    account.tables["texml_applications"].clear()
    account.written.clear()

    row = ensure_account(client, NOW)

    assert [(method, collection) for method, collection, _ in account.written] == [("POST", "texml_applications")]
    assert row.texml_application_id in account.tables["texml_applications"]


def test_rows_of_other_programs_in_the_account_are_left_alone(client: TelnyxClient, account: FakeAccount) -> None:
    other = {"id": "9", "friendly_name": "Somebody else's", "voice_url": "https://else.test"}
    account.tables["texml_applications"]["9"] = dict(other)

    ensure_account(client, NOW)

    assert account.tables["texml_applications"]["9"] == other


def test_a_set_that_serves_another_host_is_left_alone_unless_it_is_adopted(
    client: TelnyxClient, account: FakeAccount, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://theirs.test"
    theirs = ensure_account(client, NOW)
    TelnyxAccount.objects.all().delete()
    account.written.clear()
    settings.PUBLIC_URL = "https://ours.test"

    with pytest.raises(UnableToSetUp, match=r"serves theirs\.test.*--adopt"):
        ensure_account(client, NOW)
    assert account.written == []

    ours = ensure_account(client, NOW, adopt=True)
    assert ours.texml_application_id == theirs.texml_application_id
    application = account.tables["texml_applications"][ours.texml_application_id]
    assert application["voice_url"] == "https://ours.test/webhooks/telnyx/inbound"


def test_a_set_whose_id_we_know_moves_with_our_address(
    client: TelnyxClient, account: FakeAccount, settings: Settings
) -> None:
    first = ensure_account(client, NOW)
    settings.PUBLIC_URL = "https://moved.test"

    assert ensure_account(client, NOW).texml_application_id == first.texml_application_id


def test_a_companys_own_set_begins_with_the_limits_of_the_platforms(
    client: TelnyxClient, account: FakeAccount, acme: Company
) -> None:
    TelnyxAccount.objects.create(destinations=["US"], daily_spend_usd=Decimal(50), concurrent_calls=7)
    platforms = ensure_account(client, NOW)
    # What the operator set at Telnyx, and not here, holds as well.
    account.tables["outbound_voice_profiles"][platforms.outbound_voice_profile_id]["max_destination_rate"] = 0.2

    own = ensure_account(client, NOW, company=acme)

    profile = account.tables["outbound_voice_profiles"][own.outbound_voice_profile_id]
    assert profile["whitelisted_destinations"] == ["US"]
    assert (profile["daily_spend_limit_enabled"], profile["daily_spend_limit"]) == (True, "50.00")
    assert (profile["concurrent_call_limit"], profile["max_destination_rate"]) == (7, 0.2)


def test_the_profile_allows_what_its_companies_call_and_forward_to(
    client: TelnyxClient, account: FakeAccount, acme: Company
) -> None:
    Company.objects.filter(pk=acme.pk).update(outbound_countries=["US", "MX"], fallback_number="+34912345678")
    other = cast.make_company("other")
    Company.objects.filter(pk=other.pk).update(outbound_countries=["CO"])
    TelnyxAccount.objects.create(company=other)

    platforms, own = ensure_account(client, NOW), ensure_account(client, NOW, company=other)

    profiles = account.tables["outbound_voice_profiles"]
    assert profiles[platforms.outbound_voice_profile_id]["whitelisted_destinations"] == ["ES", "MX", "US"]
    assert profiles[own.outbound_voice_profile_id]["whitelisted_destinations"] == ["CO"]


def test_an_answer_without_an_id_is_an_error_in_words(client: TelnyxClient, mock: responses.RequestsMock) -> None:
    mock.get(re.compile(f"{API}/.*"), json={"data": []})
    mock.post(re.compile(f"{API}/.*"), json={"data": {}})

    with pytest.raises(UnableToSetUp, match="outbound_voice_profiles without an id"):
        ensure_account(client, NOW)


# --- The command --------------------------------------------------------------------------------------------------


def test_the_command_wires_and_links_our_numbers_and_no_others(
    client: TelnyxClient, account: FakeAccount, acme: Company
) -> None:
    ours = cast.make_number(acme, "+13055550100")
    account.tables["phone_numbers"] = {
        "71": {"id": "71", "phone_number": "+13055550100", "connection_id": "a SIP connection"},
        "72": {"id": "72", "phone_number": "+13055559999", "connection_id": "another program's"},
    }
    out = StringIO()

    with patch("telephony.management.commands.telnyx_setup.get_client", return_value=client):
        call_command("telnyx_setup", stdout=out)

    ours.refresh_from_db()
    application_id = TelnyxAccount.objects.get().texml_application_id
    assert (ours.telnyx_id, ours.connection_id) == ("71", application_id)
    assert account.tables["phone_numbers"]["71"]["connection_id"] == application_id
    assert account.tables["phone_numbers"]["72"]["connection_id"] == "another program's"
    assert PhoneNumber.objects.count() == 1
    assert "1 number(s) newly linked" in out.getvalue()


def test_a_number_that_telnyx_does_not_wire_keeps_no_other_from_being_linked(
    client: TelnyxClient, account: FakeAccount, acme: Company
) -> None:
    numbers = [cast.make_number(acme, e164) for e164 in ("+13055550100", "+13055550101")]
    account.tables["phone_numbers"] = {
        "71": {"id": "71", "phone_number": "+13055550100", "connection_id": "a SIP connection"},
        "72": {"id": "72", "phone_number": "+13055550101", "connection_id": "a SIP connection"},
    }
    account.refused = ("PATCH", "phone_numbers", {"errors": [{"code": "10015", "title": "Locked"}]})

    with (
        patch("telephony.management.commands.telnyx_setup.get_client", return_value=client),
        pytest.raises(CommandError, match="5550100 is not wired(?s:.*)5550101 is not wired"),
    ):
        call_command("telnyx_setup", stdout=StringIO())

    assert [PhoneNumber.objects.get(pk=one.pk).telnyx_id for one in numbers] == ["71", "72"]
    assert [one.outcome for one in AccountRepair.objects.all()] == ["FAILED", "FAILED"]


def test_a_set_that_is_refused_keeps_no_other_from_being_set_up(
    client: TelnyxClient, account: FakeAccount, acme: Company, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://theirs.test"
    ensure_account(client, NOW)
    TelnyxAccount.objects.all().delete()
    TelnyxAccount.objects.create(company=acme)
    settings.PUBLIC_URL = "https://ours.test"

    with patch("telephony.management.commands.telnyx_setup.get_client", return_value=client):
        with pytest.raises(CommandError, match="platform: .*--adopt"):
            call_command("telnyx_setup", stdout=StringIO())
        assert TelnyxAccount.objects.get(company=acme).texml_application_id
        call_command("telnyx_setup", "--adopt", stdout=StringIO())

    assert TelnyxAccount.objects.get(company=None).texml_application_id


def test_the_command_says_what_telnyx_said(client: TelnyxClient, mock: responses.RequestsMock) -> None:
    mock.get(
        re.compile(f"{API}/.*"), status=401, json={"errors": [{"code": "10009", "title": "Authentication failed"}]}
    )

    with (
        patch("telephony.management.commands.telnyx_setup.get_client", return_value=client),
        pytest.raises(CommandError, match="10009 Authentication failed"),
    ):
        call_command("telnyx_setup")


def test_numbers_are_never_made_up_in_a_real_account(settings: Settings) -> None:
    settings.TELNYX_SANDBOX = False

    with pytest.raises(CommandError, match="real Telnyx account"):
        call_command("sandbox_numbers")


# --- An agent's credential ----------------------------------------------------------------------------------------


@pytest.fixture
def agent(bob: User) -> Agent:
    TelnyxAccount.objects.create(credential_connection_id="2001")
    return Agent.objects.select_related("company").get(user=bob)


def credential(agent: Agent, id_: str = "cred-1", **more: Any) -> dict[str, Any]:
    return {"id": id_, "sip_username": f"gen{id_}", "name": tag_of(agent), "expired": False, **more}


def test_an_agent_gets_a_credential_under_his_tag(
    client: TelnyxClient, mock: responses.RequestsMock, agent: Agent
) -> None:
    mock.get(re.compile(f"{API}/telephony_credentials.*"), json={"data": []})
    made = mock.post(f"{API}/telephony_credentials", json={"data": credential(agent)})

    endpoint = ensure_endpoint(agent, client)

    assert (endpoint.sip_username, endpoint.connection_id, endpoint.company) == ("gencred-1", "2001", agent.company)
    tag = f"curbe-agent-{agent.pk}-{agent.company.public_id}"
    assert json.loads(made.calls[0].request.body or "") == {"connection_id": "2001", "name": tag, "tag": tag}


def test_a_credential_that_is_there_is_found_before_one_is_made(
    client: TelnyxClient, mock: responses.RequestsMock, agent: Agent
) -> None:
    rows = [credential(agent, "cred-9"), credential(agent, "cred-2"), credential(agent, "cred-1", expired=True)]
    mock.get(re.compile(f"{API}/telephony_credentials.*"), json={"data": rows})

    assert ensure_endpoint(agent, client).telnyx_credential_id == "cred-2"


def test_an_agent_who_has_one_asks_nobody(client: TelnyxClient, mock: responses.RequestsMock, agent: Agent) -> None:
    known = cast.endpoint_for(agent)

    assert ensure_endpoint(agent, client) == known
    assert len(mock.calls) == 0


def test_without_a_connection_it_says_what_to_do(client: TelnyxClient, bob: User) -> None:
    with pytest.raises(NoConnection, match="telnyx_setup"):
        ensure_endpoint(bob.agents.get(), client)


def test_telnyx_away_leaves_nothing_behind(client: TelnyxClient, mock: responses.RequestsMock, agent: Agent) -> None:
    mock.get(re.compile(f"{API}/telephony_credentials.*"), status=503)

    with pytest.raises(TelnyxUnreachable):
        ensure_endpoint(agent, client)
    assert not SipEndpoint.objects.exists()


def test_a_company_with_a_connection_of_its_own_uses_it(
    client: TelnyxClient, mock: responses.RequestsMock, agent: Agent
) -> None:
    TelnyxAccount.objects.create(company=agent.company, credential_connection_id="3003")
    mock.get(re.compile(f"{API}/telephony_credentials.*"), json={"data": []})
    mock.post(f"{API}/telephony_credentials", json={"data": credential(agent)})

    assert ensure_endpoint(agent, client).connection_id == "3003"


def test_a_new_agent_has_his_credential_queued(acme: Company, django_capture_on_commit_callbacks: Any) -> None:
    with (
        patch("telephony.receivers.make_endpoint.apply_async") as queued,
        django_capture_on_commit_callbacks(execute=True),
    ):
        agent = cast.make_agent(acme)
        agent.is_active = True
        agent.save()

    queued.assert_called_once_with(kwargs={"agent_id": agent.pk}, queue="calls")
