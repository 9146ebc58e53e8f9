"""The sections ``breaks``, ``dispositions`` and ``wrap_up`` (of calls that no queue speaks for).

The reasons for breaks are rows of ``agents``, which know no columns of a file; they stand here with the others.
"""

from __future__ import annotations

from typing import Any, Final

from agents.breaks import defaults_for
from agents.models import BreakReason
from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section, Wrong
from curbe.companies.models import Company
from curbe.companies.yaml_lines import Node
from telephony.company_file import columns
from telephony.models import Disposition, WrapUpPolicy
from telephony.operations.after_calls import delete_disposition

_code = field_types.slug_of(40)


def disposition_code(node: Node) -> str:
    code = _code(node)
    if code == Disposition.TIMED_OUT:
        raise Wrong(f"must not be {code}, which is written when nobody says anything in time")
    return code


_BREAK: Final = columns.Columns(BreakReason, "is_productive", "soft_limit_s", "hard_limit_s", "at_limit", "is_active")
_DISPOSITION: Final = columns.Columns(Disposition, "is_active")
_POLICY: Final = columns.Columns(WrapUpPolicy, "mode", "seconds")
_NAME: Final = Field("name", field_types.text(80))


# --- Breaks -------------------------------------------------------------------------------------------------------


def apply_breaks(run: Import, rows: tuple[Row, ...]) -> None:
    if any(change.sign == "+" and change.what.startswith("company ") for change in run.changes):
        # The company is new, and the file says what its breaks are: they are not added to the usual ones.
        BreakReason.objects.filter(company=run.company).delete()
    known = {one.code: one for one in BreakReason.objects.filter(company=run.company)}
    for place, row in enumerate(rows, start=1):
        one = known.get(row["code"]) or BreakReason(company=run.company, code=row["code"], name=row["code"])
        _keep(run, row, one, _BREAK, f"break {one.code}", place)


def _keep(
    run: Import, row: Row, one: BreakReason | Disposition, of_file: columns.Columns, what: str, place: int
) -> None:
    draft = columns.Draft(run, what, one)
    draft.plain({"name": run.wanted(row, "name", now=one.name, default=one.code)})
    draft.plain(of_file.wanted(run, row, one))
    draft.plain({"position": place})
    draft.save()


def remove_breaks(run: Import, rows: tuple[Row, ...]) -> None:
    named = {row["code"] for row in rows}
    for one in BreakReason.objects.filter(company=run.company).order_by("position", "id"):
        if one.code not in named and run.left_out(f"break {one.code}"):
            one.delete()


def export_breaks(company: Company) -> list[dict[str, Any]]:
    """Return the reasons in their order; none where they are those that every new company has."""
    rows = [_break_as_row(one) for one in _ordered(BreakReason, company)]
    return [] if rows == [_break_as_row(one) for one in defaults_for(company)] else rows


def _break_as_row(one: BreakReason) -> dict[str, Any]:
    return {"code": one.code, "name": one.name, **_BREAK.export(one)}


def _ordered(model: type[Any], company: Company) -> list[Any]:
    return list(model.objects.filter(company=company).order_by("position", "id"))


# --- Dispositions -------------------------------------------------------------------------------------------------


def apply_dispositions(run: Import, rows: tuple[Row, ...]) -> None:
    known = {one.code: one for one in Disposition.objects.filter(company=run.company)}
    for place, row in enumerate(rows, start=1):
        one = known.get(row["code"]) or Disposition(company=run.company, code=row["code"], name=row["code"])
        _keep(run, row, one, _DISPOSITION, f"disposition {one.code}", place)


def remove_dispositions(run: Import, rows: tuple[Row, ...]) -> None:
    """Take away what the file does not name; what calls have is switched off, for their history names it."""
    named = {row["code"] for row in rows}
    for one in _ordered(Disposition, run.company):
        what = f"disposition {one.code}"
        if one.code in named or one.is_system:
            continue
        if not run.prune:
            run.note("=", what)
        elif delete_disposition(one):
            run.note("-", what)
        elif one.is_active:
            run.note("~", f"{what}: is_active true → false")


def export_dispositions(company: Company) -> list[dict[str, Any]]:
    return [
        {"code": one.code, "name": one.name, **_DISPOSITION.export(one)}
        for one in _ordered(Disposition, company)
        if not one.is_system
    ]


# --- Wrap-up without a queue --------------------------------------------------------------------------------------


def apply_policies(run: Import, rows: tuple[Row, ...]) -> None:
    known = {one.calls: one for one in WrapUpPolicy.objects.filter(company=run.company)}
    for row in rows:
        one = known.get(row["calls"]) or WrapUpPolicy(company=run.company, calls=row["calls"])
        draft = columns.Draft(run, f"wrap_up {one.calls}", one)
        draft.plain(_POLICY.wanted(run, row, one))
        draft.save()


def remove_policies(run: Import, rows: tuple[Row, ...]) -> None:
    named = {row["calls"] for row in rows}
    for one in WrapUpPolicy.objects.filter(company=run.company).order_by("calls"):
        if one.calls not in named and run.left_out(f"wrap_up {one.calls}"):
            one.delete()


def export_policies(company: Company) -> list[dict[str, Any]]:
    rows = {one.calls: one for one in WrapUpPolicy.objects.filter(company=company)}
    said = [(kind.value, _POLICY.export(rows[kind])) for kind in WrapUpPolicy.Calls if kind in rows]
    return [{"calls": calls, **policy} for calls, policy in said if policy]


BREAKS: Final = Section(
    "breaks",
    "code",
    (Field("code", _code, required=True), _NAME, *_BREAK.fields),
    apply_breaks,
    export_breaks,
    remove=remove_breaks,
)
DISPOSITIONS: Final = Section(
    "dispositions",
    "code",
    (Field("code", disposition_code, required=True), _NAME, *_DISPOSITION.fields),
    apply_dispositions,
    export_dispositions,
    remove=remove_dispositions,
)
WRAP_UP: Final = Section(
    "wrap_up",
    "calls",
    (Field("calls", field_types.one_of(WrapUpPolicy.Calls.values), required=True), *_POLICY.fields),
    apply_policies,
    export_policies,
    remove=remove_policies,
)
