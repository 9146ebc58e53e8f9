"""What an import makes of a company, and that an export can be imported."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent, AgentSkill, Skill
from curbe.companies import demo
from curbe.companies.company_file import UnableToImport, export_company, import_company
from curbe.companies.models import Company, Membership, Role, User
from telephony.core.hours_text import DAYS
from telephony.core.plan import Destination, DestinationKind
from telephony.models import (
    BusinessHours,
    CallQueue,
    Menu,
    MenuOption,
    PhoneNumber,
    Place,
    QueueSkill,
    SipEndpoint,
    SpecialDate,
)
from telephony.operations.places import place_for
from tests import cast

DEMO = (Path(demo.__path__[0]) / "acme.yaml").read_text(encoding="utf-8")
Leads = PhoneNumber.Destination


def leads(e164: str) -> tuple[str, str]:
    number = PhoneNumber.objects.get(e164=e164)
    target = number.agent.user.username if number.agent else number.queue or number.menu or ""
    return number.destination, str(target)


def signs(text: str, **how: bool) -> list[str]:
    return [str(change) for change in import_company(text, **how).changes]


# --- The demo company -----------------------------------------------------------------------------------------------


@pytest.fixture
def demo_company(db: None) -> Company:
    return import_company(DEMO).company


def test_the_demo_company_is_made_as_its_file_says(demo_company: Company) -> None:
    assert (demo_company.public_id, demo_company.timezone, demo_company.fallback_number) == (
        "b5325600",
        "America/New_York",
        "+13055550199",
    )
    assert {one.user.username: one.role for one in Membership.objects.filter(company=demo_company)} == {
        "ana": Role.AGENT,
        "luis": Role.AGENT,
        "eva": Role.SUPERVISOR,
        "olga": Role.OWNER,
    }
    assert {agent.user.name for agent in Agent.objects.filter(company=demo_company)} == {"Ana Gómez", "Luis Pérez"}
    assert [agent.user.username for agent in CallQueue.objects.get(name="ventas").members.order_by("id")] == [
        "ana",
        "luis",
    ]
    assert [leads(f"+1305555010{last}") for last in range(5)] == [
        (Leads.QUEUE, "ventas"),
        (Leads.USER, "ana"),
        (Leads.COMPANY, ""),
        (Leads.NONE, ""),
        (Leads.MENU, "principal"),
    ]


def test_a_second_import_changes_nothing(demo_company: Company) -> None:
    result = import_company(DEMO)

    assert (result.changes, result.new_users, result.is_unchanged) == ((), (), True)


def test_pruning_by_its_own_file_changes_nothing(demo_company: Company) -> None:
    assert import_company(DEMO, prune=True).changes == ()


def test_a_dry_run_says_the_same_and_changes_nothing(db: None) -> None:
    said = signs(DEMO, dry_run=True)

    assert not Company.objects.exists()
    assert not User.objects.exists()
    assert said == signs(DEMO)


def test_an_import_buys_nothing_and_leaves_a_number_unlinked(demo_company: Company) -> None:
    assert set(PhoneNumber.objects.values_list("telnyx_id", "connection_id")) == {("", "")}


def test_an_export_of_the_demo_says_what_its_file_says(demo_company: Company) -> None:
    text = export_company(demo_company)

    assert import_company(text, prune=True).is_unchanged
    assert "  - {username: ana, name: Ana Gómez, email: ana@acme.test, role: agent, skills: {es: 5, en: 3}}\n" in text
    assert "  - {name: ventas, members: [ana, luis]}\n" in text
    assert "  - {e164: '+13055550101', assigned_to: {user: ana}}\n" in text


# --- What is absent stays -------------------------------------------------------------------------------------------


def test_an_absent_section_is_untouched_even_when_pruned(demo_company: Company) -> None:
    import_company("company: {slug: acme, name: Acme Seguros}\nnumbers: []\n", prune=True)

    assert not PhoneNumber.objects.exists()
    assert (Membership.objects.count(), CallQueue.objects.count()) == (4, 2)


def test_what_a_section_does_not_name_stays_without_prune(demo_company: Company) -> None:
    text = dedent(
        """\
        company: {slug: acme, name: Acme Seguros}
        users: [{username: ana}]
        queues: [{name: ventas, members: [ana]}]
        numbers: [{e164: "+13055550100"}]
        """
    )

    said = signs(text)

    assert import_company(DEMO).is_unchanged
    assert {line[0] for line in said} == {"="}
    assert "= queue ventas: member luis" in said


def test_what_a_section_does_not_name_goes_with_prune(demo_company: Company) -> None:
    text = dedent(
        """\
        company: {slug: acme, name: Acme Seguros}
        users: [{username: ana}, {username: eva}]
        queues: [{name: soporte, members: [ana]}]
        menus: []
        numbers: [{e164: "+13055550100"}, {e164: "+13055550101", assigned_to: {user: ana}}]
        """
    )

    import_company(text, prune=True)

    demo_company.refresh_from_db()
    assert (demo_company.fallback_number, demo_company.timezone) == ("", "UTC")
    assert [queue.name for queue in CallQueue.objects.all()] == ["soporte"]
    assert {number.e164 for number in PhoneNumber.objects.all()} == {"+13055550100", "+13055550101"}
    assert leads("+13055550100") == (Leads.NONE, "")


def test_who_is_pruned_answers_no_more_and_what_he_did_stays(demo_company: Company) -> None:
    luis = Agent.objects.get(user__username="luis")
    call = cast.make_call(demo_company, agent=luis)

    import_company("company: {slug: acme, name: Acme}\nusers: [{username: ana}, {username: eva}]\n", prune=True)

    luis.refresh_from_db()
    call.refresh_from_db()
    assert (luis.is_active, call.agent) == (False, luis)
    assert User.objects.filter(username="luis").exists()


def test_who_comes_back_answers_again(demo_company: Company) -> None:
    import_company("company: {slug: acme, name: Acme}\nusers: [{username: ana}, {username: eva}]\n", prune=True)

    import_company(DEMO)

    assert Agent.objects.get(user__username="luis").is_active


# --- What is different is changed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "change"),
    [
        ("{username: eva, role: agent}", "~ user eva: role supervisor → agent"),
        ("{username: eva, answers: true}", "+ agent eva: answers calls"),
        ("{username: ana, name: Ana María}", "~ user ana: name Ana Gómez → Ana María"),
        ("{username: ana, answers: false}", "~ agent ana: answers calls no more"),
        ("{username: max, role: agent}", "+ user max: agent"),
        ("{username: max, role: agent, answers: false}", "+ user max: agent"),
    ],
)
def test_a_row_changes_what_it_says_and_nothing_else(demo_company: Company, row: str, change: str) -> None:
    text = f"company: {{slug: acme, name: Acme Seguros}}\nusers: [{row}]\n"

    said = [line for line in signs(text) if not line.startswith("=")]

    assert said[0] == change
    assert [line for line in signs(text) if not line.startswith("=")] == []


def test_a_number_is_moved(demo_company: Company) -> None:
    cast.make_queue(demo_company, "quejas")
    text = (
        "company: {slug: acme, name: Acme Seguros}\n"
        'numbers: [{e164: "+13055550101", label: Help, assigned_to: {queue: quejas}}]\n'
    )

    assert "~ number +13055550101: user ana → queue quejas, label (none) → Help" in signs(text)
    assert leads("+13055550101") == (Leads.QUEUE, "quejas")


@pytest.mark.parametrize("nowhere", ["null", "{}"])
def test_a_number_is_taken_from_its_user(demo_company: Company, nowhere: str) -> None:
    import_company(
        f'company: {{slug: acme, name: Acme}}\nnumbers: [{{e164: "+13055550101", assigned_to: {nowhere}}}]\n'
    )

    assert leads("+13055550101") == (Leads.NONE, "")


def test_a_number_may_stand_without_quotes(db: None) -> None:
    import_company("company: {slug: acme, name: Acme}\nnumbers: [{e164: +13055550100}]\n")

    assert PhoneNumber.objects.get().e164 == "+13055550100"


def test_words_that_yaml_takes_for_something_else_are_names_here(db: None) -> None:
    import_company("company: {slug: on, name: 2026-01-01}\nusers: [{username: no, name: null}, {username: 0x10}]\n")

    assert Company.objects.get().name == "2026-01-01"
    assert set(User.objects.values_list("username", "name")) == {("no", ""), ("0x10", "")}


def test_a_link_to_telnyx_and_a_credential_survive_an_import(demo_company: Company) -> None:
    PhoneNumber.objects.filter(e164="+13055550100").update(telnyx_id="77", connection_id="88")
    cast.endpoint_for(Agent.objects.get(user__username="ana"))

    import_company(DEMO, prune=True)

    assert PhoneNumber.objects.get(e164="+13055550100").telnyx_id == "77"
    assert SipEndpoint.objects.count() == 1


# --- An export is a fixed point -------------------------------------------------------------------------------------

line_of_text = st.text(st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn")), min_size=1, max_size=30).filter(
    lambda text: bool(text.strip())
)
labels = st.one_of(st.just(""), line_of_text)
usernames = st.from_regex(r"[a-zñ0-9@.+_-]{1,12}", fullmatch=True)


spoken = st.text(st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn"), include_characters="\n\r\t"), max_size=30)
words = spoken.filter(lambda text: bool(text.strip()))
intervals = st.sampled_from([["09:00-18:00"], ["09:00-13:00", "15:00-18:30"], ["22:00-02:00"], ["02:00-24:00"], []])
dates = st.dates(date(2026, 1, 1), date(2027, 12, 31))
codes = st.sampled_from(["es", "en", "pagos", "VIP-1"])
columns_of = {
    model: [
        column
        for column in model._meta.concrete_fields
        if isinstance(column, models.BooleanField | models.PositiveSmallIntegerField)
        or (column.choices and not column.is_relation)
    ]
    for model in (CallQueue, Menu, BusinessHours)
}


@st.composite
def columns(draw: st.DrawFn, model: type[models.Model]) -> dict[str, Any]:
    """Draw a value that the column takes for each that stands in the file as it is."""
    drawn: dict[str, Any] = {}
    for column in columns_of[model]:
        if isinstance(column, models.BooleanField):
            drawn[column.name] = draw(st.booleans())
        elif column.choices:
            drawn[column.name] = draw(st.sampled_from([value for value, _label in column.flatchoices]))
        else:
            low = max(one.limit_value for one in column.validators if isinstance(one, MinValueValidator))
            high = min(one.limit_value for one in column.validators if isinstance(one, MaxValueValidator))
            drawn[column.name] = draw(st.sampled_from([column.default, low, high]))
    return drawn


#: A kind of destination, which of the rows of that kind, and words.
places = st.tuples(st.sampled_from(DestinationKind), st.integers(0, 9), words)
languages = st.sampled_from(["", "es", "en"])
digits = st.sampled_from("0123456789*#")


@st.composite
def companies(draw: st.DrawFn) -> dict[str, Any]:
    people = draw(st.lists(usernames, unique=True, max_size=4))
    hours = draw(st.lists(line_of_text, unique=True, max_size=2))
    skills = draw(st.dictionaries(codes, labels))
    levels = st.dictionaries(st.sampled_from(list(skills)), st.integers(1, 5)) if skills else st.just({})
    return {
        "name": draw(line_of_text),
        "language": draw(st.sampled_from(["es", "en"])),
        "fallback_number": draw(st.sampled_from(["", "+13055550199"])),
        "skills": skills,
        "people": {
            username: {
                "name": draw(labels),
                "email": draw(st.sampled_from(["", "someone@acme.test", "o'neil+x@acme.test"])),
                "role": draw(st.sampled_from(Role.values)),
                "agent": draw(st.sampled_from([None, True, False])),
                "skills": draw(levels),
                "priority": draw(st.integers(1, 9)),
            }
            for username in people
        },
        "hours": {
            name: {
                "timezone": draw(st.sampled_from(["", "America/Bogota"])),
                "country": draw(st.sampled_from(["", "US"])),
                "weekly": draw(st.dictionaries(st.sampled_from(DAYS), intervals)),
                "dates": draw(st.dictionaries(dates, st.tuples(st.booleans(), intervals, labels), max_size=3)),
                **draw(columns(BusinessHours)),
            }
            for name in hours
        },
        "queues": {
            name: {
                "members": draw(st.lists(st.sampled_from(people), unique=True)) if people else [],
                "skills": draw(levels),
                "relaxable": draw(st.booleans()),
                "hours": draw(st.sampled_from([None, *hours])),
                "leads": (draw(places), draw(places)),
                "columns": draw(columns(CallQueue)),
            }
            for name in draw(st.lists(line_of_text, unique=True, max_size=3))
        },
        "menus": {
            name: {
                "say_es": draw(spoken),
                "say_en": draw(words),
                "options": draw(
                    st.dictionaries(st.sampled_from("0123456789*#"), st.tuples(places, languages), max_size=3)
                ),
                "leads": (draw(places), draw(places)),
                "columns": draw(columns(Menu)),
            }
            for name in draw(st.lists(line_of_text, unique=True, max_size=3))
        },
        "numbers": [
            (draw(places), draw(places), draw(labels), draw(languages), draw(st.sampled_from([None, *hours])))
            for _ in range(draw(st.integers(0, 5)))
        ],
    }


class Builder:
    """Makes a company as the product would have left it, with agents who answer no more and destinations that are lost.

    What leads on by itself only leads to rows that were made before, so that nothing goes round in circles.
    """

    def __init__(self, wanted: dict[str, Any]) -> None:
        said = {key: wanted[key] for key in ("name", "language", "fallback_number")}
        self.company = cast.make_company("generated", **said)
        self.made: dict[DestinationKind, list[Any]] = {kind: [] for kind in DestinationKind}
        self.skills = {
            code: Skill.objects.create(
                company=self.company, code=code, name=name, language=code if code in {"es", "en"} else ""
            )
            for code, name in wanted["skills"].items()
        }
        for username, person in wanted["people"].items():
            self.person(username, person)
        self.hours = {name: self.calendar(name, one) for name, one in wanted["hours"].items()}
        for name, menu in wanted["menus"].items():
            texts = {key: menu[key] for key in ("say_es", "say_en")}
            on_timeout, on_wrong = map(self.place, menu["leads"])
            leads = {"on_timeout": on_timeout, "on_wrong": on_wrong}
            row = Menu.objects.create(company=self.company, name=name, **texts, **menu["columns"], **leads)
            self.made[DestinationKind.MENU].append(row)
        for name, queue in wanted["queues"].items():
            self.queue(name, queue)
        for name, menu in wanted["menus"].items():
            for digit, (place, language) in menu["options"].items():
                row, leads_to = Menu.objects.get(company=self.company, name=name), self.place(place)
                if leads_to:
                    MenuOption.objects.create(menu=row, digit=digit, place=leads_to, language=language)
        for serial, number in enumerate(wanted["numbers"]):
            self.number(f"+1786555{serial:04d}", *number)

    def person(self, username: str, person: dict[str, Any]) -> None:
        said = {key: person[key] for key in ("role", "name", "email")}
        user = cast.make_user(self.company, username, **said)
        if person["agent"] is None:
            return
        agent = cast.make_agent(self.company, user=user, is_active=person["agent"], priority=person["priority"])
        for code, level in person["skills"].items():
            AgentSkill.objects.create(agent=agent, skill=self.skills[code], level=level)
        self.made[DestinationKind.USER].append(agent)

    def calendar(self, name: str, wanted: dict[str, Any]) -> BusinessHours:
        said = {key: value for key, value in wanted.items() if key != "dates"}
        hours = BusinessHours.objects.create(company=self.company, name=name, **said)
        for at, (every_year, its_intervals, why) in wanted["dates"].items():
            SpecialDate.objects.create(hours=hours, date=at, every_year=every_year, intervals=its_intervals, name=why)
        return hours

    def queue(self, name: str, wanted: dict[str, Any]) -> None:
        overflow, when_closed = map(self.place, wanted["leads"])
        agents = {agent.user.username: agent for agent in self.made[DestinationKind.USER]}
        queue = cast.make_queue(
            self.company,
            name,
            members=[agents[username] for username in wanted["members"] if username in agents],
            hours=self.hours.get(wanted["hours"]),
            overflow=overflow,
            when_closed=when_closed,
            **wanted["columns"],
        )
        for code, level in wanted["skills"].items():
            QueueSkill.objects.create(
                queue=queue, skill=self.skills[code], min_level=level, relaxable=wanted["relaxable"]
            )
        self.made[DestinationKind.QUEUE].append(queue)

    def number(
        self,
        e164: str,
        leads: tuple[DestinationKind, int, str],
        closed: tuple[DestinationKind, int, str],
        label: str,
        language: str,
        hours: str | None,
    ) -> None:
        # A user, queue or menu that is gone leaves its numbers' destination without its row.
        place = self.place(leads) or Place()
        PhoneNumber.objects.create(
            company=self.company,
            e164=e164,
            label=label,
            language=language,
            destination=leads[0].value,
            agent=place.agent,
            queue=place.queue,
            menu=place.menu,
            forward_to=place.e164,
            words=place.words,
            hours=self.hours.get(hours or ""),
            when_closed=self.place(closed),
        )

    def place(self, wanted: tuple[DestinationKind, int, str]) -> Place | None:
        kind, pick, text = wanted
        rows = self.made[kind]
        if kind in {DestinationKind.USER, DestinationKind.QUEUE, DestinationKind.MENU}:
            return place_for(self.company, Destination(kind, rows[pick % len(rows)].pk)) if rows else None
        said = {DestinationKind.NUMBER: "+13055550142", DestinationKind.SAY: text}
        return place_for(self.company, Destination(kind, text=said.get(kind, "")))


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(companies())
def test_what_was_exported_is_imported_without_a_change_here_and_as_the_same_elsewhere(wanted: dict[str, Any]) -> None:
    with transaction.atomic():
        company = Builder(wanted).company
        text = export_company(company)

        assert import_company(text).is_unchanged
        assert import_company(text, prune=True).changes == ()
        assert export_company(company) == text

        company.delete()
        User.objects.all().delete()
        again = import_company(text, prune=True).company

        assert export_company(again) == text
        transaction.set_rollback(True)


def test_the_countries_that_may_be_called_go_out_and_in(acme: Company) -> None:
    acme.outbound_countries = ["US", "MX"]
    acme.save()
    written = export_company(acme)
    assert "outbound_countries" in written
    acme.outbound_countries = ["US"]
    acme.save()

    import_company(written)

    acme.refresh_from_db()
    assert acme.outbound_countries == ["US", "MX"]


def test_what_is_paid_for_never_goes_by_a_prune(demo_company: Company) -> None:
    PhoneNumber.objects.filter(company=demo_company).update(telnyx_id="71")
    before = PhoneNumber.objects.count()

    with pytest.raises(UnableToImport) as err:
        import_company("company: {slug: acme, name: Acme Seguros}\nnumbers: []\n", prune=True)

    assert "release it first" in str(err.value.problems)
    assert PhoneNumber.objects.count() == before
