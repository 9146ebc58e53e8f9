"""The section ``announcements``: whether people are told that a call is recorded, by direction and number."""

from __future__ import annotations

from typing import Any, Final

from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section, Wrong
from curbe.companies.models import Company
from curbe.companies.yaml_lines import Node
from curbe.lib.phone import is_e164
from telephony.company_file import columns
from telephony.models import PhoneNumber, RecordingRule

_RULE: Final = columns.Columns(RecordingRule, "announces", "say_es", "say_en")
_text: Final = field_types.text(40)
EVERY: Final = "all"
_DIRECTIONS: Final = ("inbound", "outbound")


def calls(node: Node) -> tuple[str, str]:
    """Return direction and number of ``all``, ``inbound``, ``+13055550100`` or ``inbound +13055550100``."""
    words = _text(node).split()
    direction = words.pop(0) if words and words[0] in _DIRECTIONS else ""
    number = words.pop(0) if words and is_e164(words[0]) else ""
    if words not in ([], [EVERY]) or (words and (direction or number)):
        raise Wrong("must be all, inbound, outbound, or a number such as +13055550100 with or without one of them")
    return direction, number


def _named(rule: RecordingRule) -> str:
    return " ".join(filter(None, (rule.direction, rule.number.e164 if rule.number else ""))) or EVERY


def apply_rules(run: Import, rows: tuple[Row, ...]) -> None:
    known = {_named(one): one for one in _rules(run.company)}
    numbers = {one.e164: one for one in PhoneNumber.objects.filter(company=run.company)}
    for row in rows:
        direction, e164 = row["calls"]
        if e164 and e164 not in numbers:
            run.refuse(row.line, f"calls: {e164} is no number of this company")
            continue
        name = " ".join(filter(None, (direction, e164))) or EVERY
        one = known.get(name) or RecordingRule(company=run.company, direction=direction, number=numbers.get(e164))
        draft = columns.Draft(run, f"announcement {name}", one)
        draft.plain(_RULE.wanted(run, row, one))
        draft.save()


def remove_rules(run: Import, rows: tuple[Row, ...]) -> None:
    named = {" ".join(filter(None, row["calls"])) or EVERY for row in rows}
    for one in _rules(run.company):
        if _named(one) not in named and run.left_out(f"announcement {_named(one)}"):
            one.delete()


def export_rules(company: Company) -> list[dict[str, Any]]:
    return [{"calls": _named(one), **_RULE.export(one)} for one in _rules(company)]


def _rules(company: Company) -> list[RecordingRule]:
    rows = RecordingRule.objects.filter(company=company).select_related("number")
    return sorted(rows, key=lambda one: (bool(one.number), one.number.e164 if one.number else "", one.direction))


ANNOUNCEMENTS: Final = Section(
    "announcements",
    "calls",
    (Field("calls", calls, required=True), *_RULE.fields),
    apply_rules,
    export_rules,
    remove=remove_rules,
)
