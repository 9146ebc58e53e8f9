"""``/hours/``: business hours as people read and change them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from curbe.companies.models import Company, Role, User
from telephony.core.hours import Switch
from telephony.models import BusinessHours, PlanVersion, SpecialDate
from telephony.operations.plans import current_plan
from tests import cast
from tests.pages.people import html, looking, words

OFFICE: dict[str, list[str]] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ["09:00-14:00", "16:00-19:00"])

#: 2026-11-20 is a Friday; New York is five hours behind.
FRIDAY_AT_TEN = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def office(acme: Company) -> BusinessHours:
    return make_hours(acme)


@pytest.fixture
def friday(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages read the clock themselves; here it stands."""
    monkeypatch.setattr(timezone, "now", lambda: FRIDAY_AT_TEN)


def make_hours(company: Company, name: str = "oficina", **fields: Any) -> BusinessHours:
    return BusinessHours.objects.create(company=company, name=name, **{"weekly": OFFICE, **fields})


def form(**changes: Any) -> dict[str, Any]:
    """Return what a browser sends of a form that is filled in right; a list stands for a field that comes often."""
    return {
        "name": "oficina",
        "timezone": "",
        "switch": "",
        "mon_from": ["09:00", "16:00"],
        "mon_until": ["14:00", "19:00"],
        "country": "",
        "action": "save",
        **changes,
    }


def dates(*rows: tuple[str, str, str], yearly: tuple[int, ...] = ()) -> dict[str, list[str]]:
    columns = zip(*rows, strict=True)
    return {
        **dict(zip(("date", "date_name", "date_hours"), map(list, columns), strict=True)),
        "date_yearly": [str(index) for index in yearly],
    }


# --- Who gets in --------------------------------------------------------------------------------------------------

EDITING = ("hours_new", "hours_new_preview", "hours_preview", "hours_delete")
POST_ONLY = ("hours_new_preview", "hours_preview")


def address(name: str, office: BusinessHours) -> str:
    return reverse(name, args=[office.pk] if name in {"hours_edit", "hours_preview", "hours_delete"} else [])


@pytest.mark.parametrize("name", ["hours", "hours_edit", *EDITING])
def test_nobody_is_sent_to_the_log_in(office: BusinessHours, name: str) -> None:
    response = Client().post(address(name, office)) if name in POST_ONLY else Client().get(address(name, office))

    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.SUPERVISOR, Role.AGENT])
@pytest.mark.parametrize("name", ["hours", "hours_edit", *EDITING])
def test_supervisors_read_and_administrators_edit(office: BusinessHours, acme: Company, role: str, name: str) -> None:
    browser = cast.client_for(cast.make_user(acme, role=role))
    response = browser.post(address(name, office)) if name in POST_ONLY else browser.get(address(name, office))
    administers = role in {Role.OWNER, Role.ADMIN}
    allowed = administers or (role == Role.SUPERVISOR and name not in EDITING)

    assert response.status_code == (200 if allowed else 403)
    if allowed:
        assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("who", ["sam", "bob"])
@pytest.mark.parametrize("name", ["hours_new", "hours_edit", "hours_delete"])
def test_who_does_not_administer_changes_nothing(
    office: BusinessHours, who: str, name: str, request: pytest.FixtureRequest
) -> None:
    response = looking(request.getfixturevalue(who)).post(address(name, office), form(name="mine"))

    assert response.status_code == 403
    assert list(BusinessHours.objects.values_list("name", flat=True)) == ["oficina"]


@pytest.mark.parametrize("name", ["hours_edit", "hours_preview", "hours_delete"])
def test_mallory_finds_nothing(office: BusinessHours, mallory: User, name: str) -> None:
    browser = looking(mallory)

    assert browser.post(address(name, office), form(name="mine")).status_code == 404
    if name not in POST_ONLY:
        assert browser.get(address(name, office)).status_code == 404
    office.refresh_from_db()
    assert office.name == "oficina"
    assert "oficina" not in words(browser.get("/hours/"))


@pytest.mark.parametrize(
    ("name", "method"),
    [("hours", "post"), ("hours_edit", "put"), ("hours_new", "delete"), ("hours_delete", "delete")]
    + [(name, "get") for name in POST_ONLY],
)
def test_another_method_is_refused(office: BusinessHours, alice: User, name: str, method: str) -> None:
    assert getattr(looking(alice), method)(address(name, office)).status_code == 405


def test_a_supervisor_sees_the_form_shut(office: BusinessHours, sam: User) -> None:
    page = html(looking(sam).get(f"/hours/{office.pk}/"))

    assert "disabled" in page
    assert "Add hours" not in page
    assert "hx-post" not in page


# --- The list -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Open now Closes today at 14:00."),
        ({"weekly": {"fri": ["12:00-13:00"]}}, "Closed now Opens today at 12:00."),
        ({"weekly": {"sat": ["10:00-12:00"]}}, "Closed now Opens tomorrow at 10:00."),
        ({"weekly": {"mon": ["09:00-12:00"]}}, "Closed now Opens on Monday 23 November at 09:00."),
        ({"weekly": {}}, "Closed now Nothing changes in the next two weeks. It is never open."),
        ({"timezone": "Europe/Madrid"}, "Closed now Opens today at 16:00. Now it is Friday 20 November, 16:00"),
        ({"timezone": "No/Where"}, "Nobody knows the time zone No/Where; UTC is used."),
        ({"switch": "open"}, "Open by hand Held open by hand, whatever the calendar says."),
        ({"switch": "closed"}, "Closed by hand Held closed by hand, whatever the calendar says."),
    ],
)
def test_the_list_says_how_each_stands_and_until_when(
    acme: Company, sam: User, friday: None, fields: dict[str, Any], said: str
) -> None:
    make_hours(acme, **fields)
    if fields.get("timezone") == "Europe/Madrid":
        said = "Open now Closes today at 19:00. Now it is Friday 20 November, 16:00 (Europe/Madrid)."

    assert said in words(looking(sam).get("/hours/"))


def test_a_special_date_is_named(acme: Company, office: BusinessHours, sam: User, friday: None) -> None:
    SpecialDate.objects.create(hours=office, date=date(2026, 11, 20), name="Fiesta local")

    said = words(looking(sam).get("/hours/"))
    assert "Closed now Special date: Fiesta local. Opens on Monday 23 November at 09:00." in said


def test_the_list_speaks_spanish(office: BusinessHours, sam: User, friday: None) -> None:
    said = words(looking(sam, "es").get("/hours/"))

    assert "Abierto ahora Cierra hoy a las 14:00." in said
    assert "Lun–Vie 09:00–14:00, 16:00–19:00" in said
    assert "Business" not in said


def test_spanish_dates_are_spanish(acme: Company, sam: User, friday: None) -> None:
    make_hours(acme, weekly={"mon": ["09:00-12:00"]})

    assert "Abre el lunes 23 de noviembre a las 09:00." in words(looking(sam, "es").get("/hours/"))


def test_the_list_says_where_hours_are_used(acme: Company, office: BusinessHours, sam: User) -> None:
    cast.make_queue(acme, "ventas", hours=office)
    cast.make_number(acme, "+13055550100", hours=office)
    make_hours(acme, "noches")

    said = words(looking(sam).get("/hours/"))
    assert "Used by queue ventas, number +1 305-555-0100" in said
    assert said.count("Not used yet") == 1


def test_an_empty_list_says_what_hours_are_for(alice: User) -> None:
    assert "No business hours yet" in words(looking(alice).get("/hours/"))


def test_the_list_asks_again_each_minute(office: BusinessHours, sam: User) -> None:
    assert 'hx-trigger="every 60s"' in html(looking(sam).get("/hours/"))


@pytest.mark.parametrize("many", [1, 20])
def test_the_number_of_queries_does_not_grow(
    acme: Company, alice: User, many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(many):
        hours = make_hours(acme, f"h{index}")
        cast.make_queue(acme, f"q{index}", hours=hours)
        SpecialDate.objects.create(hours=hours, date=date(2026, 12, 25))
    browser = looking(alice)
    pk = hours.pk

    # Session, person, memberships, agent; the hours, their dates, queues and numbers.
    with django_assert_num_queries(8):
        browser.get("/hours/")
    with django_assert_num_queries(8):
        browser.get(f"/hours/{pk}/")
    with django_assert_num_queries(7):
        browser.post(f"/hours/{pk}/preview/", form())
    with django_assert_num_queries(4):
        browser.get("/hours/new/")


# --- The form -----------------------------------------------------------------------------------------------------


def test_new_hours_are_kept_as_they_were_typed(acme: Company, alice: User) -> None:
    typed = form(
        name=" Tienda ",
        timezone="madrid",
        country="ES",
        sat_from=["22:00", ""],
        sat_until=["02:00", ""],
        sun_from=["18:00"],
        sun_until=["00:00"],
        **dates(
            ("2026-12-25", "Navidad", ""),
            ("2026-12-24", "Nochebuena", "16-18; 10:00 – 14:00"),
            ("", "", ""),
            ("2026-12-31", "", "cerrado"),
            yearly=(0,),
        ),
    )
    response = looking(alice).post("/hours/new/", typed)

    assert (response.status_code, response["Location"]) == (302, "/hours/")
    kept = BusinessHours.objects.get()
    assert (kept.company, kept.name, kept.timezone, kept.country, kept.switch) == (
        acme,
        "Tienda",
        "Europe/Madrid",
        "ES",
        "",
    )
    assert kept.weekly == {
        "mon": ["09:00-14:00", "16:00-19:00"],
        "sat": ["22:00-02:00"],
        "sun": ["18:00-24:00"],
    }
    assert list(kept.special_dates.order_by("date").values_list("date", "every_year", "intervals", "name")) == [
        (date(2026, 12, 24), False, ["10:00-14:00", "16:00-18:00"], "Nochebuena"),
        (date(2026, 12, 25), True, [], "Navidad"),
        (date(2026, 12, 31), False, [], ""),
    ]


def test_calls_are_routed_by_them_from_then_on(acme: Company, office: BusinessHours, alice: User) -> None:
    browser = looking(alice)
    browser.post(f"/hours/{office.pk}/", form(switch="closed"))
    assert current_plan(acme.pk).hours[office.pk].switch is Switch.CLOSED

    browser.post(f"/hours/{office.pk}/", form(switch="", **dates(("2026-12-25", "Navidad", ""))))
    plan = current_plan(acme.pk)
    assert plan.hours[office.pk].switch is Switch.NONE
    assert plan.hours[office.pk].special[0].name == "Navidad"

    versions = PlanVersion.objects.count()
    browser.post(f"/hours/{office.pk}/", form(**dates(("2026-12-25", "Navidad", ""))))
    assert PlanVersion.objects.count() == versions


def test_what_the_form_shows_is_what_it_keeps(acme: Company, alice: User) -> None:
    """Saved without a change, hours are as they were."""
    hours = make_hours(
        acme,
        "turnos",
        timezone="Europe/Madrid",
        country="ES",
        weekly={"fri": ["22:00-02:00"], "sat": ["18:00-24:00"], "sun": ["00:00-24:00"]},
        switch="open",
    )
    SpecialDate.objects.create(hours=hours, date=date(2026, 1, 6), every_year=True, name="Reyes")
    SpecialDate.objects.create(hours=hours, date=date(2026, 12, 24), intervals=["10:00-14:00"], name="<Nochebuena> &")
    before = shown(hours)
    browser = looking(alice)

    response = browser.post(
        f"/hours/{hours.pk}/", {**fields_of(html(browser.get(f"/hours/{hours.pk}/"))), "action": "save"}
    )

    assert response.status_code == 302
    hours.refresh_from_db()
    assert shown(hours) == before


def shown(hours: BusinessHours) -> Any:
    special = hours.special_dates.order_by("date").values_list("date", "every_year", "intervals", "name")
    return (hours.name, hours.timezone, hours.country, hours.weekly, hours.switch, list(special))


def fields_of(page: str) -> dict[str, list[str]]:
    """Return what a browser would send of the form on the page."""
    from html import unescape

    page = page[page.index('id="hours-form"') :]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input\b[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        is_choice = attributes.get("type") in {"radio", "checkbox"}
        if "name" in attributes and (not is_choice or tag.endswith(" checked>")):
            fields.setdefault(attributes["name"], []).append(unescape(attributes.get("value", "")))
    for name, options in re.findall(r'<select\b[^>]*\bname="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = [chosen[1] if chosen else ""]
    return fields


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"name": " "}, "Give the hours a name."),
        ({"name": "x" * 81}, "At most 80 characters, on one line."),
        ({"name": "a\x00b"}, "At most 80 characters, on one line."),
        ({"timezone": "Miami"}, "There is no time zone Miami."),
        ({"timezone": "../etc/passwd"}, "There is no time zone ../etc/passwd."),
        ({"switch": "maybe"}, "Choose one of the three."),
        ({"tue_from": ["09:00"], "tue_until": [""]}, "Tuesday: Say when it ends."),
        ({"tue_from": [""], "tue_until": ["18:00"]}, "Tuesday: Say when it begins."),
        ({"tue_from": ["09:00"]}, "Tuesday: Say when it ends."),
        ({"tue_from": ["09:00"], "tue_until": ["09:00"]}, "Tuesday: It ends when it begins."),
        ({"tue_from": ["nine"], "tue_until": ["five"]}, "Tuesday: Write the hours as 09:00-18:00."),
        (
            {"tue_from": ["09:00", "13:00"], "tue_until": ["14:00", "18:00"]},
            "Tuesday: 13:00-18:00 overlaps 09:00-14:00.",
        ),
        (
            {"sun_from": ["22:00"], "sun_until": ["09:30"]},
            "Monday: 09:00-14:00 overlaps 22:00-09:30.",
        ),
        ({"tue_from": ["09:00"] * 13, "tue_until": ["10:00"] * 13}, "Tuesday: These are too many for one day."),
        (dates(("25/12/2026", "", "")), "Choose a date between 2000 and 2100."),
        (dates(("", "Navidad", "")), "Choose a date between 2000 and 2100."),
        (dates(("1999-12-25", "", "")), "Choose a date between 2000 and 2100."),
        (dates(("2026-12-25", "", ""), ("2026-12-25", "", "")), "2026-12-25: This date stands here twice."),
        (dates(("2026-12-25", "", ""), ("2026-12-25", "", ""), yearly=(0,)), "This date stands here twice."),
        (dates(("2026-12-25", "", ""), ("2027-12-25", "", ""), yearly=(0, 1)), "This date stands here twice."),
        (dates(("2026-12-24", "", "all day")), "2026-12-24: Write the hours as 09:00-18:00."),
        (dates(("2026-12-24", "", "9-14, 13-15")), "2026-12-24: 13:00-15:00 overlaps 09:00-14:00."),
        (dates(("2026-12-24", "x" * 81, "")), "2026-12-24: At most 80 characters, on one line."),
        (dates(*[(f"20{year:02}-01-01", "", "") for year in range(1, 100)] * 3), "At most 200 special dates."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(
    office: BusinessHours, alice: User, typed: dict[str, Any], error: str
) -> None:
    response = looking(alice).post(f"/hours/{office.pk}/", form(**{"name": "otra", **typed}))

    assert response.status_code == 422
    assert error in words(response)
    assert "Nothing was saved." in words(response)
    office.refresh_from_db()
    assert (office.name, office.weekly, office.special_dates.count()) == ("oficina", OFFICE, 0)


def test_an_error_stands_at_its_field_and_what_was_typed_stays(alice: User) -> None:
    typed = form(name="", timezone="Miami", tue_from=["09:00"], tue_until=[""], **dates(("", "Navidad", "x")))
    page = html(looking(alice).post("/hours/new/", typed))

    for field, error in [
        ("hours-name", "hours-name-error"),
        ("hours-timezone", "hours-timezone-error"),
        ("tue-0-until", "tue-0-error"),
        ("date-0", "date-0-error"),
        ("date-0-hours", "date-0-error"),
    ]:
        tag = re.search(rf'<input[^>]*id="{field}"[^>]*>', page)
        assert tag and 'aria-invalid="true"' in tag[0] and error in tag[0], field
        assert f'id="{error}"' in page
    assert 'value="Miami"' in page
    assert 'value="Navidad"' in page


def test_the_dated_one_and_the_yearly_one_may_be_of_the_same_day(acme: Company, alice: User) -> None:
    typed = form(**dates(("2025-12-25", "", ""), ("2026-12-25", "", "10-12"), yearly=(0,)))

    assert looking(alice).post("/hours/new/", typed).status_code == 302
    assert SpecialDate.objects.count() == 2


@pytest.mark.parametrize("who_has_it", ["acme", "elsewhere"])
def test_a_name_is_one_companys_only_once(acme: Company, elsewhere: Company, alice: User, who_has_it: str) -> None:
    make_hours({"acme": acme, "elsewhere": elsewhere}[who_has_it], "oficina")
    response = looking(alice).post("/hours/new/", form())

    assert response.status_code == (422 if who_has_it == "acme" else 302)
    if who_has_it == "acme":
        assert "Other hours have this name already." in words(response)
        assert BusinessHours.objects.count() == 1


def test_the_form_speaks_spanish(alice: User) -> None:
    said = words(looking(alice, "es").post("/hours/new/", form(name="", tue_from=["09:00"], tue_until=[""])))

    assert "No se guardó nada. Póngale un nombre al horario." in said
    assert "Indique a qué hora termina." in said
    assert "Miércoles" in said
    assert "Según el calendario" in said


def test_names_from_people_are_text(acme: Company, alice: User) -> None:
    hours = make_hours(acme, "<script>alert(1)</script>")
    SpecialDate.objects.create(hours=hours, date=date(2026, 12, 25), name='"><img src=x>')
    browser = looking(alice)

    for page in ("/hours/", f"/hours/{hours.pk}/", f"/hours/{hours.pk}/delete/"):
        assert "<script>alert" not in html(browser.get(page))
        assert "<img" not in html(browser.get(page))


# --- Its buttons --------------------------------------------------------------------------------------------------


def pressed(browser: Client, action: str, **typed: Any) -> Any:
    response = browser.post("/hours/new/", form(action=action, **typed))
    assert response.status_code == 200
    assert not BusinessHours.objects.exists()
    return fields_of(html(response))


def test_a_row_is_added_and_gets_the_keyboard(alice: User) -> None:
    browser = looking(alice)
    fields = pressed(browser, "add tue")

    assert fields["tue_from"] == fields["tue_until"] == [""]
    assert fields["mon_from"] == ["09:00", "16:00"]
    page = html(browser.post("/hours/new/", form(action="add tue")))
    assert re.search(r'id="tue-0-from"[^>]* autofocus', page)


def test_a_row_is_taken_away(alice: User) -> None:
    fields = pressed(looking(alice), "remove mon 0")

    assert (fields["mon_from"], fields["mon_until"]) == (["16:00"], ["19:00"])


def test_a_day_is_copied_to_every_weekday_and_the_week_end_is_left(alice: User) -> None:
    fields = pressed(
        looking(alice), "copy mon", fri_from=["08:00"], fri_until=["09:00"], sat_from=["10:00"], sat_until=["12:00"]
    )

    for day in ("mon", "tue", "wed", "thu", "fri"):
        assert (fields[f"{day}_from"], fields[f"{day}_until"]) == (["09:00", "16:00"], ["14:00", "19:00"])
    assert fields["sat_from"] == ["10:00"]
    assert "sun_from" not in fields


def test_dates_are_added_and_taken_away(alice: User) -> None:
    typed = dates(("2026-12-24", "a", ""), ("2026-12-25", "b", ""), yearly=(1,))
    browser = looking(alice)

    assert pressed(browser, "add-date", **typed)["date"] == ["2026-12-24", "2026-12-25", ""]
    fields = pressed(browser, "remove-date 0", **typed)
    assert (fields["date"], fields["date_name"], fields["date_yearly"]) == (["2026-12-25"], ["b"], ["0"])


@pytest.mark.parametrize(
    "action",
    ["add", "add xyz", "remove mon", "remove mon 9", "remove mon -1", "remove mon ²", "remove-date 0", "copy", "fly"],
)
def test_a_button_that_is_none_does_nothing(alice: User, action: str) -> None:
    assert pressed(looking(alice), action)["mon_from"] == ["09:00", "16:00"]


# --- Holidays -----------------------------------------------------------------------------------------------------


def test_holidays_are_offered_ticked_and_taken_when_asked(alice: User, friday: None) -> None:
    browser = looking(alice, "es")
    offered = pressed(browser, "holidays", country="US", **dates(("2026-12-25", "Nuestra fiesta", "")))

    assert "2026-11-26" in offered["holiday"]
    page = html(browser.post("/hours/new/", form(action="holidays", country="US", **dates(("2026-12-25", "x", "")))))
    assert "Día de Acción de Gracias" in page
    assert re.search(r'value="2026-12-25"[^>]* disabled', page)

    ticked = ["2026-11-26", "2026-07-04"]
    taken = pressed(browser, "take-holidays", country="US", holidays_open="1", year="2026", holiday=ticked)
    assert taken["date"] == ["2026-07-04", "2026-11-26"]
    assert taken["date_name"] == ["Día de la Independencia", "Día de Acción de Gracias"]
    assert "holiday" not in taken


def test_what_is_ticked_is_saved_even_if_it_was_not_taken_first(alice: User, friday: None) -> None:
    typed = form(country="ES", region="MD", region_of="ES", year="2026", holidays_open="1", holiday=["2026-05-02"])
    assert looking(alice).post("/hours/new/", typed).status_code == 302

    assert list(SpecialDate.objects.values_list("date", "name")) == [(date(2026, 5, 2), "Madrid Day")]


def test_a_region_of_another_country_is_forgotten(alice: User, friday: None) -> None:
    response = looking(alice).post(
        "/hours/new/",
        form(action="holidays", country="ES", region="FL", region_of="US", holidays_open="1", year="2026"),
    )

    assert "Andalucía" in html(response)
    assert 'value="FL"' not in html(response)


@pytest.mark.parametrize("typed", [{"country": ""}, {"country": "XX"}, {"country": "US", "year": "9999"}])
def test_nonsense_about_holidays_harms_nobody(alice: User, typed: dict[str, str]) -> None:
    assert looking(alice).post("/hours/new/", form(action="holidays", holidays_open="1", **typed)).status_code == 200


# --- The preview --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"fri_from": ["09:00"], "fri_until": ["11:00"]}, "A call now would find it open. Closes today at 11:00."),
        ({"fri_from": ["11:00"], "fri_until": ["12:00"]}, "A call now would find it closed. Opens today at 11:00."),
        # Without a name, which it does not need yet.
        ({"name": ""}, "A call now would find it closed. Opens on Monday 23 November at 09:00."),
        ({"switch": "open"}, "Open by hand A call now would find it open. Held open by hand"),
        ({"fri_from": ["09:00"], "fri_until": [""]}, "Something is not right yet. Friday: Say when it ends."),
        (
            dates(("2026-11-20", "Puente", "10-11")),
            "A call now would find it open. Special date: Puente. Closes today at 11:00.",
        ),
        ({"timezone": "Asia/Tokyo"}, "Now it is Saturday 21 November, 00:00 (Asia/Tokyo)."),
    ],
)
@pytest.mark.parametrize("of", ["new", "kept"])
def test_the_preview_says_what_a_call_would_find(
    office: BusinessHours, alice: User, friday: None, of: str, typed: dict[str, Any], said: str
) -> None:
    where = "/hours/new/preview/" if of == "new" else f"/hours/{office.pk}/preview/"
    response = looking(alice).post(where, form(**typed))

    assert response.status_code == 200
    assert said in words(response)
    assert html(response).strip().startswith('<div id="hours-preview-words"')
    office.refresh_from_db()
    assert office.weekly == OFFICE


def test_the_form_asks_for_the_preview_as_one_types(office: BusinessHours, alice: User) -> None:
    page = html(looking(alice).get(f"/hours/{office.pk}/"))

    assert f'hx-post="/hours/{office.pk}/preview/" hx-trigger="input from:#hours-form' in page
    assert 'aria-live="polite"' in page
    assert "A call now would find it" in page


# --- Deleting -----------------------------------------------------------------------------------------------------


def test_hours_that_nothing_uses_go_with_their_dates(acme: Company, office: BusinessHours, alice: User) -> None:
    SpecialDate.objects.create(hours=office, date=date(2026, 12, 25))
    browser = looking(alice)

    assert "Delete oficina" in words(browser.get(f"/hours/{office.pk}/delete/"))
    assert BusinessHours.objects.exists()
    response = browser.post(f"/hours/{office.pk}/delete/")
    assert (response.status_code, response["Location"]) == (302, "/hours/")
    assert not SpecialDate.objects.exists()
    assert not current_plan(acme.pk).hours


@pytest.mark.parametrize("used_by", ["queue ventas", "number +1 305-555-0100"])
def test_hours_in_use_stay_and_say_where(acme: Company, office: BusinessHours, alice: User, used_by: str) -> None:
    if used_by.startswith("queue"):
        cast.make_queue(acme, "ventas", hours=office)
    else:
        cast.make_number(acme, "+13055550100", hours=office)
    browser = looking(alice)

    page = browser.get(f"/hours/{office.pk}/delete/")
    assert used_by in words(page)
    assert 'method="post" action="/hours' not in html(page)
    response = browser.post(f"/hours/{office.pk}/delete/")
    assert response.status_code == 409
    assert used_by in words(response)
    assert BusinessHours.objects.filter(pk=office.pk).exists()
