"""What is wrong with a company file: every error, with its line, and nothing changed."""

from __future__ import annotations

from textwrap import dedent

import pytest

from agents.models import Agent
from curbe.companies.company_file import UnableToImport, export_company, import_company
from curbe.companies.models import Company, Membership, User
from curbe.companies.yaml_lines import Unreadable, parse
from telephony.models import CallQueue, PhoneNumber
from tests import cast

HEAD = "company: {slug: acme, name: Acme}\n"


def errors(text: str) -> list[tuple[int, str]]:
    """Return what an import says is wrong; fails if it says nothing, or changed something."""
    before = (Company.objects.count(), User.objects.count(), CallQueue.objects.count(), PhoneNumber.objects.count())
    with pytest.raises(UnableToImport) as caught:
        import_company(text)
    after = (Company.objects.count(), User.objects.count(), CallQueue.objects.count(), PhoneNumber.objects.count())
    assert after == before
    return [(problem.line, problem.reason) for problem in caught.value.problems]


# --- Not YAML that we read: pure ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the file is empty"),
        ("company: {slug: acme", 1, "while parsing a flow mapping"),
        ("a: 1\nb: [1,\nc: 2\n", 2, "while parsing a flow sequence"),
        ("a: 1\n\tb: 2\n", 2, ""),
        ("a: 1\na: 2\n", 2, "a stands twice, first on line 1"),
        ("a: 1\nb: {x: 1,\n    x: 2}\n", 3, "x stands twice, first on line 2"),
        ("a: &one 1\nb: *one\n", 2, "aliases"),
        ("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n", 2, "aliases"),
        ("? [1, 2]\n: 3\n", 1, "a key must be one word"),
        ("a: 1\nb: \x07\n", 2, "U+0007"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("[" * 100_000, 1, "nested too deep"),
    ],
)
def test_a_text_that_is_not_such_yaml_is_refused_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(text)

    assert caught.value.line == line
    assert reason in caught.value.reason


def test_an_error_in_the_yaml_is_an_error_of_the_import(db: None) -> None:
    assert errors("company: {slug: acme}\nusers: [ana\n")[0][0] == 2


# --- Wrong in itself ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("- company\n", 1, "a company file is a mapping of sections: company, users, teams, skills, hours, que"),
        ("users: []\n", 1, "the section company is missing"),
        (HEAD + "rates: []\n", 2, "unknown section rates; this version knows company, users, teams, skills, hours, qu"),
        (HEAD + "users: ana\n", 2, "users must be a list"),
        (HEAD + "users:\n  - ana\n", 3, "users: a row is a mapping of username, name, email, role, answers"),
        ("company: [acme]\n", 1, "company: a row is a mapping of slug"),
        ("company: {name: Acme}\n", 1, "company: slug is missing"),
        ("company: {slug: acme}\n", 1, "company: name is missing"),
        ("company: {slug: Ac mé, name: Acme}\n", 1, "company: slug must be letters"),
        ("company:\n  slug: acme\n  name: ''\n", 3, "company: name must not be empty"),
        ("company:\n  slug: acme\n  name: " + "x" * 121, 3, "company: name must have at most 120 characters, not 12"),
        ("company:\n  slug: acme\n  name: Acme\n  public_id: ABC\n", 4, "company: public_id must be 8 hex digits"),
        ("company:\n  slug: acme\n  name: Acme\n  timezone: Mars\n", 4, "company: timezone must be a time zone"),
        (
            "company:\n  slug: acme\n  name: Acme\n  language: fr\n",
            4,
            "company: language must be one of es, en, not fr",
        ),
        ("company:\n  slug: acme\n  name: Acme\n  routing_mode: x\n", 4, "company: routing_mode must be one of auto"),
        ("company:\n  slug: acme\n  name: Acme\n  fallback_number: '1'\n", 4, "company: fallback_number must be a n"),
        ("company:\n  slug: acme\n  name: Acme\n  hours: oficina\n", 4, "company: unknown key hours; this version k"),
        (HEAD + "users:\n  - {name: Ana}\n", 3, "users: username is missing"),
        (HEAD + "users:\n  - {username: 'a na'}\n", 3, "users: username must be letters, digits and @ . + - _"),
        (HEAD + "users:\n  - username: ana\n    email: ana@\n", 4, "users: email must be an e-mail address"),
        (
            HEAD + "users:\n  - username: ana\n    role: boss\n",
            4,
            "users: role must be one of owner, admin, supervisor",
        ),
        (HEAD + "users:\n  - username: ana\n    boss: eva\n", 4, "users: unknown key boss; this version knows userna"),
        (HEAD + "users:\n  - username: ana\n    answers: maybe\n", 4, "users: answers must be true or false"),
        (HEAD + 'users:\n  - username: ana\n    name: "a\\nb"\n', 4, "users: name must be one line without control"),
        (HEAD + "users:\n  - {username: ana}\n  - {username: ana}\n", 4, "username ana stands twice, first on line "),
        (
            HEAD + "queues:\n  - name: v\n    strategy: random\n",
            4,
            "queues: strategy must be one of ring_all, round_robin, least_calls, least_recent, longest_idle, prio",
        ),
        (
            HEAD + "queues:\n  - name: v\n    ring_timeout_s: 4\n",
            4,
            "queues: ring_timeout_s must be a whole number from 5",
        ),
        (HEAD + "queues:\n  - name: v\n    ring_timeout_s: 25.5\n", 4, "queues: ring_timeout_s must be a whole numb"),
        (HEAD + "queues:\n  - name: v\n    members: ana\n", 4, "queues: members must be a list of names"),
        (HEAD + "queues:\n  - name: v\n    members: [ana, ana]\n", 4, "queues: members names somebody twice"),
        (
            HEAD + "queues:\n  - name: v\n    members:\n      - nobody\n",
            5,
            "queues: nobody is nobody who answers calls in",
        ),
        (
            HEAD + "queues:\n  - name: v\n    music: loud\n",
            4,
            "queues: unknown key music; this version knows name, strategy, members, skills",
        ),
        (HEAD + "numbers:\n  - {e164: '3055550100'}\n", 3, "numbers: e164 must be a number as E.164"),
        (HEAD + "numbers:\n  - e164: '+13055550100'\n    assigned_to: ana\n", 4, "numbers: assigned_to must be {use"),
        (
            HEAD + "numbers:\n  - e164: '+13055550100'\n    assigned_to: {fax: m}\n",
            4,
            "assigned_to cannot be fax; this version knows {user: …}, {queue: …}, {menu: …}, {company: auto}",
        ),
        (HEAD + "numbers:\n  - e164: '+13055550100'\n    assigned_to: {company: x}\n", 4, "must be {company: auto}"),
        (HEAD + "numbers:\n  - e164: '+13055550100'\n    assigned_to: {user: a, queue: b}\n", 4, "must name one des"),
        (
            HEAD + "numbers:\n  - e164: '+13055550100'\n    assigned_to: {user: ana}\n",
            4,
            "ana is nobody who answers cal",
        ),
        (
            HEAD + "numbers:\n  - e164: '+13055550100'\n    assigned_to: {queue: v}\n",
            4,
            "numbers: v is no queue of acme",
        ),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_changed(text: str, line: int, reason: str) -> None:
    found = errors(text)

    assert [at for at, _reason in found] == [line]
    assert reason in found[0][1]


def test_all_errors_are_listed_in_the_order_of_their_lines(db: None) -> None:
    text = dedent(
        """\
        company: {slug: acme, name: Acme, timezone: Mars}
        users:
          - {username: ana, role: boss}
          - {username: luis, skills: {es: 6}}
        queues:
          - {name: ventas, members: [ana, luis, eva]}
        numbers:
          - {e164: "+13055550100", assigned_to: {queue: ventas}}
          - {e164: "+13055550101", assigned_to: {user: eva}}
        music: []
        """
    )

    # Ana and Luis are there for whom they are members of: one mistake is told once, not again wherever it leads.
    assert [line for line, _reason in errors(text)] == [1, 3, 4, 6, 9, 10]


# --- Wrong because of what is there ---------------------------------------------------------------------------------


def test_a_number_of_another_company_is_refused(elsewhere: Company) -> None:
    cast.make_number(elsewhere, "+13055550100")

    found = errors(HEAD + "numbers:\n  - {e164: '+13055550100'}\n")

    assert found == [(3, "numbers: +13055550100 belongs to another company")]


def test_a_public_id_never_changes(acme: Company) -> None:
    found = errors("company:\n  slug: acme\n  name: Acme\n  public_id: 00000000\n")

    assert found == [(4, f"company: the public_id of acme is {acme.public_id} and never changes")]


def test_the_public_id_of_another_company_is_refused(elsewhere: Company) -> None:
    found = errors(f"company:\n  slug: acme\n  name: Acme\n  public_id: '{elsewhere.public_id}'\n")

    assert found == [(4, f"company: the public_id {elsewhere.public_id} belongs to another company, elsewhere")]


@pytest.mark.parametrize("email", ["", "email: '', ", "email: other@acme.test, "])
def test_somebody_of_another_company_is_not_taken_by_his_user_name(elsewhere: Company, email: str) -> None:
    cast.make_user(elsewhere, "ana", email="ana@elsewhere.test")

    found = errors(HEAD + f"users:\n  - {{username: ana, {email}role: owner}}\n")

    assert found[0][0] == 3
    assert "the user name ana is taken" in found[0][1]


def test_the_operator_is_not_taken_by_his_user_name(db: None) -> None:
    cast.make_user(None, "admin", is_staff=True, is_superuser=True)

    assert errors(HEAD + "users:\n  - {username: admin, email: '', role: agent}\n")


def test_the_same_person_may_work_for_two_companies(elsewhere: Company) -> None:
    ana = cast.make_user(elsewhere, "ana", email="ana@mail.test")

    result = import_company(HEAD + "users:\n  - {username: ana, email: Ana@mail.test, role: agent}\n")

    assert Membership.objects.filter(user=ana).count() == 2
    assert Agent.objects.filter(user=ana, company=result.company, is_active=True).exists()
    assert not result.new_users


def test_a_queue_of_another_company_is_no_destination(elsewhere: Company) -> None:
    cast.make_queue(elsewhere, "ventas")

    assert errors(HEAD + "numbers:\n  - {e164: '+13055550100', assigned_to: {queue: ventas}}\n")


def test_an_agent_of_another_company_is_no_member(mallory: User) -> None:
    assert errors(HEAD + "queues:\n  - {name: ventas, members: [mallory]}\n")


def test_an_error_undoes_what_stands_before_it(acme: Company, bob: User) -> None:
    before = export_company(acme)

    rows = "  - {username: bob, name: Robert}\n  - {username: max, role: boss}\n"
    errors(f"company: {{slug: acme, name: New name}}\nusers:\n{rows}")

    assert export_company(Company.objects.get(slug="acme")) == before
