"""What the company file says of routing: skills, hours, queues, menus and where everything leads."""

from __future__ import annotations

from datetime import date
from textwrap import dedent

import pytest

from agents.models import Agent, AgentSkill, Skill
from curbe.companies.company_file import UnableToImport, export_company, import_company
from curbe.companies.models import Company
from telephony.models import BusinessHours, CallQueue, Menu, PhoneNumber, Place, PlanVersion, QueueSkill
from telephony.queries.plans import compile_plan
from tests import cast

HEAD = "company: {slug: acme, name: Acme, language: es, timezone: America/New_York}\n"

#: The example of the contract, word for word, but for the rates.
CONTRACT = """\
company: {slug: acme, public_id: b5325600, name: Acme Seguros, timezone: America/New_York, language: es,
          routing_mode: auto, fallback_number: "+13055550199"}
users:
  - {username: ana,  name: Ana Gómez,  email: ana@acme.test,  role: agent, skills: {es: 5, en: 3}, priority: 1}
  - {username: luis, name: Luis Pérez, email: luis@acme.test, role: agent, skills: {es: 4}}
  - {username: eva,  name: Eva Ríos,   email: eva@acme.test,  role: supervisor}
hours:
  - {name: oficina, weekly: {mon-fri: ["09:00-18:00"], sat: ["10:00-14:00"]}, closed: ["2026-12-25"]}
queues:
  - {name: ventas, strategy: ring_all, members: [ana, luis], ring_timeout_s: 25, max_wait_s: 300, hours: oficina,
     overflow: {voicemail: true}}
menus:
  - {name: principal, say: "Para ventas, marque uno.", options: {"1": {queue: ventas}, "2": {user: ana}},
     timeout_s: 5, retries: 2, otherwise: {voicemail: true}}
numbers:
  - {e164: "+13055550100", assigned_to: {queue: ventas}}
  - {e164: "+13055550101", assigned_to: {user: ana}}
  - {e164: "+13055550102", assigned_to: {company: auto}}
  - {e164: "+13055550103"}                      # not assigned
"""


def signs(text: str, **how: bool) -> list[str]:
    return [str(change) for change in import_company(text, **how).changes]


def errors(text: str, **how: bool) -> list[tuple[int, str]]:
    with pytest.raises(UnableToImport) as caught:
        import_company(text, **how)
    return [(problem.line, problem.reason) for problem in caught.value.problems]


@pytest.fixture
def contract(db: None) -> Company:
    return import_company(CONTRACT).company


# --- The example of the contract ------------------------------------------------------------------------------------


def test_the_example_of_the_contract_is_the_company_that_it_says(contract: Company) -> None:
    levels = AgentSkill.objects.values_list("agent__user__username", "skill__language", "level").order_by("id")
    assert list(levels) == [("ana", "es", 5), ("ana", "en", 3), ("luis", "es", 4)]
    hours = BusinessHours.objects.get()
    days = ["mon", "tue", "wed", "thu", "fri"]
    assert hours.weekly == {**dict.fromkeys(days, ["09:00-18:00"]), "sat": ["10:00-14:00"]}
    assert list(hours.special_dates.values_list("date", "intervals")) == [(date(2026, 12, 25), [])]
    queue = CallQueue.objects.get()
    assert (queue.hours, queue.max_wait_s, str(queue.overflow and queue.overflow.kind)) == (hours, 300, "voicemail")
    menu = Menu.objects.get()
    assert (menu.say_es, menu.say_en) == ("Para ventas, marque uno.", "")
    leads = [(one.digit, one.place.queue or one.place.agent) for one in menu.options.order_by("digit")]
    assert leads == [("1", queue), ("2", Agent.objects.get(user__username="ana"))]
    assert menu.on_timeout == menu.on_wrong == queue.overflow


def test_it_changes_nothing_the_second_time_even_when_it_prunes(contract: Company) -> None:
    assert signs(CONTRACT) == []
    assert signs(CONTRACT, prune=True) == []


def test_an_export_writes_only_what_differs_from_the_default(contract: Company) -> None:
    assert export_company(contract) == dedent(
        """\
        company: {slug: acme, public_id: b5325600, name: Acme Seguros, timezone: America/New_York, language: es, routing_mode: auto, fallback_number: '+13055550199'}
        users:
          - {username: ana, name: Ana Gómez, email: ana@acme.test, role: agent, skills: {es: 5, en: 3}}
          - {username: luis, name: Luis Pérez, email: luis@acme.test, role: agent, skills: {es: 4}}
          - {username: eva, name: Eva Ríos, email: eva@acme.test, role: supervisor}
        hours:
          - {name: oficina, weekly: {mon-fri: ['09:00-18:00'], sat: ['10:00-14:00']}, closed: ['2026-12-25']}
        queues:
          - {name: ventas, members: [ana, luis], hours: oficina, overflow: {voicemail: true}}
        menus:
          - {name: principal, say: 'Para ventas, marque uno.', options: {'1': {queue: ventas}, '2': {user: ana}}, otherwise: {voicemail: true}}
        numbers:
          - {e164: '+13055550100', assigned_to: {queue: ventas}}
          - {e164: '+13055550101', assigned_to: {user: ana}}
          - {e164: '+13055550102', assigned_to: {company: auto}}
          - {e164: '+13055550103'}
        """  # noqa: E501 — a row of an export is one line
    )


# --- Plans ----------------------------------------------------------------------------------------------------------


def test_an_import_publishes_one_plan_and_it_is_that_of_the_rows(contract: Company) -> None:
    version = PlanVersion.objects.get()

    assert [queue["name"] for queue in version.document["queues"]] == ["ventas"]
    assert [menu["name"] for menu in version.document["menus"]] == ["principal"]


def test_an_import_that_changes_nothing_publishes_nothing(contract: Company) -> None:
    import_company(CONTRACT)

    assert PlanVersion.objects.count() == 1


def test_a_dry_run_and_a_refused_file_publish_nothing(db: None) -> None:
    import_company(CONTRACT, dry_run=True)
    errors(CONTRACT.replace("{voicemail: true}", "{queue: nowhere}"))

    assert not PlanVersion.objects.exists()


def test_places_are_shared(contract: Company) -> None:
    assert Place.objects.filter(kind="voicemail").count() == 1


# --- Rows that come later -------------------------------------------------------------------------------------------


def test_a_row_may_lead_to_one_that_comes_later(db: None) -> None:
    text = HEAD + dedent(
        """\
        numbers: [{e164: "+13055550100", assigned_to: {menu: first}, when_closed: {menu: second}}]
        menus:
          - {name: first, say: Hola, options: {"1": {menu: second}, "2": {queue: b}}}
          - {name: second, say: Hola, on_timeout: {queue: a}}
        queues:
          - {name: a, overflow: {queue: b}, hours: later}
          - {name: b, when_closed: {menu: second}, members: [ana]}
        hours: [{name: later}]
        users: [{username: ana}]
        """
    )

    company = import_company(text).company

    plan = compile_plan(company)
    a, b = plan.queues.values()
    first, second = plan.menus.values()
    assert (a.overflow.id, b.when_closed.id, second.on_timeout.id) == (b.id, second.id, a.id)
    assert [option.destination.id for option in first.options] == [second.id, b.id]
    assert import_company(text, prune=True).changes == ()


# --- Everything that can be said of a row ---------------------------------------------------------------------------

QUEUE = """\
  - name: soporte
    strategy: skills
    members: [ana]
    skills: {es: 3, pagos: {min_level: 2, relaxable: false, weight: 4}}
    ring_timeout_s: 20
    window: 8h
    cursor_follows_answer: true
    match_language: true
    relax_language: true
    relax_after_s: 90
    relax_every_s: 45
    max_misses: 0
    max_offers: 7
    priority: 5
    priority_mode: strict
    service_level_s: 30
    max_wait_s: 600
    max_size: 10
    overflow_when_joining_empty: false
    overflow_when_left_empty: false
    when_closing: overflow
    sticky: true
    sticky_wait_s: 15
    announce_every_s: 0
    announce_wait: false
    hours: oficina
    overflow: {number: "+13055550111"}
    when_closed: {say: "Cerrado.\\nHasta mañana."}
"""


def test_a_queue_has_every_key_and_keeps_it(db: None) -> None:
    text = HEAD + "users: [{username: ana}]\nhours: [{name: oficina}]\nqueues:\n" + QUEUE

    company = import_company(text).company

    queue = CallQueue.objects.select_related("overflow", "when_closed").get()
    assert queue.overflow and queue.overflow.e164 == "+13055550111"
    assert queue.when_closed and queue.when_closed.words == "Cerrado.\nHasta mañana."
    asked = QueueSkill.objects.values_list("skill__code", "min_level", "relaxable", "weight").order_by("id")
    assert list(asked) == [("es", 3, True, 1), ("pagos", 2, False, 4)]
    exported = export_company(company)
    for line in QUEUE.splitlines():
        key = line.strip("- ").split(":")[0]
        assert f"{key}: " in exported, key
    assert import_company(text, prune=True).changes == import_company(exported, prune=True).changes == ()


def test_a_key_that_is_gone_goes_back_to_its_default_with_prune(db: None) -> None:
    head = HEAD + "users: [{username: ana}]\nhours: [{name: oficina}]\nqueues:\n"
    import_company(head + QUEUE)

    kept, pruned = signs(head + "  - {name: soporte}\n"), signs(head + "  - {name: soporte}\n", prune=True)

    assert kept == []
    assert pruned[-1] == (
        "~ queue soporte: hours oficina → (none), overflow number +13055550111 → (none), "
        "when_closed say Cerrado.\nHasta mañana. → (none)"
    )
    assert "queues:\n  - {name: soporte}\n" in export_company(Company.objects.get())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("weekly: {mon-fri: 9:00-18:00}", "weekly: {mon-fri: ['09:00-18:00']}"),
        (
            "weekly: {fri: 9-18, sat: ['16-0', '9.30-14']}",
            "weekly: {fri: ['09:00-18:00'], sat: ['09:30-14:00', '16:00-24:00']}",
        ),
        ("weekly: {sat-mon: ['10:00–14:00']}", "weekly: {mon: ['10:00-14:00'], sat-sun: ['10:00-14:00']}"),
        ("weekly: {fri: ['22:00-02:00'], sat: []}", "weekly: {fri: ['22:00-02:00']}"),
        ("weekly: {mon-sun: ['00:00-24:00']}", "weekly: {mon-sun: ['00:00-24:00']}"),
        ("closed: [2026-12-25, '2027-01-01']", "closed: ['2026-12-25', '2027-01-01']"),
        ("special: [{date: 2026-12-25}]", "closed: ['2026-12-25']"),
        (
            "special: [{date: 2026-12-24, hours: 9:00-13:00, name: Nochebuena, every_year: true}]",
            "special: [{date: '2026-12-24', every_year: true, hours: ['09:00-13:00'], name: Nochebuena}]",
        ),
        (
            "timezone: America/Bogota, country: CO, switch: closed",
            "timezone: America/Bogota, country: CO, switch: closed",
        ),
    ],
)
def test_hours_are_written_as_people_write_them(db: None, said: str, shown: str) -> None:
    text = f"{HEAD}hours:\n  - {{name: oficina, {said}}}\n"

    company = import_company(text).company

    exported = export_company(company)
    assert exported.splitlines()[-1] == f"  - {{name: oficina, {shown}}}"
    assert import_company(text, prune=True).changes == import_company(exported, prune=True).changes == ()


def test_a_week_is_said_whole_and_dates_one_by_one(db: None) -> None:
    import_company(HEAD + "hours: [{name: h, weekly: {mon-fri: 9:00-18:00}, closed: [2026-12-25]}]\n")

    said = signs(HEAD + "hours: [{name: h, weekly: {mon: 9:00-18:00}, special: [{date: 2027-01-01, name: Año}]}]\n")

    assert said == [
        "~ hours h: weekly mon-fri 09:00-18:00 → mon 09:00-18:00",
        "+ hours h: 2027-01-01 closed Año",
        "= hours h: 2026-12-25",
    ]


def test_a_menu_speaks_both_languages_and_a_digit_may_choose_one(db: None) -> None:
    text = HEAD + dedent(
        """\
        menus:
          - name: principal
            say: {es: "Marque nueve.", en: Press nine.}
            options: {"9": {menu: principal, language: en}, "*": {say: Adiós}, "#": {company: auto}}
            timeout_s: 10
            retries: 0
            on_timeout: {company: auto}
            on_wrong: {say: Adiós}
        """
    )

    company = import_company(text).company

    plan = compile_plan(company)
    (menu,) = plan.menus.values()
    assert dict(menu.say) == {"es": "Marque nueve.", "en": "Press nine."}
    assert {option.digit: option.language for option in menu.options} == {"9": "en", "*": "", "#": ""}
    assert import_company(export_company(company), prune=True).changes == import_company(text, prune=True).changes == ()


def test_one_text_is_in_the_language_of_the_company(db: None) -> None:
    import_company(HEAD.replace("es", "en") + "menus: [{name: m, say: Hello}]\n")

    assert Menu.objects.values_list("say_es", "say_en").get() == ("", "Hello")


def test_a_new_text_takes_the_place_of_both(db: None) -> None:
    import_company(HEAD + "menus: [{name: m, say: {es: Hola, en: Hello}}]\n")

    assert signs(HEAD + "menus: [{name: m, say: Buenas}]\n") == [
        "~ menu m: say_es Hola → Buenas, say_en Hello → (none)"
    ]


def test_a_digit_that_is_not_named_stays_without_prune(db: None) -> None:
    import_company(HEAD + 'menus: [{name: m, say: Hola, options: {"1": {voicemail: true}, "2": {company: auto}}}]\n')
    text = HEAD + 'menus: [{name: m, options: {"1": {say: Adiós}}}]\n'

    assert signs(text) == ["~ menu m: digit 1 voicemail → say Adiós", "= menu m: digit 2"]
    assert signs(text, prune=True) == ["- menu m: digit 2"]


@pytest.mark.parametrize(
    ("destination", "kind"),
    [
        ("{queue: v}", "queue"),
        ("{menu: m}", "menu"),
        ("{user: ana}", "user"),
        ("{company: auto}", "company"),
        ("{number: '+13055550111'}", "number"),
        ("{voicemail: true}", "voicemail"),
        ("{say: Estamos de vacaciones.}", "say"),
    ],
)
def test_a_number_leads_to_every_kind_of_place(db: None, destination: str, kind: str) -> None:
    text = HEAD + dedent(
        f"""\
        users: [{{username: ana}}]
        hours: [{{name: oficina}}]
        queues: [{{name: v}}]
        menus: [{{name: m, say: Hola}}]
        numbers:
          - e164: "+13055550100"
            assigned_to: {destination}
            hours: oficina
            when_closed: {destination}
            language: en
        """
    )

    company = import_company(text).company

    number = PhoneNumber.objects.select_related("when_closed", "hours").get()
    assert (number.destination, number.when_closed and number.when_closed.kind) == (kind, kind)
    assert (number.language, str(number.hours)) == ("en", "oficina")
    assert import_company(export_company(company), prune=True).changes == import_company(text, prune=True).changes == ()
    assert f"assigned_to: {destination}" in export_company(company)


# --- Skills ---------------------------------------------------------------------------------------------------------


def test_a_skill_is_made_by_its_code_and_a_language_means_that_language(db: None) -> None:
    import_company(HEAD + "users: [{username: ana, skills: {es: 5, pagos: 2}, priority: 3}]\n")

    assert set(Skill.objects.values_list("code", "language")) == {("es", "es"), ("pagos", "")}
    assert Agent.objects.get().priority == 3


def test_the_skill_that_means_a_language_is_found_whatever_its_code(acme: Company) -> None:
    spanish = Skill.objects.create(company=acme, code="castellano", language="es")

    import_company(HEAD + "users: [{username: ana, skills: {es: 5}}]\n")

    assert Skill.objects.get() == spanish


def test_what_an_agent_can_no_more_stays_without_prune(db: None) -> None:
    import_company(HEAD + "users: [{username: ana, skills: {es: 5, en: 3}, priority: 2}]\n")
    text = HEAD + "users: [{username: ana, role: agent, skills: {es: 4}}]\n"

    assert signs(text) == ["~ agent ana: skill es 5 → 4", "= agent ana: skill en"]
    assert signs(text, prune=True) == ["~ agent ana: priority 2 → 1", "- agent ana: skill en"]


def test_the_name_of_a_skill_and_a_skill_that_nobody_has_survive(db: None) -> None:
    text = HEAD + "users: [{username: ana, skills: {pagos: 5}}]\nskills: [{code: pagos, name: Pagos}, {code: vip}]\n"

    company = import_company(text).company

    assert "skills:\n  - {code: pagos, name: Pagos}\n  - {code: vip}\n" in export_company(company)
    assert signs(text, prune=True) == []
    assert signs(HEAD + "skills: []\n", prune=True) == ["~ skill pagos: name Pagos → (none)", "- skill vip"]


def test_a_skill_that_a_queue_needs_does_not_go(db: None) -> None:
    import_company(HEAD + "queues: [{name: v, skills: {pagos: 2}}]\n")

    assert signs(HEAD + "skills: []\n", prune=True) == []
    assert Skill.objects.exists()


# --- What cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("users:\n  - username: ana\n    skills: {es: 6}\n", 4, "users: skills es must be a whole number from 1 to 5"),
        ("users:\n  - username: ana\n    skills: [es]\n", 4, "users: skills must be skills with their levels"),
        ("users:\n  - username: ana\n    skills: {pago ñ: 5}\n", 4, "users: skills pago ñ must be letters, digits"),
        ("users:\n  - username: ana\n    priority: 0\n", 4, "users: priority must be a whole number from 1 to 9"),
        ("users:\n  - username: ana\n    role: owner\n    skills: {es: 5}\n", 5, "ana answers no calls, so skills can"),
        ("hours:\n  - name: h\n    weekly: {lunes: 9:00-18:00}\n", 4, "hours: weekly must be a day such as mon"),
        (
            "hours:\n  - name: h\n    weekly:\n      mon: nine\n",
            5,
            "weekly must be hours such as 09:00-18:00, not nine",
        ),
        (
            "hours:\n  - name: h\n    weekly:\n      fri: 22-2\n      sat:\n        - 1-3\n",
            6,
            "weekly has 01:00-03:00, which overlaps 22:00-02:00",
        ),
        (
            "hours:\n  - name: h\n    weekly:\n      fri:\n        - 9-14\n        - 13-18\n",
            7,
            "weekly has 13:00-18:00, which overlaps 09:00-14:00",
        ),
        ("hours:\n  - name: h\n    weekly: [mon]\n", 4, "weekly must be days with their hours"),
        ("hours:\n  - name: h\n    weekly:\n      mon: 9:00-25:00\n", 5, "weekly must be hours such as 09:00-18:00"),
        ("hours:\n  - name: h\n    weekly:\n      mon-fri: []\n      fri: []\n", 6, "hours: weekly says fri twice"),
        ("hours:\n  - name: h\n    closed:\n      - 25.12.2026\n", 5, 'closed must be a date such as "2026-12-25"'),
        ("hours:\n  - name: h\n    closed: [2026-02-30]\n", 4, 'closed must be a date such as "2026-12-25"'),
        ("hours:\n  - name: h\n    closed: [2026-12-25, 2026-12-25]\n", 4, "hours: closed says 2026-12-25 twice"),
        (
            "hours:\n  - name: h\n    closed: [2026-12-25]\n    special: [{date: 2026-12-25}]\n",
            5,
            "hours: special says 2026-12-25, and closed too",
        ),
        ("hours:\n  - name: h\n    special: [{name: X}]\n", 4, "hours: special must be such as {date:"),
        ("hours:\n  - name: h\n    special:\n      - {date: 2026-12-25, open: no}\n", 5, "an unknown key open; this"),
        ("hours:\n  - name: h\n    timezone: Mars\n", 4, "hours: timezone must be a time zone"),
        ("hours:\n  - name: h\n    country: USA\n", 4, "hours: country must have at most 2"),
        ("hours:\n  - name: h\n    switch: ajar\n", 4, "hours: switch must be one of open, closed, not ajar"),
        ("queues:\n  - name: q\n    hours: nights\n", 4, "queues: nights are no hours of acme"),
        ("queues:\n  - name: q\n    overflow: {queue: x}\n", 4, "queues: x is no queue of acme"),
        ("queues:\n  - name: q\n    overflow: {menu: x}\n", 4, "queues: x is no menu of acme"),
        ("queues:\n  - name: q\n    when_closed: {user: x}\n", 4, "queues: x is nobody who answers calls in acme"),
        ("queues:\n  - name: q\n    when_closed: {number: 911}\n", 4, "queues: when_closed number must be a number as"),
        ("queues:\n  - name: q\n    overflow: {voicemail: false}\n", 4, "overflow voicemail must be {voicemail: true}"),
        ("queues:\n  - name: q\n    overflow: {say: ' '}\n", 4, "queues: overflow say must not be empty"),
        ("queues:\n  - name: q\n    skills:\n      es: {level: 3}\n", 5, "skills es has an unknown key level; this"),
        ("queues:\n  - name: q\n    skills:\n      es: {weight: 11}\n", 5, "skills es weight must be a whole number"),
        ("queues:\n  - name: q\n    max_wait_s: 10\n", 4, "queues: max_wait_s must be a whole number from 30 to 3600"),
        ("queues:\n  - name: q\n    sticky_wait_s: 31\n", 4, "sticky_wait_s must be a whole number from 0 to 30"),
        ("queues:\n  - name: q\n    window: week\n", 4, "queues: window must be one of today, 15m, 1h, 8h, 24h"),
        ("menus:\n  - name: m\n", 3, "menus: say is missing"),
        ("menus:\n  - name: m\n    say: ''\n", 4, "menus: say must say something"),
        ("menus:\n  - name: m\n    say: {fr: Bonjour}\n", 4, "menus: say cannot be in fr; this version speaks es, en"),
        (
            "menus:\n  - name: m\n    say: A\n    options:\n      12: {user: a}\n",
            6,
            "options must be digits 0–9, * or #",
        ),
        ("menus:\n  - name: m\n    say: A\n    options:\n      1: {}\n", 6, "menus: options 1 must lead somewhere"),
        ("menus:\n  - name: m\n    say: A\n    options:\n      1: {menu: x}\n", 6, "menus: x is no menu of acme"),
        (
            "menus:\n  - name: m\n    say: A\n    options:\n      1: {menu: m, language: fr}\n",
            6,
            "menus: options 1 must be one of es, en, not fr",
        ),
        ("menus:\n  - name: m\n    say: A\n    otherwise: {menu: x}\n", 5, "menus: x is no menu of acme"),
        (
            "numbers:\n  - e164: '+13055550100'\n    language: fr\n",
            4,
            "numbers: language must be one of es, en, not fr",
        ),
        ("numbers:\n  - e164: '+13055550100'\n    hours: x\n", 4, "numbers: x are no hours of acme"),
        ("skills:\n  - code: dos palabras\n", 3, "skills: code must be letters, digits"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_changed(text: str, line: int, reason: str) -> None:
    found = errors(HEAD + text)

    assert [at for at, _reason in found] == [line]
    assert reason in found[0][1]
    assert not Company.objects.exists()


def test_what_belongs_to_another_company_is_no_destination(acme: Company, elsewhere: Company) -> None:
    cast.make_queue(elsewhere, "theirs")
    Menu.objects.create(company=elsewhere, name="theirs", say_es="Hola")
    BusinessHours.objects.create(company=elsewhere, name="theirs")
    queues = "queues: [{name: ours, hours: theirs, overflow: {queue: theirs}}]\n"
    numbers = 'numbers: [{e164: "+13055550100", assigned_to: {menu: theirs}}]\n'

    assert [reason for _line, reason in errors(HEAD + queues + numbers)] == [
        "queues: theirs are no hours of acme",
        "queues: theirs is no queue of acme",
        "numbers: theirs is no menu of acme",
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "line", "circle"),
    [
        ("queues:\n  - {name: a, overflow: {queue: a}}\n", 3, "queues: a caller who does nothing goes round: a → a"),
        (
            "queues:\n  - {name: x}\n  - {name: a, overflow: {queue: b}}\n  - {name: b, overflow: {queue: a}}\n",
            4,
            "queues: a caller who does nothing goes round: a → b → a",
        ),
        (
            "menus:\n  - {name: m, say: A, otherwise: {queue: a}}\nqueues:\n  - {name: a, overflow: {menu: m}}\n",
            3,
            "menus: a caller who does nothing goes round: m → a → m",
        ),
    ],
)
def test_a_circle_is_refused(text: str, line: int, circle: str) -> None:
    assert errors(HEAD + text) == [(line, circle)]


def test_a_circle_that_is_closed_by_what_the_file_does_not_name_is_refused_too(db: None) -> None:
    import_company(HEAD + "queues: [{name: a, overflow: {queue: b}}, {name: b}]\n")

    found = errors(HEAD + "queues:\n  - {name: b, overflow: {queue: a}}\n")

    assert found == [(3, "queues: a caller who does nothing goes round: a → b → a")]


def test_a_digit_that_leads_back_is_no_circle(db: None) -> None:
    import_company(
        HEAD
        + 'menus:\n  - {name: m, say: A, options: {"1": {menu: n}}}\n  - {name: n, say: B, options: {"0": {menu: m}}}\n'
    )

    assert Menu.objects.count() == 2


# --- What goes ------------------------------------------------------------------------------------------------------

WEB = HEAD + dedent(
    """\
    hours: [{name: h}]
    queues:
      - {name: a, overflow: {menu: m}, hours: h}
      - {name: b, overflow: {voicemail: true}}
    menus: [{name: m, say: Hola, options: {"1": {queue: a}}}]
    numbers: [{e164: "+13055550100", assigned_to: {menu: m}, hours: h, when_closed: {queue: b}}]
    """
)


def test_what_leads_to_each_other_goes_together(db: None) -> None:
    import_company(WEB)

    said = signs(HEAD + "hours: []\nqueues: []\nmenus: []\nnumbers: []\n", prune=True)

    assert said == ["- number +13055550100", "- menu m", "- queue a", "- queue b", "- hours h"]
    assert not (CallQueue.objects.exists() or Menu.objects.exists() or BusinessHours.objects.exists())


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("queues:\n  - {name: a}\n", 2, "queues: b cannot go: number +13055550100 leads to it"),
        ("queues:\n  - {name: b}\n", 2, "queues: a cannot go: menu m leads to it"),
        ("menus: []\n", 2, "menus: m cannot go: queue a leads to it"),
        ("hours: []\n", 2, "hours: h cannot go: number +13055550100 leads to it"),
    ],
)
def test_what_something_leads_to_does_not_go_alone(db: None, text: str, line: int, reason: str) -> None:
    import_company(WEB)

    assert errors(HEAD + text, prune=True) == [(line, reason)]


def test_nothing_new_leads_to_what_goes(db: None) -> None:
    import_company(WEB)
    text = HEAD + 'queues:\n  - {name: a}\nnumbers:\n  - {e164: "+13055550100", assigned_to: {queue: b}}\n'

    assert errors(text, prune=True) == [(5, "numbers: b is no queue of acme")]


def test_a_menu_that_goes_leaves_its_numbers_unassigned(db: None) -> None:
    import_company(HEAD + "menus: [{name: m, say: Hola}]\nnumbers: [{e164: '+13055550100', assigned_to: {menu: m}}]\n")

    import_company(HEAD + "menus: []\n", prune=True)

    assert PhoneNumber.objects.values_list("destination", "menu").get() == ("none", None)


def test_who_answers_no_more_is_led_to_by_nobody_in_the_file_and_stays_in_the_rows(contract: Company) -> None:
    Agent.objects.filter(user__username="ana").update(is_active=False)

    text = export_company(contract)

    assert "user: ana" not in text
    assert import_company(text, prune=True).changes == ()
    assert Menu.objects.get().options.filter(digit="2").exists()
