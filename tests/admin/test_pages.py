"""Every page of the operator's console: that it is there, for whom, and how often it asks the database."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from curbe.companies.models import User
from tests import cast
from tests.admin.crowd import gather

MOST_QUERIES = 12
OURS = ("companies", "contacts", "agents", "telephony", "recordings")
#: Shown on the page of the row that they belong to.
INSIDE_OTHERS = {
    "AgentSkill",
    "Beat",
    "ContactNumber",
    "LegQuality",
    "MenuOption",
    "QueueMember",
    "QueueSkill",
    "SpecialDate",
    "TeamMembership",
}
#: Bytes that the player draws.
NOTHING_TO_READ = {"Waveform"}
MADE_BY_PEOPLE = {
    "AccountAudit",
    "Agent",
    "ApiToken",
    "BreakReason",
    "BlockedCaller",
    "BusinessHours",
    "CallQueue",
    "Company",
    "Contact",
    "Disposition",
    "Membership",
    "Menu",
    "PhoneNumber",
    "RecordingPolicy",
    "RecordingRule",
    "Skill",
    "Team",
    "TelnyxAccount",
    "TranscriptPolicy",
    "User",
    "VoicemailBox",
    "WrapUpPolicy",
}
REGISTERED: list[tuple[type[Model], ModelAdmin]] = sorted(  # type: ignore[type-arg]
    ((model, page) for model, page in admin.site._registry.items() if model._meta.app_label in OURS),
    key=lambda pair: pair[0]._meta.label,
)
by_model = pytest.mark.parametrize(("model", "page"), REGISTERED, ids=lambda value: getattr(value, "__name__", ""))


def name_of(model: type[Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[SimpleNamespace]:
    """Made once for the module, in a transaction around those of its tests."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield gather(120)
        transaction.set_rollback(True)


def test_every_model_of_ours_has_a_page_or_a_place_on_one() -> None:
    models = {model.__name__ for model in apps.get_models() if model._meta.app_label in OURS}

    assert models - {model.__name__ for model, _page in REGISTERED} == INSIDE_OTHERS | NOTHING_TO_READ


@by_model
def test_a_list_asks_the_database_a_fixed_number_of_times(
    console: Client,
    crowd: SimpleNamespace,
    model: type[Model],
    page: ModelAdmin,  # type: ignore[type-arg]
) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = console.get(reverse(name_of(model, "changelist")))

    assert answer.status_code == 200
    assert len(asked) <= MOST_QUERIES, [query["sql"][:200] for query in asked.captured_queries]


@by_model
def test_a_search_asks_the_database_a_fixed_number_of_times(
    console: Client,
    crowd: SimpleNamespace,
    model: type[Model],
    page: ModelAdmin,  # type: ignore[type-arg]
) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = console.get(
            reverse(name_of(model, "changelist")), {"q": "crowd 1 +1305"} if page.search_fields else {}
        )

    assert answer.status_code == 200
    assert len(asked) <= MOST_QUERIES


@by_model
def test_the_page_of_a_row_asks_the_database_a_fixed_number_of_times(
    console: Client,
    crowd: SimpleNamespace,
    model: type[Model],
    page: ModelAdmin,  # type: ignore[type-arg]
) -> None:
    # The oldest row is the one with many members, legs and events.
    row = model._default_manager.order_by("pk").first()
    assert row is not None

    with CaptureQueriesContext(connection) as asked:
        answer = console.get(reverse(name_of(model, "change"), args=[row.pk]))

    assert answer.status_code == 200
    assert len(asked) <= MOST_QUERIES, [query["sql"][:200] for query in asked.captured_queries]


@by_model
def test_a_new_row_has_a_page_where_people_make_such_rows(
    console: Client,
    crowd: SimpleNamespace,
    model: type[Model],
    page: ModelAdmin,  # type: ignore[type-arg]
) -> None:
    with CaptureQueriesContext(connection) as asked:
        answer = console.get(reverse(name_of(model, "add")))

    assert answer.status_code == (200 if model.__name__ in MADE_BY_PEOPLE else 403)
    assert len(asked) <= MOST_QUERIES


@by_model
def test_being_staff_alone_opens_no_page(db: None, model: type[Model], page: ModelAdmin) -> None:  # type: ignore[type-arg]
    staff = cast.make_user(None, "staff", is_staff=True)

    assert cast.client_for(staff).get(reverse(name_of(model, "changelist"))).status_code == 403


def test_the_people_of_a_company_may_not_enter(alice: User) -> None:
    assert cast.client_for(alice).get(reverse("admin:index"), follow=True).status_code == 403


def test_nobody_is_sent_to_the_log_in_of_the_pages_which_has_the_brake(client: Client, db: None) -> None:
    answer = client.get("/admin/telephony/call/", follow=True)

    assert answer.redirect_chain[-1][0] == "/login/?next=/admin/telephony/call/"
    assert client.post("/admin/login/", {"username": "operator", "password": "guess"})["Location"].startswith("/login/")


def test_the_front_page_lists_every_model(console: Client) -> None:
    page = console.get(reverse("admin:index")).content.decode()

    assert all(reverse(name_of(model, "changelist")) in page for model, _page in REGISTERED)


def test_a_filter_by_company_carries_no_list_of_companies(console: Client, crowd: SimpleNamespace) -> None:
    page = console.get(reverse("admin:telephony_call_changelist"))

    assert b"crowd-" not in page.content.split(b"changelist-filter")[-1]


def test_rows_of_a_filtered_company_are_the_only_ones(console: Client, crowd: SimpleNamespace) -> None:
    wanted = crowd.companies[1]

    page = console.get(reverse("admin:telephony_call_changelist"), {"company__id__exact": wanted.pk})

    shown = {call.company_id for call in page.context["cl"].result_list}
    assert shown == {wanted.pk}


@pytest.mark.parametrize("kind", ["company", "user"])
def test_an_autocomplete_finds_by_name(console: Client, crowd: SimpleNamespace, kind: str) -> None:
    asked = {"app_label": "agents", "model_name": "agent", "field_name": kind, "term": "1"}

    found = console.get(reverse("admin:autocomplete"), asked).json()["results"]

    assert found and all("1" in one["text"] for one in found)
