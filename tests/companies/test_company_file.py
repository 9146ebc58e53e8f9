"""What an import makes of a company, and that an export can be imported."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.models import Agent
from curbe.companies import demo
from curbe.companies.company_file import export_company, import_company
from curbe.companies.models import Company, Membership, Role, User
from telephony.models import CallQueue, PhoneNumber, SipEndpoint
from tests import cast

DEMO = (Path(demo.__path__[0]) / "acme.yaml").read_text(encoding="utf-8")
Destination = PhoneNumber.Destination


def leads(e164: str) -> tuple[str, str]:
    number = PhoneNumber.objects.get(e164=e164)
    name = number.agent.user.username if number.agent else number.queue.name if number.queue else ""
    return number.destination, name


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
    }
    assert {agent.user.name for agent in Agent.objects.filter(company=demo_company)} == {"Ana Gómez", "Luis Pérez"}
    assert [agent.user.username for agent in CallQueue.objects.get().members.order_by("id")] == ["ana", "luis"]
    assert [leads(f"+1305555010{last}") for last in range(4)] == [
        (Destination.QUEUE, "ventas"),
        (Destination.USER, "ana"),
        (Destination.COMPANY, ""),
        (Destination.NONE, ""),
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
    assert "  - {username: ana, name: Ana Gómez, email: ana@acme.test, role: agent}\n" in text
    assert "  - {e164: '+13055550101', assigned_to: {user: ana}}\n" in text


# --- What is absent stays -------------------------------------------------------------------------------------------


def test_an_absent_section_is_untouched_even_when_pruned(demo_company: Company) -> None:
    import_company("company: {slug: acme, name: Acme Seguros}\nnumbers: []\n", prune=True)

    assert not PhoneNumber.objects.exists()
    assert (Membership.objects.count(), CallQueue.objects.count()) == (3, 1)


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
        numbers: [{e164: "+13055550100"}, {e164: "+13055550101", assigned_to: {user: ana}}]
        """
    )

    import_company(text, prune=True)

    demo_company.refresh_from_db()
    assert (demo_company.fallback_number, demo_company.timezone) == ("", "UTC")
    assert [queue.name for queue in CallQueue.objects.all()] == ["soporte"]
    assert {number.e164 for number in PhoneNumber.objects.all()} == {"+13055550100", "+13055550101"}
    assert leads("+13055550100") == (Destination.NONE, "")


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
    cast.make_queue(demo_company, "soporte")
    text = (
        "company: {slug: acme, name: Acme Seguros}\n"
        'numbers: [{e164: "+13055550101", label: Help, assigned_to: {queue: soporte}}]\n'
    )

    assert "~ number +13055550101: user ana → queue soporte, label (none) → Help" in signs(text)
    assert leads("+13055550101") == (Destination.QUEUE, "soporte")


@pytest.mark.parametrize("nowhere", ["null", "{}"])
def test_a_number_is_taken_from_its_user(demo_company: Company, nowhere: str) -> None:
    import_company(
        f'company: {{slug: acme, name: Acme}}\nnumbers: [{{e164: "+13055550101", assigned_to: {nowhere}}}]\n'
    )

    assert leads("+13055550101") == (Destination.NONE, "")


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


@st.composite
def companies(draw: st.DrawFn) -> dict[str, Any]:
    people = draw(st.lists(usernames, unique=True, max_size=5))
    queues = draw(st.lists(line_of_text, unique=True, max_size=3))
    return {
        "name": draw(line_of_text),
        "language": draw(st.sampled_from(["es", "en"])),
        "fallback_number": draw(st.sampled_from(["", "+13055550199"])),
        "people": {
            username: {
                "name": draw(labels),
                "email": draw(st.sampled_from(["", "someone@acme.test", "o'neil+x@acme.test"])),
                "role": draw(st.sampled_from(Role.values)),
                "agent": draw(st.sampled_from([None, True, False])),
            }
            for username in people
        },
        "queues": {
            name: {
                "members": draw(st.lists(st.sampled_from(people), unique=True)) if people else [],
                "ring_timeout_s": draw(st.integers(5, 120)),
            }
            for name in queues
        },
        "numbers": [
            (draw(st.sampled_from(Destination.values)), draw(labels), draw(st.integers(0, 9)))
            for _ in range(draw(st.integers(0, 5)))
        ],
    }


def build(wanted: dict[str, Any]) -> Company:
    """Make the company as the product would have left it, agents who answer no more and lost destinations included."""
    company = cast.make_company(
        "generated",
        name=wanted["name"],
        language=wanted["language"],
        fallback_number=wanted["fallback_number"],
    )
    agents: dict[str, Agent] = {}
    for username, person in wanted["people"].items():
        user = cast.make_user(company, username, role=person["role"], name=person["name"], email=person["email"])
        if person["agent"] is not None:
            agents[username] = cast.make_agent(company, user=user, is_active=person["agent"])
    queues = []
    for name, queue in wanted["queues"].items():
        members = [agents[username] for username in queue["members"] if username in agents]
        queues.append(cast.make_queue(company, name, members=members, ring_timeout_s=queue["ring_timeout_s"]))
    for place, (destination, label, pick) in enumerate(wanted["numbers"]):
        everybody = list(agents.values())
        PhoneNumber.objects.create(
            company=company,
            e164=f"+1786555{place:04d}",
            label=label,
            destination=destination,
            agent=everybody[pick % len(everybody)] if destination == "user" and everybody else None,
            queue=queues[pick % len(queues)] if destination == "queue" and queues else None,
        )
    return company


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(companies())
def test_what_was_exported_is_imported_without_a_change_here_and_as_the_same_elsewhere(wanted: dict[str, Any]) -> None:
    with transaction.atomic():
        company = build(wanted)
        text = export_company(company)

        assert import_company(text).is_unchanged
        assert import_company(text, prune=True).changes == ()
        assert export_company(company) == text

        User.objects.all().delete()
        company.delete()
        again = import_company(text, prune=True).company

        assert export_company(again) == text
        transaction.set_rollback(True)
