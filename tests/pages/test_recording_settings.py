"""``/recordings/settings/``: announcements, retention, legal hold, audit; and the company file that says the same."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curbe.companies import company_file
from curbe.companies.models import Company, User
from recordings.models import CompanyHold, RecordingAudit, RecordingPolicy
from recordings.pages import LINES
from telephony.models import RecordingRule
from telephony.operations.plans import current_plan
from tests import cast

pytestmark = pytest.mark.django_db
PAGE = "/recordings/settings/"
KEEP = {"call-keep_days": "365", "call-delete_at_telnyx": "on", "voicemail-keep_days": "90"}


def test_an_admin_says_how_long_each_kind_is_kept(acme: Company, alice: User) -> None:
    answer = cast.client_for(alice).post(PAGE, KEEP, follow=True)

    assert "365" in answer.content.decode()
    rows = RecordingPolicy.objects.filter(company=acme).order_by("kind")
    kept = rows.values_list("kind", "keep_days", "delete_at_telnyx")
    assert list(kept) == [("call", 365, True), ("voicemail", 90, False)]


def test_who_changes_how_long_leaves_a_line_and_who_only_saves_leaves_none(acme: Company, alice: User) -> None:
    browser = cast.client_for(alice)
    for days in ("365", "365", "1"):
        browser.post(PAGE, {**KEEP, "call-keep_days": days})

    lines = RecordingAudit.objects.filter(action="keeping").order_by("id")
    assert [line.by for line in lines] == [alice] * 3
    assert [("365" in line.reason, "1 d" in line.reason) for line in lines][-1] == (True, True)
    assert lines.filter(reason__contains="90").count() == 1


def test_the_audit_goes_back_page_by_page(acme: Company, alice: User) -> None:
    at = timezone.now()
    RecordingAudit.objects.bulk_create(
        # In pairs of one moment: a page may end between two of them.
        RecordingAudit(company=acme, action="held", at=at - timedelta(minutes=place // 2), reason=f"line {place}.")
        for place in range(LINES + 5)
    )
    browser = cast.client_for(alice)

    first = browser.get("/recordings/audit/").content.decode()
    older = re.search(r"\?before=([0-9a-f-]{36})", first)
    assert older is not None
    second = browser.get(f"/recordings/audit/?before={older[1]}").content.decode()

    shown = [int(one) for one in re.findall(r"line (\d+)\.", first + second)]
    assert sorted(shown) == list(range(LINES + 5))
    assert 'href="/recordings/audit/?before=' not in second
    assert browser.get("/recordings/audit/?before=nonsense").status_code == 200


@pytest.mark.parametrize("days", ["-1", "4000", "soon", ""])
def test_nonsense_is_422_and_changes_nothing(acme: Company, alice: User, days: str) -> None:
    answer = cast.client_for(alice).post(PAGE, {**KEEP, "call-keep_days": days})

    assert answer.status_code == 422
    assert not RecordingPolicy.objects.exists()


def test_an_announcement_holds_from_the_next_call_on_and_there_is_one_for_each(acme: Company, alice: User) -> None:
    number = cast.make_number(acme, "+13055550100")
    browser, new = cast.client_for(alice), f"{PAGE}announcements/new/"
    said = {"direction": "inbound", "number": number.pk, "announces": "on", "say_es": "Le grabamos.", "say_en": ""}

    assert browser.post(new, said).status_code == 302
    assert [one.say["es"] for one in current_plan(acme.pk).notices] == ["Le grabamos."]
    assert browser.post(new, said).status_code == 422

    rule = RecordingRule.objects.get()
    assert "Le grabamos." in browser.get(f"{PAGE}announcements/{rule.pk}/").content.decode()
    assert browser.post(f"{PAGE}announcements/{rule.pk}/delete/").status_code == 302
    assert current_plan(acme.pk).notices == ()


def test_a_number_of_somebody_else_cannot_be_named(elsewhere: Company, alice: User) -> None:
    number = cast.make_number(elsewhere, "+13055550199")
    said = {"direction": "", "number": number.pk, "announces": "on", "say_es": "", "say_en": ""}

    assert cast.client_for(alice).post(f"{PAGE}announcements/new/", said).status_code == 422


def test_a_hold_on_everything_needs_a_reason_and_is_shown(acme: Company, alice: User) -> None:
    browser = cast.client_for(alice)
    assert browser.post(f"{PAGE}hold/", {"on": "1", "reason": " "}).status_code == 302
    assert not CompanyHold.objects.exists()

    page = browser.post(f"{PAGE}hold/", {"on": "1", "reason": "Caso 7"}, follow=True).content.decode()
    assert "Caso 7" in page
    audit = browser.get("/recordings/audit/").content.decode()
    assert str(alice) in audit

    browser.post(f"{PAGE}hold/", {"on": "0", "reason": "Cerrado"})
    assert not CompanyHold.objects.exists()
    assert list(RecordingAudit.objects.order_by("id").values_list("action", flat=True)) == ["held", "released"]


@pytest.mark.parametrize("path", [PAGE, "/recordings/audit/", f"{PAGE}announcements/new/"])
def test_who_does_not_administer_is_refused(sam: User, bob: User, path: str) -> None:
    assert [cast.client_for(user).get(path).status_code for user in (sam, bob)] == [403, 403]


FILE = """
company: {slug: acme, name: Acme}
numbers:
  - {e164: "+13055550100"}
announcements:
  - {calls: all, say_es: Le grabamos.}
  - {calls: outbound, announces: false}
  - {calls: inbound +13055550100}
recordings:
  - {kind: call, keep_days: 365, delete_at_telnyx: true}
"""


def imported(text: str, **more: Any) -> Any:
    return company_file.import_company(text, **more)


def test_the_company_file_says_the_same_and_is_exported_as_it_was_imported() -> None:
    company = imported(FILE).company

    assert RecordingRule.objects.filter(company=company).count() == 3
    exported = company_file.export_company(company)
    assert "calls: inbound +13055550100" in exported
    assert "keep_days: 365" in exported
    assert imported(exported).is_unchanged
    assert timezone.now() > company.created_at


@pytest.mark.parametrize("calls", ["+13055550999", "sometimes", "inbound outbound"])
def test_an_announcement_for_what_is_not_there_is_refused(calls: str) -> None:
    with pytest.raises(company_file.UnableToImport, match="calls"):
        imported(FILE.replace("calls: all", f'calls: "{calls}"'))
