"""The operator audits the account, and puts its lines right, those of the platform too."""

from __future__ import annotations

from unittest.mock import patch

import pytest
import responses
from django.conf import settings
from django.test import Client
from django.utils import timezone

from curbe.companies.models import Company
from telephony.models import AccountAudit, AccountRepair, Asker, AuditFinding, TelnyxAccount
from tests import cast

AUDITS = "/admin/telephony/accountaudit/"
FINDINGS = "/admin/telephony/auditfinding/"


@pytest.fixture
def console(db: None) -> Client:
    return cast.client_for(cast.make_user(None, "operator", is_staff=True, is_superuser=True, language="en"))


def finding(audit: AccountAudit, **fields: object) -> AuditFinding:
    values = {"code": "set_field", "subject": "Curbe Voice", "field": "voice_url", "repair": "SET", "found": "x"}
    return AuditFinding.objects.create(audit=audit, **{**values, "part": "texml_applications", **fields})


def audit() -> AccountAudit:
    now = timezone.now()
    return AccountAudit.objects.create(asked_through=Asker.CLOCK, started_at=now, finished_at=now)


@pytest.mark.parametrize(("form", "fix"), [({}, False), ({"fix": "on"}, True)])
def test_adding_an_audit_runs_it(console: Client, form: dict[str, str], fix: bool) -> None:
    prefix = {"findings-TOTAL_FORMS": "0", "findings-INITIAL_FORMS": "0"}
    with patch("telephony.admin.account.run_audit.apply_async") as queued:
        answer = console.post(f"{AUDITS}add/", {**prefix, **form})

    made = AccountAudit.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{AUDITS}{made.pk}/change/")
    assert (made.asked_through, made.asked_by.username if made.asked_by else "") == ("ADMIN", "operator")
    queued.assert_called_once_with(kwargs={"audit_id": made.pk, "fix": fix})


def test_the_findings_are_those_of_the_last_audit_in_words(console: Client, acme: Company) -> None:
    finding(audit(), subject="of the day before")
    newest = audit()
    finding(newest)
    finding(newest, code="number_bypasses", subject="+13055550100", company=acme, field="", repair="WIRE")

    page = console.get(FINDINGS).content.decode()

    assert "Curbe Voice, TeXML application: address of new calls" in page
    assert "+1 305-555-0100 bypasses Curbe Voice" in page
    assert "of the day before" not in page


@responses.activate
def test_chosen_lines_are_repaired_each_thing_once(console: Client) -> None:
    api = settings.TELNYX_API_URL
    TelnyxAccount.objects.create(texml_application_id="1", credential_connection_id="2", outbound_voice_profile_id="3")
    for collection, row_id in (
        ("outbound_voice_profiles", 3),
        ("texml_applications", 1),
        ("credential_connections", 2),
    ):
        responses.get(f"{api}/{collection}/{row_id}", json={"data": {"id": str(row_id)}})
        responses.patch(f"{api}/{collection}/{row_id}", json={"data": {"id": str(row_id)}})
    newest = audit()
    lines = [finding(newest), finding(newest, field="voice_method")]

    chosen = {"action": "repair_chosen", "_selected_action": [line.pk for line in lines]}
    answer = console.post(FINDINGS, chosen, follow=True)

    assert "1 repair done." in answer.content.decode()
    event = AccountRepair.objects.get()
    assert (event.outcome, event.asked_through, event.company) == ("DONE", "ADMIN", None)
    assert not AuditFinding.objects.filter(repaired_at=None).exists()


def test_a_company_gets_a_set_of_its_own_with_limits(console: Client, acme: Company) -> None:
    form = {"company": acme.pk, "destinations": "US,MX", "daily_spend_usd": "50", "concurrent_calls": "10"}

    answer = console.post("/admin/telephony/telnyxaccount/add/", form)

    assert answer.status_code == 302
    account = TelnyxAccount.objects.get()
    assert (account.company, account.destinations, account.concurrent_calls) == (acme, ["US", "MX"], 10)
    wrong = console.post("/admin/telephony/telnyxaccount/add/", {**form, "destinations": "Mexico"})
    assert wrong.status_code == 200 and TelnyxAccount.objects.count() == 1
