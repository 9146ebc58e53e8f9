"""The daily audit: when it is due, and who hears of what."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core import mail
from pytest_django import Settings

from curbe.celery import SCHEDULE
from curbe.companies.models import Company
from telephony import tasks
from telephony.models import AccountAudit, Asker, AuditFinding
from telephony.operations import audit_notice, audits
from telephony.operations.account_repairs import By
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxUnreachable

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def finding(audit: AccountAudit, subject: str) -> None:
    AuditFinding.objects.create(audit=audit, code="number_bypasses", subject=subject, found="SIP", wanted="7")


def finds(*subjects: str) -> Any:
    """Let an audit find these numbers wrong."""

    def run(audit: AccountAudit, client: TelnyxClient, **_: Any) -> AccountAudit:
        for subject in subjects:
            finding(audit, subject)
        audit.finished_at = audit.started_at
        audit.save()
        return audit

    return patch.object(audits, "run", run)


def test_it_is_due_a_day_after_the_last_one_whoever_else_asked_meanwhile() -> None:
    assert audit_notice.is_due(NOW)
    AccountAudit.objects.create(asked_through=Asker.CLOCK, started_at=NOW, finished_at=NOW)
    AccountAudit.objects.create(asked_through=Asker.PAGE, started_at=NOW + timedelta(hours=20))

    assert not audit_notice.is_due(NOW + timedelta(hours=23))
    assert audit_notice.is_due(NOW + timedelta(hours=24))


def test_the_clock_looks_often_enough_for_a_beat_that_restarts() -> None:
    (row,) = [row for row in SCHEDULE if row.task == "telephony.tasks.audit_daily"]

    assert row.every_s <= 3600


def test_the_operator_hears_of_what_is_new_and_only_once(
    client: TelnyxClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ADMINS = [("Op", "op@curbe.test")]
    with finds("+13055550100"):
        audit_notice.audit_and_tell(client, NOW)
    with finds("+13055550100"):
        audit_notice.audit_and_tell(client, NOW + timedelta(days=1))
    with finds("+13055550100", "+13055550101"):
        audit_notice.audit_and_tell(client, NOW + timedelta(days=2))

    first, second = mail.outbox
    assert "1 new finding" in first.subject
    assert "number_bypasses +13055550100: is SIP, should be 7" in first.body
    assert "+13055550101" in second.body and "+13055550100" not in second.body
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2


def test_nothing_wrong_tells_nobody(client: TelnyxClient, settings: Settings) -> None:
    settings.ADMINS = [("Op", "op@curbe.test")]
    with finds():
        audit_notice.audit_and_tell(client, NOW)

    assert mail.outbox == []


def test_what_somebody_looked_at_meanwhile_is_told_all_the_same(client: TelnyxClient, settings: Settings) -> None:
    settings.ADMINS = [("Op", "op@curbe.test")]
    with finds():
        audit_notice.audit_and_tell(client, NOW)
    seen = AccountAudit.objects.create(asked_through=Asker.PAGE, started_at=NOW, finished_at=NOW)
    finding(seen, "+13055550100")
    with finds("+13055550100"):
        audit_notice.audit_and_tell(client, NOW + timedelta(days=1))

    assert ["1 new finding" in one.subject for one in mail.outbox] == [True]


def test_telnyx_away_is_told_once_and_tried_again_with_the_next_look(
    client: TelnyxClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ADMINS = [("Op", "op@curbe.test")]
    away = TelnyxUnreachable("GET /balance", "it says 500")
    with patch("telephony.telnyx.account_facts.sets", side_effect=away):
        assert audit_notice.audit_and_tell(client, NOW) is None
        assert audit_notice.is_due(NOW + timedelta(hours=1))
        assert audit_notice.audit_and_tell(client, NOW + timedelta(hours=1)) is None

    assert "was not finished" in caplog.text
    assert AccountAudit.objects.latest("id").error.startswith("Telnyx did not answer GET /balance")
    (told,) = mail.outbox
    assert "was not finished" in told.subject and "GET /balance" in told.body


def test_a_mail_server_that_is_away_costs_only_the_mail(
    client: TelnyxClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ADMINS = [("Op", "op@curbe.test")]
    with finds("+13055550100"), patch("telephony.operations.audit_notice.mail_admins", side_effect=OSError("away")):
        audit = audit_notice.audit_and_tell(client, NOW)

    assert audit is not None and audit.error == ""
    assert "Unable to mail the operator" in caplog.text


def test_while_another_audit_runs_it_waits_for_the_next_hour(client: TelnyxClient) -> None:
    audits.begin(By(Asker.PAGE), NOW)

    assert audit_notice.audit_and_tell(client, NOW) is None
    assert audit_notice.is_due(NOW)


def test_the_task_runs_what_a_page_began(acme: Company, client: TelnyxClient) -> None:
    audit = audits.begin(By(Asker.PAGE), NOW)

    with patch.object(audits, "run") as run, patch("telephony.tasks.get_client", return_value=client):
        tasks.run_audit(audit_id=audit.pk, fix=True, company_id=acme.pk)
        AccountAudit.objects.update(finished_at=NOW)
        tasks.run_audit(audit_id=audit.pk, fix=True, company_id=acme.pk)

    (call,) = run.call_args_list
    assert (call.args[0], call.kwargs) == (audit, {"fix": True, "only": acme})
