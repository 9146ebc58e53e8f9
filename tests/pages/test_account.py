"""``/account/``: what a company sees of the Telnyx account, and the buttons that put it right."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
import responses
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from agents.models import Activity, Agent, Beat
from agents.operations import LOGGED_OUT
from curbe.companies.models import Company, Role, User
from telephony.models import AccountAudit, AccountRepair, Asker, AuditFinding, PhoneNumber, SipEndpoint, TelnyxAccount
from telephony.operations.endpoints import tag_of
from tests import cast
from tests.pages.people import html, looking, words

NUMBER = "+13055550100"
APPLICATION = "4682225147094740652"
PAGES = ("/account/check/", "/account/repair/", "/account/own-set/")


def api(path: str) -> str:
    return f"{django_settings.TELNYX_API_URL}{path}"


@pytest.fixture
def telnyx_api() -> Any:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def number(acme: Company) -> PhoneNumber:
    TelnyxAccount.objects.create(texml_application_id=APPLICATION, credential_connection_id="2001")
    return cast.make_number(acme, NUMBER, telnyx_id="71", connection_id="2001")


@pytest.fixture
def audit(db: None) -> AccountAudit:
    now = timezone.now()
    return AccountAudit.objects.create(asked_through=Asker.CLOCK, started_at=now, finished_at=now)


def found(audit: AccountAudit, company: Company | None, **fields: Any) -> AuditFinding:
    values: dict[str, Any] = {"code": "number_bypasses", "subject": NUMBER, "repair": "WIRE", "found": "Curbe Voice"}
    return AuditFinding.objects.create(audit=audit, company=company, **{**values, "wanted": APPLICATION, **fields})


# --- Who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/account/", *PAGES])
def test_only_who_administers_gets_in(acme: Company, sam: User, bob: User, path: str) -> None:
    for user in (sam, bob):
        assert looking(user).get(path).status_code in {403, 405}
        assert looking(user).post(path).status_code in {403, 405}
    answer = Client().get("/account/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/account/")


@pytest.mark.parametrize("path", PAGES)
def test_what_changes_something_is_never_read(alice: User, path: str) -> None:
    assert looking(alice).get(path).status_code == 405


def test_a_company_sees_its_own_lines_and_none_of_the_platforms(
    acme: Company, alice: User, mallory: User, audit: AccountAudit
) -> None:
    found(audit, acme)
    found(audit, None, code="balance_low", subject="Telnyx", repair="", found="1.00 USD", wanted="10 USD")
    admin = cast.make_user(acme, "adam", role=Role.ADMIN)

    for user in (alice, admin):
        page = words(looking(user).get("/account/"))
        assert "+1 305-555-0100 bypasses Curbe Voice" in page
        assert f"wired to the TeXML application {APPLICATION}" in page
        assert "no routing, no recording, no trace" in page
        assert "balance" not in page
    assert "305-555-0100" not in words(looking(mallory).get("/account/"))
    assert "esquiva Curbe Voice" in words(looking(alice, "es").get("/account/"))


def test_mallory_repairs_nothing_of_acmes(
    acme: Company, mallory: User, audit: AccountAudit, bob: User, telnyx_api: responses.RequestsMock
) -> None:
    line, agent = found(audit, acme), bob.agents.get()
    of_the_platform = found(audit, None, code="set_missing", repair="SET")

    assert looking(mallory).post(f"/account/repair/{line.pk}/").status_code == 404
    assert looking(mallory).post(f"/account/repair/{of_the_platform.pk}/").status_code == 404
    assert looking(mallory).post(f"/account/credentials/{agent.pk}/renew/").status_code == 404
    assert not AccountRepair.objects.exists()


# --- Reading ------------------------------------------------------------------------------------------------------


def test_before_the_first_check_it_says_so(alice: User) -> None:
    page = words(looking(alice).get("/account/"))

    assert "Not checked yet" in page
    assert "Your calls use the connections of the platform" in page


def test_all_right_is_said_in_numbers(alice: User, number: PhoneNumber, audit: AccountAudit) -> None:
    page = words(looking(alice).get("/account/"))

    assert "Nothing of this company: 1 number is wired to Curbe Voice" in page


def test_a_running_check_is_asked_for_until_it_is_done(alice: User, audit: AccountAudit) -> None:
    assert "every 2s" not in html(looking(alice).get("/account/"))
    running = AccountAudit.objects.create(asked_through=Asker.PAGE, started_at=timezone.now())

    assert "every 2s" in html(looking(alice).get("/account/"))

    # One whose process died is not waited for.
    AccountAudit.objects.filter(pk=running.pk).update(started_at=timezone.now() - timedelta(hours=1))
    assert "every 2s" not in html(looking(alice).get("/account/"))


def test_a_check_that_failed_is_said_and_the_older_one_shown(acme: Company, alice: User, audit: AccountAudit) -> None:
    found(audit, acme)
    now = timezone.now()
    AccountAudit.objects.create(asked_through=Asker.CLOCK, started_at=now, finished_at=now, error="GET /balance: 500")

    page = words(looking(alice).get("/account/"))

    assert "The last check could not be finished" in page
    assert "bypasses Curbe Voice" in page
    assert "/balance" not in page


def test_the_overview_of_routing_says_that_something_is_wrong(
    acme: Company, alice: User, sam: User, audit: AccountAudit
) -> None:
    assert "at Telnyx" not in words(looking(alice).get("/routing/"))
    found(audit, acme)
    found(audit, acme, code="number_inactive", is_wrong=False)

    assert "1 thing at Telnyx is not as it should be. See and repair" in words(looking(alice).get("/routing/"))
    assert "An administrator can repair it." in words(looking(sam).get("/routing/"))


@pytest.mark.parametrize("size", [1, 30])
def test_the_page_asks_the_database_the_same_however_much_is_wrong(
    acme: Company, alice: User, audit: AccountAudit, django_assert_num_queries: Any, size: int
) -> None:
    for _ in range(size):
        found(audit, acme)
        cast.endpoint_for(cast.make_agent(acme))
    browser = looking(alice)

    with django_assert_num_queries(14):
        browser.get("/account/")


# --- Doing --------------------------------------------------------------------------------------------------------


def test_a_line_is_repaired_at_once_and_it_is_kept_who_did_it(
    acme: Company, alice: User, number: PhoneNumber, audit: AccountAudit, telnyx_api: responses.RequestsMock
) -> None:
    line = found(audit, acme, telnyx_id="71", our_id=number.pk)
    there = {"id": "71", "phone_number": NUMBER, "connection_id": "2001"}
    telnyx_api.get(api("/phone_numbers/71"), json={"data": there})
    wired = telnyx_api.patch(api("/phone_numbers/71"), json={"data": there | {"connection_id": APPLICATION}})

    answer = looking(alice).post(f"/account/repair/{line.pk}/", follow=True)

    assert "+1 305-555-0100: wired to the TeXML application again." in words(answer)
    assert "bypasses" not in words(answer)
    assert json.loads(wired.calls[0].request.body or "") == {"connection_id": APPLICATION}
    event = AccountRepair.objects.get()
    assert (event.asked_by, event.asked_through, event.outcome, event.company) == (alice, "PAGE", "DONE", acme)
    assert (event.before, event.after) == ("Curbe Voice", APPLICATION)
    number.refresh_from_db()
    assert number.connection_id == APPLICATION
    # Pressed twice: there is nothing left to repair.
    assert looking(alice).post(f"/account/repair/{line.pk}/").status_code == 404


def test_what_telnyx_refuses_is_said_and_stays(
    acme: Company, alice: User, number: PhoneNumber, audit: AccountAudit, telnyx_api: responses.RequestsMock
) -> None:
    line = found(audit, acme, telnyx_id="71", our_id=number.pk)
    telnyx_api.get(api("/phone_numbers/71"), status=403, json={"errors": [{"code": "10010", "title": "No"}]})

    answer = looking(alice).post(f"/account/repair/{line.pk}/", follow=True)

    assert "It could not be repaired" in words(answer) and "10010 No" in words(answer)
    assert "bypasses Curbe Voice" in words(answer)
    assert AccountRepair.objects.get().outcome == "FAILED"


@pytest.mark.parametrize(("path", "fix"), [("/account/check/", False), ("/account/repair/", True)])
def test_a_check_is_queued_for_the_worker(acme: Company, alice: User, path: str, fix: bool) -> None:
    with patch("telephony.views.account_pages.run_audit.apply_async") as queued:
        answer = looking(alice).post(path)

    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    audit = AccountAudit.objects.get()
    assert (audit.asked_by, audit.asked_through, audit.finished_at) == (alice, "PAGE", None)
    queued.assert_called_once_with(kwargs={"audit_id": audit.pk, "fix": fix, "company_id": acme.pk})


def test_a_second_check_waits_for_the_first(alice: User) -> None:
    with patch("telephony.views.account_pages.run_audit.apply_async"):
        looking(alice).post("/account/check/")
        answer = looking(alice).post("/account/check/", follow=True)

    assert "A check is running already" in words(answer)
    assert AccountAudit.objects.count() == 1


def test_without_a_broker_nothing_hangs(alice: User) -> None:
    with patch("telephony.views.account_pages.run_audit.apply_async", side_effect=OperationalError("away")):
        answer = looking(alice).post("/account/check/", follow=True)

    assert "could not be started" in words(answer)
    assert "every 2s" not in html(answer)


def test_a_company_asks_for_a_set_of_its_own(acme: Company, alice: User) -> None:
    TelnyxAccount.objects.create(destinations=["US"], daily_spend_usd=Decimal(50), concurrent_calls=7)
    with patch("telephony.views.account_pages.run_audit.apply_async") as queued:
        looking(alice).post("/account/own-set/")
        looking(alice).post("/account/own-set/")

    own = TelnyxAccount.objects.get(company=acme)
    assert (own.destinations, own.daily_spend_usd, own.concurrent_calls) == (["US"], Decimal(50), 7)
    assert queued.call_args.kwargs["kwargs"]["fix"] is True


def test_a_credential_is_renewed_unless_its_agent_talks(
    acme: Company, alice: User, bob: User, number: PhoneNumber, telnyx_api: responses.RequestsMock
) -> None:
    agent = bob.agents.get()
    old = cast.endpoint_for(agent)
    Agent.objects.filter(pk=agent.pk).update(activity=Activity.ON_CALL)
    assert "is on a call" in words(looking(alice).post(f"/account/credentials/{agent.pk}/renew/", follow=True))
    Agent.objects.filter(pk=agent.pk).update(activity=Activity.IDLE)
    telnyx_api.get(api("/telephony_credentials"), json={"data": []})
    telnyx_api.post(api("/telephony_credentials"), json={"data": {"id": "new", "sip_username": "gencrednew"}})
    lost = looking(bob)
    assert lost.get("/").status_code == 200
    deleted = telnyx_api.delete(api(f"/telephony_credentials/{old.telnyx_credential_id}"), json={"data": {}})

    answer = looking(alice).post(f"/account/credentials/{agent.pk}/renew/", follow=True)

    assert "has a new credential" in words(answer)
    # Who has the lost computer would otherwise be given a token of the new credential.
    assert lost.get("/").status_code == 302
    assert Beat.objects.get(agent=agent).phone_id == LOGGED_OUT
    assert SipEndpoint.objects.get(agent=agent).sip_username == "gencrednew"
    assert deleted.call_count == 1


def test_what_bears_the_agents_tag_and_has_no_row_goes_with_a_renewal_now_or_by_the_worker(
    alice: User, bob: User, number: PhoneNumber, telnyx_api: responses.RequestsMock
) -> None:
    agent = bob.agents.get()
    old = cast.endpoint_for(agent)
    left = {"id": "left", "name": tag_of(agent), "sip_username": "gencredleft"}
    telnyx_api.get(api("/telephony_credentials"), json={"data": [left]})
    telnyx_api.post(api("/telephony_credentials"), json={"data": {"id": "new", "sip_username": "gencrednew"}})
    telnyx_api.delete(api(f"/telephony_credentials/{old.telnyx_credential_id}"), status=503)
    telnyx_api.delete(api("/telephony_credentials/left"), json={"data": {}})

    with patch("telephony.operations.endpoints.current_app.send_task") as queued:
        looking(alice).post(f"/account/credentials/{agent.pk}/renew/")

    queued.assert_called_once_with(
        "telephony.tasks.delete_credential",
        kwargs={"credential_id": old.telnyx_credential_id},
        queue="calls",
    )


def test_who_cuts_himself_off_stays_logged_in_here(
    acme: Company, alice: User, number: PhoneNumber, telnyx_api: responses.RequestsMock
) -> None:
    agent = Agent.objects.create(company=acme, user=alice)
    cast.endpoint_for(agent)
    telnyx_api.get(api("/telephony_credentials"), json={"data": []})
    telnyx_api.post(api("/telephony_credentials"), json={"data": {"id": "new", "sip_username": "gencrednew"}})
    telnyx_api.delete(re.compile(api("/telephony_credentials/.*")), json={"data": {}})
    here, lost = looking(alice), looking(alice)

    here.post(f"/account/credentials/{agent.pk}/renew/")

    assert (here.get("/account/").status_code, lost.get("/account/").status_code) == (200, 302)


def test_a_renewal_that_telnyx_does_not_do_leaves_the_old_credential(
    alice: User, bob: User, number: PhoneNumber, telnyx_api: responses.RequestsMock
) -> None:
    agent = bob.agents.get()
    old = cast.endpoint_for(agent)
    telnyx_api.get(api("/telephony_credentials"), json={"data": []})
    telnyx_api.post(api("/telephony_credentials"), status=403)

    answer = looking(alice).post(f"/account/credentials/{agent.pk}/renew/", follow=True)

    assert "Telnyx did not renew the credential" in words(answer)
    assert SipEndpoint.objects.get(agent=agent).sip_username == old.sip_username
