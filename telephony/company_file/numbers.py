"""The section ``numbers``: where each leads. An import never buys a number."""

from __future__ import annotations

from typing import Any, Final

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section
from curbe.companies.models import Company
from telephony.company_file import columns, targets
from telephony.company_file.targets import Target, Targets
from telephony.models import PhoneNumber
from telephony.operations.assignments import columns_of
from telephony.queries.plans import destination_of_number

PLAIN: Final = columns.Columns(PhoneNumber, "label", "language")
FIELDS: Final = (
    Field("e164", field_types.e164, required=True),
    Field("assigned_to", targets.target),
    Field("hours", field_types.text(80, empty=True)),
    Field("when_closed", targets.target),
    *PLAIN.fields,
)


def apply(run: Import, rows: tuple[Row, ...]) -> None:
    """Make and change numbers. They name what stands before them, and nothing names them: one pass is enough."""
    ours = {number.e164: number for number in _numbers(run.company)}
    foreign = PhoneNumber.objects.exclude(company=run.company).filter(e164__in=[row["e164"] for row in rows])
    taken = set(foreign.values_list("e164", flat=True))
    hours = targets.hours_by_name(run.company)
    where = Targets(run.company, run)
    for row in rows:
        if row["e164"] in taken:
            # Whose it is, is none of this company's business.
            run.refuse(row.line_of("e164"), f"numbers: {row['e164']} belongs to another company")
            continue
        number = ours.get(row["e164"]) or PhoneNumber(company=run.company, e164=row["e164"])
        draft = columns.Draft(run, f"number {number.e164}", number)
        _assign(draft, row, number, where)
        draft.plain(PLAIN.wanted(run, row, number))
        targets.keep_hours(draft, row, hours)
        where.lead(draft, row, {"when_closed": "when_closed"})
        draft.save()


def _assign(draft: columns.Draft, row: Row, number: PhoneNumber, where: Targets) -> None:
    before = where.name(destination_of_number(number))
    wanted: Target = draft.run.wanted(row, "assigned_to", now=before, default=Target())
    if wanted == before:
        return
    destination = where.find(draft.run, "numbers", wanted, row.line_of("assigned_to"))
    if destination is not None:
        draft.put(columns_of(destination), "", before, wanted)


def remove(run: Import, rows: tuple[Row, ...]) -> None:
    """Delete what the file leaves out; not what is paid for: without its row nobody would know whose the number is."""
    named = {row["e164"] for row in rows}
    for number in _numbers(run.company):
        if number.e164 in named or not run.left_out(f"number {number.e164}"):
            continue
        if number.telnyx_id:
            told = f"numbers: {number.e164} is a number of the Telnyx account: release it first, on its page"
            run.refuse(run.parts["numbers"].line, told)
            continue
        number.delete()


def export(company: Company) -> list[dict[str, Any]]:
    where = Targets(company)
    return [_export_one(number, where) for number in _numbers(company)]


def _export_one(number: PhoneNumber, where: Targets) -> dict[str, Any]:
    plain = PLAIN.export(number)
    row = {
        "e164": number.e164,
        "label": plain.get("label", ""),
        "assigned_to": where.name(destination_of_number(number)).export(),
        "hours": number.hours.name if number.hours else "",
        "when_closed": where.name_of_place(number.when_closed).export(),
        "language": plain.get("language", ""),
    }
    return {key: value for key, value in row.items() if value}


def _numbers(company: Company) -> list[PhoneNumber]:
    rows = PhoneNumber.objects.filter(company=company).select_related("hours", "when_closed")
    return list(rows.order_by("id"))


NUMBERS: Final = Section("numbers", "e164", FIELDS, apply, export, remove=remove)
