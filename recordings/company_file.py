"""The section ``recordings``: how long each kind is kept, and whether Telnyx's copy goes."""

from __future__ import annotations

from typing import Any, Final

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section
from curbe.companies.models import Company
from recordings.models import RecordingPolicy
from recordings.policies import Kind
from telephony.company_file import columns

_POLICY: Final = columns.Columns(RecordingPolicy, "keep_days", "delete_at_telnyx")


def apply_policies(run: Import, rows: tuple[Row, ...]) -> None:
    known = {one.kind: one for one in RecordingPolicy.objects.filter(company=run.company)}
    for row in rows:
        one = known.get(row["kind"]) or RecordingPolicy(company=run.company, kind=row["kind"])
        draft = columns.Draft(run, f"recordings {one.kind}", one)
        draft.plain(_POLICY.wanted(run, row, one))
        draft.save()


def remove_policies(run: Import, rows: tuple[Row, ...]) -> None:
    named = {row["kind"] for row in rows}
    for one in RecordingPolicy.objects.filter(company=run.company).order_by("kind"):
        if one.kind not in named and run.left_out(f"recordings {one.kind}"):
            one.delete()


def export_policies(company: Company) -> list[dict[str, Any]]:
    rows = {one.kind: one for one in RecordingPolicy.objects.filter(company=company)}
    said = [(kind.value, _POLICY.export(rows[kind])) for kind in Kind if kind in rows]
    return [{"kind": kind, **policy} for kind, policy in said if policy]


SECTIONS: Final = (
    Section(
        "recordings",
        "kind",
        (Field("kind", field_types.one_of(Kind.values), required=True), *_POLICY.fields),
        apply_policies,
        export_policies,
        remove=remove_policies,
    ),
)
