"""What an import refuses as a whole: a plan that leads round in circles."""

from __future__ import annotations

from curbe.companies.company_file import Import, Row
from telephony.core.loops import name_of, places_in_loop
from telephony.queries.plans import compile_plan


def refuse_loops(run: Import, rows: tuple[Row, ...]) -> None:
    """Refuse a circle of menus and queues, on the line of the first of them that the file names."""
    plan = compile_plan(run.company)
    loop = places_in_loop(plan)
    if loop is None:
        return
    named = [(f"{place.kind}s", name_of(place, plan)) for place in loop]
    lines = [
        row.line
        for section, name in named
        if section in run.parts
        for row in run.parts[section].rows
        if row["name"] == name
    ]
    part = next(run.parts[section] for section in ("menus", "queues") if section in run.parts)
    circle = " → ".join(name for _section, name in [*named, named[0]])
    run.refuse(lines[0] if lines else part.line, f"{named[0][0]}: a caller who does nothing goes round: {circle}")
