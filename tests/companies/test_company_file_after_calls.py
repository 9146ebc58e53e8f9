"""What the company file says of breaks, dispositions and the work after calls."""

from __future__ import annotations

import pytest
from django.utils import timezone

from agents.models import BreakReason
from curbe.companies.company_file import UnableToImport, export_company, import_company
from curbe.companies.models import Company
from telephony.models import CallQueue, CallWrapUp, Disposition, WrapUpPolicy
from tests import cast

HEAD = "company: {slug: nueva, name: Nueva, language: es}\n"
FILE = (
    HEAD
    + """\
queues:
  - {name: ventas, wrap_up_mode: timed_locked, wrap_up_s: 60}
breaks:
  - {code: comida, name: Comida, soft_limit_s: 1800, hard_limit_s: 3600, at_limit: auto_return}
  - {code: curso, name: Curso, is_productive: true}
  - {code: vieja, name: Vieja, is_active: false}
dispositions:
  - {code: venta, name: Venta}
  - {code: queja, name: Queja, is_active: false}
wrap_up:
  - {calls: direct, mode: timed, seconds: 20}
  - {calls: failed_outbound, mode: required_disposition}
"""
)


def signs(text: str, **how: bool) -> list[str]:
    return [str(change) for change in import_company(text, **how).changes]


def errors(text: str) -> list[tuple[int, str]]:
    with pytest.raises(UnableToImport) as caught:
        import_company(text)
    return [(problem.line, problem.reason) for problem in caught.value.problems]


def test_a_new_company_has_the_breaks_of_its_file_and_no_others(db: None) -> None:
    company = import_company(FILE).company

    rows = BreakReason.objects.filter(company=company).order_by("position")
    assert list(rows.values_list("code", "name", "is_productive", "hard_limit_s", "at_limit", "is_active")) == [
        ("comida", "Comida", False, 3600, "auto_return", True),
        ("curso", "Curso", True, 0, "warn", True),
        ("vieja", "Vieja", False, 0, "warn", False),
    ]
    assert list(Disposition.objects.order_by("position").values_list("code", "is_active")) == [
        ("venta", True),
        ("queja", False),
    ]
    assert CallQueue.objects.values_list("wrap_up_mode", "wrap_up_s").get() == ("timed_locked", 60)
    assert set(WrapUpPolicy.objects.values_list("calls", "mode", "seconds")) == {
        ("direct", "timed", 20),
        ("failed_outbound", "required_disposition", 30),
    }


def test_applied_twice_a_file_changes_nothing_and_an_export_is_such_a_file(db: None) -> None:
    company = import_company(FILE).company

    assert signs(FILE) == []
    text = export_company(company)
    assert signs(text) == [] and signs(text, prune=True) == []
    assert "breaks:\n  - {code: comida" in text
    company.delete()
    assert export_company(import_company(text).company) == text


def test_the_usual_breaks_are_not_worth_a_line(db: None) -> None:
    company = import_company(HEAD).company

    assert BreakReason.objects.filter(company=company).count() == 4
    assert export_company(company).splitlines()[1:] == []


def test_what_is_not_named_stays_and_goes_when_pruned(db: None) -> None:
    import_company(FILE)
    less = HEAD + "breaks:\n  - {code: curso}\ndispositions:\n  - {code: venta}\nwrap_up:\n  - {calls: direct}\n"

    assert signs(less) == [
        "~ break curso: position 2 → 1",
        "= wrap_up failed_outbound",
        "= disposition queja",
        "= break comida",
        "= break vieja",
    ]
    assert [change for change in signs(less, prune=True) if change.startswith("-")] == [
        "- wrap_up failed_outbound",
        "- disposition queja",
        "- break comida",
        "- break vieja",
    ]
    assert BreakReason.objects.values_list("code", "name", "is_productive").get() == ("curso", "curso", False)
    assert WrapUpPolicy.objects.values_list("calls", "mode").get() == ("direct", "none")
    assert signs(less, prune=True) == []


def test_a_dry_run_says_it_and_changes_nothing(db: None) -> None:
    import_company(FILE)

    said = signs(HEAD + "breaks: []\n", prune=True, dry_run=True)

    assert said.count("- break comida") == 1
    assert BreakReason.objects.count() == 3


def test_a_disposition_that_calls_have_is_switched_off_once(db: None) -> None:
    company: Company = import_company(FILE).company
    now = timezone.now()
    CallWrapUp.objects.create(
        company=company,
        call=cast.make_call(company),
        agent=cast.make_agent(company),
        mode="timed",
        started_at=now,
        until=now,
        ended_at=now,
        ended_how="done",
        disposition=Disposition.objects.get(code="venta"),
    )
    none = HEAD + "dispositions: []\n"

    assert signs(none, prune=True) == ["~ disposition venta: is_active true → false", "- disposition queja"]
    assert signs(none, prune=True) == []


def test_the_products_own_disposition_is_neither_written_nor_taken(db: None) -> None:
    company = import_company(FILE).company
    Disposition.objects.create(company=company, code="timed_out", name="timed_out", is_system=True)

    assert "timed_out" not in export_company(company)
    import_company(HEAD + "dispositions: []\n", prune=True)

    assert Disposition.objects.get().is_system


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("breaks:\n  - {name: Comida}", "breaks: code is missing"),
        ("breaks:\n  - {code: a, hard_limit_s: 28801}", "hard_limit_s must be a whole number from 0 to 28800"),
        ("breaks:\n  - {code: a, at_limit: fire}", "at_limit must be one of warn, auto_return, set_offline"),
        ("dispositions:\n  - {code: timed_out}", "code must not be timed_out"),
        ("dispositions:\n  - {code: 'a b'}", "code must be letters, digits, hyphens"),
        ("wrap_up:\n  - {calls: all}", "calls must be one of direct, outbound, failed_outbound"),
        ("wrap_up:\n  - {calls: direct, seconds: 901}", "seconds must be a whole number from 0 to 900"),
        ("queues:\n  - {name: a, wrap_up_mode: long}", "wrap_up_mode must be one of none, optional, timed"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(db: None, row: str, reason: str) -> None:
    ((line, said),) = errors(HEAD + row + "\n")

    assert line == 3
    assert reason in said
    assert not Company.objects.exists()
