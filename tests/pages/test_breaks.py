"""``/breaks/``: reasons for breaks, dispositions, and what comes after calls of no queue."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from agents.models import Agent, BreakReason, PresenceChange
from curbe.companies.models import Company, User
from telephony.models import CallLeg, CallQueue, CallWrapUp, Disposition, WrapUpPolicy
from tests import cast
from tests.pages.people import html, looking, words
from tests.pages.plans import errors_at, sent_by

PAGES = ["/breaks/", "/breaks/new/", "/dispositions/new/", "/wrap-up/"]


def codes(company: Company) -> list[str]:
    return list(BreakReason.objects.filter(company=company).order_by("position").values_list("code", flat=True))


def disposition_of(company: Company, code: str = "sale", **fields: Any) -> Disposition:
    return Disposition.objects.create(company=company, code=code, **{"name": code.title(), **fields})


def of_a_call(disposition: Disposition) -> CallWrapUp:
    company, now = disposition.company, timezone.now()
    return CallWrapUp.objects.create(
        company=company,
        call=cast.make_call(company),
        agent=cast.make_agent(company),
        mode="timed",
        started_at=now,
        until=now,
        ended_at=now,
        ended_how="done",
        disposition=disposition,
    )


def test_the_page_shows_everything_with_its_limits(acme: Company, sam: User) -> None:
    disposition_of(acme, "sale")
    disposition_of(acme, "timed_out", name="timed_out", is_system=True)
    cast.make_queue(acme, wrap_up_mode="timed", wrap_up_s=45)

    page = looking(sam).get("/breaks/")

    said = words(page)
    assert "Almuerzo 1:00:00 1:30:00 It is noted, and supervisors are told" in said
    assert "Formación counts as work any time any time –" in said
    assert "Sale sale" in said and "timed_out" not in said
    assert "ventas For a time, or until the agent is done 0:45" in said
    assert "Outbound calls that nobody answered None: the next call may come at once –" in said
    assert "New reason" not in said, "who supervises reads it"


def test_empty_lists_say_what_they_are_for(acme: Company, alice: User) -> None:
    BreakReason.objects.filter(company=acme).delete()

    page = looking(alice).get("/breaks/")

    assert "No reasons yet" in words(page) and "No dispositions yet" in words(page)
    assert 'href="/breaks/new/"' in html(page) and 'href="/dispositions/new/"' in html(page)


def test_it_costs_the_same_for_many(
    acme: Company, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    browser = looking(alice)
    for number in range(20):
        disposition_of(acme, f"d{number}")
        cast.make_queue(acme, f"q{number}")

    with django_assert_max_num_queries(12):
        browser.get("/breaks/")


def test_a_new_reason_stands_at_the_end_under_a_code_of_its_own(acme: Company, alice: User) -> None:
    browser = looking(alice)
    sent = sent_by(
        browser.get("/breaks/new/"),
        name="  Reunión de equipo ",
        soft_limit_s="600",
        hard_limit_s="900",
        at_limit="auto_return",
    )

    answer = browser.post("/breaks/new/", sent)

    assert (answer.status_code, answer["Location"]) == (302, "/breaks/")
    row = BreakReason.objects.get(name="Reunión de equipo")
    assert (row.company, row.code, row.at_limit, row.is_active) == (acme, "reunion-de-equipo", "auto_return", True)
    assert codes(acme)[-1] == "reunion-de-equipo"
    assert "Saved. Agents can choose it at once." in words(browser.get("/breaks/"))


def test_what_the_form_shows_is_what_it_keeps(acme: Company, alice: User) -> None:
    browser, row = looking(alice), BreakReason.objects.get(company=acme, code="training")
    before = BreakReason.objects.filter(pk=row.pk).values().get()

    assert browser.post(f"/breaks/{row.pk}/", sent_by(browser.get(f"/breaks/{row.pk}/"))).status_code == 302

    assert BreakReason.objects.filter(pk=row.pk).values().get() == before


def test_a_reason_is_renamed_and_switched_off_and_keeps_its_code(acme: Company, alice: User) -> None:
    browser, row = looking(alice), BreakReason.objects.get(company=acme, code="lunch")

    browser.post(f"/breaks/{row.pk}/", sent_by(browser.get(f"/breaks/{row.pk}/"), name="Comida", is_active=None))

    row.refresh_from_db()
    assert (row.code, row.name, row.is_active) == ("lunch", "Comida", False)
    assert "Comida switched off" in words(browser.get("/breaks/"))


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"name": ""}, "name", "Give it a name."),
        ({"name": "almuerzo"}, "name", "There is another reason of this name."),
        ({"hard_limit_s": "28801"}, "hard_limit_s", "28800"),
        ({"soft_limit_s": "-1"}, "soft_limit_s", "0"),
        ({"soft_limit_s": "901", "hard_limit_s": "900"}, "soft_limit_s", "not more than the longest"),
        ({"at_limit": "fire"}, "at_limit", "fire"),
    ],
)
def test_an_error_stands_at_its_field_and_nothing_is_kept(
    acme: Company, alice: User, changes: dict[str, str], field: str, error: str
) -> None:
    browser = looking(alice)
    sent = {"name": "Otra", "soft_limit_s": "0", "hard_limit_s": "0", "at_limit": "warn", **changes}

    answer = browser.post("/breaks/new/", sent)

    assert answer.status_code == 422
    assert error in errors_at(answer, field)
    assert codes(acme) == ["lunch", "rest", "training", "restroom"]


def test_a_reason_is_deleted(acme: Company, alice: User) -> None:
    browser, row = looking(alice), BreakReason.objects.get(company=acme, code="rest")

    answer = browser.post(f"/breaks/{row.pk}/delete/")

    assert answer["Location"] == "/breaks/"
    assert codes(acme) == ["lunch", "training", "restroom"]


def test_a_disposition_is_made_changed_and_deleted(acme: Company, alice: User) -> None:
    browser = looking(alice)
    for name in ("Venta", "Timed out"):
        assert browser.post("/dispositions/new/", {"name": name, "is_active": "on"}).status_code == 302
    sale, other = Disposition.objects.order_by("position")
    assert (sale.code, other.code, other.is_system) == ("venta", "timed-out", False)

    browser.post(f"/dispositions/{sale.pk}/", {"name": "Venta cerrada", "is_active": "on"})
    browser.post(f"/dispositions/{other.pk}/delete/")

    assert Disposition.objects.values_list("code", "name").get() == ("venta", "Venta cerrada")


def test_a_disposition_that_calls_have_is_switched_off_instead(acme: Company, alice: User) -> None:
    browser, row = looking(alice), disposition_of(acme)
    of_a_call(row)

    browser.post(f"/dispositions/{row.pk}/delete/")

    row.refresh_from_db()
    assert row.is_active is False
    assert "it was switched off: it cannot be chosen any more." in words(browser.get("/breaks/"))


def test_the_products_own_disposition_is_nobodys_to_edit(acme: Company, alice: User) -> None:
    row = disposition_of(acme, "timed_out", is_system=True)
    browser = looking(alice)

    assert browser.get(f"/dispositions/{row.pk}/").status_code == 404
    assert browser.post(f"/dispositions/{row.pk}/delete/").status_code == 404


def test_what_comes_after_calls_of_no_queue_is_kept(acme: Company, alice: User) -> None:
    browser = looking(alice)
    sent = sent_by(browser.get("/wrap-up/"), **{"direct-mode": "timed", "direct-seconds": "20"})

    assert browser.post("/wrap-up/", sent)["Location"] == "/breaks/"

    kept = WrapUpPolicy.objects.filter(company=acme).order_by("calls").values_list("calls", "mode", "seconds")
    assert list(kept) == [("direct", "timed", 20), ("failed_outbound", "none", 30), ("outbound", "none", 30)]


@pytest.mark.parametrize("changes", [{"direct-seconds": "901"}, {"outbound-mode": "for ever"}, {"direct-mode": ""}])
def test_what_cannot_come_after_a_call_is_refused(acme: Company, alice: User, changes: dict[str, str]) -> None:
    browser = looking(alice)

    answer = browser.post("/wrap-up/", sent_by(browser.get("/wrap-up/"), **changes))

    assert answer.status_code == 422
    assert errors_at(answer, next(iter(changes)))
    assert not WrapUpPolicy.objects.exists()


def test_a_queue_has_its_own_with_the_definition_beside_it(acme: Company, alice: User) -> None:
    queue, browser = cast.make_queue(acme), looking(alice)
    page = browser.get(f"/queues/{queue.pk}/")
    assert "the agent cannot shorten it. A supervisor can." in words(page)

    browser.post(f"/queues/{queue.pk}/", sent_by(page, wrap_up_mode="timed_locked", wrap_up_s="90"))

    queue.refresh_from_db()
    assert (queue.wrap_up_mode, queue.wrap_up_s) == ("timed_locked", 90)
    answer = browser.post(f"/queues/{queue.pk}/", sent_by(page, wrap_up_s="901"))
    assert (answer.status_code, "900" in errors_at(answer, "wrap_up_s")) == (422, True)


def test_half_a_minute_is_proposed_for_a_new_queue_and_nothing_for_others(acme: Company, alice: User) -> None:
    sent = sent_by(looking(alice).get("/queues/new/"))

    assert (sent["wrap_up_mode"], sent["wrap_up_s"]) == ("timed", "30")
    assert CallQueue().wrap_up_mode == "none"


@pytest.mark.parametrize("path", PAGES)
def test_agents_have_no_business_there(bob: User, path: str) -> None:
    assert looking(bob).get(path).status_code == 403


def test_who_supervises_reads_and_changes_nothing(acme: Company, sam: User) -> None:
    browser, row = looking(sam), BreakReason.objects.get(company=acme, code="rest")
    disposition = disposition_of(acme)
    for path in (f"/breaks/{row.pk}/", f"/dispositions/{disposition.pk}/", "/wrap-up/"):
        page = browser.get(path)
        assert page.status_code == 200 and " disabled" in html(page)
        assert browser.post(path, {"name": "x"}).status_code == 403
    for path in (f"/breaks/{row.pk}/delete/", f"/dispositions/{disposition.pk}/delete/", "/breaks/new/"):
        assert browser.post(path, {"name": "x"}).status_code == 403

    assert codes(acme) == ["lunch", "rest", "training", "restroom"]
    assert Disposition.objects.get().name == "Sale"


def test_mallory_finds_nothing_of_acmes(acme: Company, mallory: User) -> None:
    browser, row = looking(mallory), BreakReason.objects.get(company=acme, code="rest")
    disposition = disposition_of(acme)

    for path in (f"/breaks/{row.pk}/", f"/dispositions/{disposition.pk}/"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, {"name": "x"}).status_code == 404
        assert browser.post(f"{path}delete/").status_code == 404
    assert Disposition.objects.exists() and "rest" in codes(acme)


def test_nobody_is_sent_to_the_log_in_and_nothing_is_deleted_by_looking(acme: Company, alice: User) -> None:
    row = BreakReason.objects.get(company=acme, code="rest")
    assert all(cast.Client().get(path)["Location"].startswith("/login/") for path in PAGES)

    assert looking(alice).get(f"/breaks/{row.pk}/delete/").status_code == 405
    assert looking(alice).put("/breaks/new/").status_code == 405


def test_the_pages_speak_spanish(acme: Company, alice: User) -> None:
    assert "Motivos de pausa" in words(looking(alice, "es").get("/breaks/"))


# --- A call and an agent, as pages show them ------------------------------------------------------------------------


def test_a_calls_page_says_how_it_went(acme: Company, sam: User) -> None:
    kept = of_a_call(disposition_of(acme, name="Venta cerrada"))
    CallWrapUp.objects.filter(pk=kept.pk).update(note="Llama el <lunes>")

    page = looking(sam).get(f"/calls/{kept.call_id}/")

    assert "How the call went Venta cerrada" in words(page)
    assert "Llama el &lt;lunes&gt;" in html(page)


def test_a_supervisor_releases_an_agent_where_he_sees_why_no_call_comes(bob: User, sam: User) -> None:
    agent = bob.agents.get()
    cast.endpoint_for(agent)
    cast.beat(agent, now=timezone.now())
    Agent.objects.filter(pk=agent.pk).update(intent="BREAK")
    browser, why = looking(sam), f"/agents/{agent.pk}/why/"
    assert "Release…" in words(browser.get(why))
    assert "Release…" not in words(looking(bob).get(why))

    browser.post(f"/agents/{agent.pk}/release/", {"reason": " "})
    assert "Nothing was changed." in words(browser.get(why))
    assert bob.agents.get().intent == "BREAK"
    answer = browser.post(f"/agents/{agent.pk}/release/", {"reason": "Esperan diez"})

    assert answer["Location"] == why
    assert "was released." in words(browser.get(why))
    assert bob.agents.get().intent == "AVAILABLE"
    change = PresenceChange.objects.latest("id")
    assert (change.actor, change.words, change.reason) == (sam, "Esperan diez", "released")


def test_a_call_is_not_released_from(acme: Company, bob: User, sam: User) -> None:
    call, agent = cast.make_call(acme, status="in_progress"), bob.agents.get()
    Agent.objects.filter(pk=agent.pk).update(activity="ON_CALL", busy_call_id=call.pk)
    CallLeg.objects.create(call=call, call_sid="v3:1", kind="agent", agent=agent, started_at=timezone.now())
    browser = looking(sam)

    browser.post(f"/agents/{agent.pk}/release/", {"reason": "x"})

    assert "end the call instead" in words(browser.get(f"/agents/{agent.pk}/why/"))
    assert bob.agents.get().activity == "ON_CALL"


def test_only_who_supervises_there_releases(bob: User, mallory: User, sam: User) -> None:
    path = f"/agents/{bob.agents.get().pk}/release/"

    assert looking(bob).post(path, {"reason": "x"}).status_code == 403
    assert looking(mallory).post(path, {"reason": "x"}).status_code == 404
    assert looking(sam).get(path).status_code == 405
    assert not PresenceChange.objects.exists()
