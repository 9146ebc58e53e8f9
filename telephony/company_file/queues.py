"""The section ``queues``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agents.company_file import Skills, code_of, skill_code
from agents.models import Agent
from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section, Wrong
from curbe.companies.models import Company
from curbe.companies.yaml_lines import Node, Scalar, Table
from telephony.company_file import columns, targets
from telephony.company_file.loops import refuse_loops
from telephony.models import CallQueue, PhoneNumber, QueueMember, QueueSkill


class Asked(NamedTuple):
    """What a queue asks for of one skill."""

    min_level: int = 1
    relaxable: bool = True
    weight: int = 1

    def __str__(self) -> str:
        more = ["" if self.relaxable else "not relaxable", f"weight {self.weight}" if self.weight != 1 else ""]
        return ", ".join(filter(None, [f"≥ {self.min_level}", *more]))

    def export(self) -> Any:
        changed = {key: value for key, value in self._asdict().items() if value != self._field_defaults[key]}
        return self.min_level if changed.keys() <= {"min_level"} else changed


_ASKED: Final = {
    "min_level": field_types.whole(1, 5),
    "relaxable": field_types.boolean,
    "weight": field_types.whole(1, 10),
}


def asked_skills(node: Node) -> dict[str, Asked]:
    """Read ``{es: 3, payments: {min_level: 2, relaxable: false, weight: 2}}``."""
    if isinstance(node, Scalar) and node.is_null:
        return {}
    if not isinstance(node, Table):
        raise Wrong("must be skills with their levels, such as {es: 3}")
    found = {}
    for code, value in node.values.items():
        line = node.key_lines[code]
        try:
            found[skill_code(Scalar(line, code))] = _asked(value)
        except Wrong as err:
            raise Wrong(f"{code} {err}", err.line or line) from err
    return found


def _asked(node: Node) -> Asked:
    if not isinstance(node, Table):
        return Asked(_ASKED["min_level"](node))
    for key, line in node.key_lines.items():
        if key not in _ASKED:
            raise Wrong(f"has an unknown key {key}; this version knows {', '.join(_ASKED)}", line)
    said: dict[str, Any] = {}
    for key, value in node.values.items():
        try:
            said[key] = _ASKED[key](value)
        except Wrong as err:
            raise Wrong(f"{key} {err}", value.line) from err
    return Asked(**said)


#: How calls are offered, and how long they wait: written before who is a member.
OFFERING: Final = columns.Columns(CallQueue, "strategy")
WAITING: Final = columns.Columns(
    CallQueue,
    "ring_timeout_s",
    "window",
    "cursor_follows_answer",
    "match_language",
    "relax_language",
    "relax_after_s",
    "relax_every_s",
    "max_misses",
    "max_offers",
    "priority",
    "priority_mode",
    "service_level_s",
    "max_wait_s",
    "max_size",
    "overflow_when_joining_empty",
    "overflow_when_left_empty",
    "when_closing",
    "sticky",
    "sticky_wait_s",
    "announce_every_s",
    "announce_wait",
    "wrap_up_mode",
    "wrap_up_s",
)
PLACES: Final = {"overflow": "overflow", "when_closed": "when_closed"}
FIELDS: Final = (
    Field("name", field_types.text(80), required=True),
    *OFFERING.fields,
    Field("members", field_types.names(150)),
    Field("skills", asked_skills),
    *WAITING.fields,
    Field("hours", field_types.text(80, empty=True)),
    *(Field(key, targets.target) for key in PLACES),
)


def apply(run: Import, rows: tuple[Row, ...]) -> None:
    queues = {queue.name: queue for queue in CallQueue.objects.filter(company=run.company)}
    for row in rows:
        queue = queues.get(row["name"])
        if queue is None:
            values = {**OFFERING.of(row), **WAITING.of(row)}
            CallQueue.objects.create(company=run.company, name=row["name"], **values)
            run.note("+", f"queue {row['name']}")
        else:
            draft = columns.Draft(run, f"queue {queue.name}", queue)
            draft.plain(OFFERING.wanted(run, row, queue))
            draft.plain(WAITING.wanted(run, row, queue))
            draft.save()


def link(run: Import, rows: tuple[Row, ...]) -> None:
    queues = {queue.name: queue for queue in _queues(run.company)}
    agents = agents_by_username(run.company)
    hours = targets.hours_by_name(run.company)
    where = targets.Targets(run.company, run)
    skills = Skills(run)
    for row in rows:
        queue = queues[row["name"]]
        if "members" in row or run.prune:
            _set_members(run, row, queue, agents)
        if "skills" in row or run.prune:
            _set_skills(run, row, queue, skills)
        draft = columns.Draft(run, f"queue {queue.name}", queue)
        targets.keep_hours(draft, row, hours)
        where.lead(draft, row, PLACES)
        draft.save()
    if run.prune:
        # What goes leads nowhere any more: two queues that go may lead to each other.
        CallQueue.objects.filter(company=run.company).exclude(name__in=[row["name"] for row in rows]).update(
            overflow=None, when_closed=None
        )


def _set_members(run: Import, row: Row, queue: CallQueue, agents: dict[str, Agent]) -> None:
    """Add the members that the file names; those that it does not name go only when pruned.

    Agents who answer no more are neither written by an export nor taken away by an import.
    """
    named = row.get("members", ())
    for username, line in named:
        if username not in agents:
            run.refuse(line, f"queues: {username} is nobody who answers calls in {run.company.slug}")
    wanted = {username for username, _line in named if username in agents}
    current = {
        one.agent.user.username: one
        for one in queue.memberships.filter(agent__is_active=True).select_related("agent__user")
    }
    for username, _line in named:
        if username in wanted and username not in current:
            QueueMember.objects.create(queue=queue, agent=agents[username])
            run.note("+", f"queue {queue.name}: member {username}")
    for username in sorted(current.keys() - wanted):
        if run.left_out(f"queue {queue.name}: member {username}"):
            current[username].delete()


def _set_skills(run: Import, row: Row, queue: CallQueue, skills: Skills) -> None:
    wanted: dict[str, Asked] = row.get("skills", {})
    current = {code_of(one.skill): one for one in _skills_of(queue)}
    for code, asked in wanted.items():
        what = f"queue {queue.name}: skill {code}"
        before = current.get(code)
        if before is None:
            QueueSkill.objects.create(queue=queue, skill=skills.get(code), **asked._asdict())
            run.note("+", f"{what} {asked}")
        elif _asked_by(before) != asked:
            run.note("~", f"{what} {_asked_by(before)} → {asked}")
            for key, value in asked._asdict().items():
                setattr(before, key, value)
            before.save(update_fields=list(Asked._fields))
    for code in sorted(current.keys() - wanted.keys()):
        if run.left_out(f"queue {queue.name}: skill {code}"):
            current[code].delete()


def _asked_by(one: QueueSkill) -> Asked:
    return Asked(one.min_level, one.relaxable, one.weight)


def _skills_of(queue: CallQueue) -> list[QueueSkill]:
    return sorted(queue.skills.all(), key=lambda one: one.pk)


def remove(run: Import, rows: tuple[Row, ...]) -> None:
    named = {row["name"] for row in rows}
    for queue in CallQueue.objects.filter(company=run.company).order_by("id"):
        if queue.name not in named and run.left_out(f"queue {queue.name}"):
            # Its numbers lead nowhere then, which is what a number without its queue does anyhow.
            of_queue = PhoneNumber.objects.filter(queue=queue)
            of_queue.update(destination=PhoneNumber.Destination.NONE, queue=None)
            targets.delete(run, "queues", queue)


def export(company: Company) -> list[dict[str, Any]]:
    members: dict[int, list[str]] = {}
    of_company = QueueMember.objects.filter(queue__company=company, agent__is_active=True).order_by("id")
    for queue_id, username in of_company.values_list("queue_id", "agent__user__username"):
        members.setdefault(queue_id, []).append(username)
    where = targets.Targets(company)
    return [_export_one(queue, members, where) for queue in _queues(company)]


def _export_one(queue: CallQueue, members: Mapping[int, list[str]], where: targets.Targets) -> dict[str, Any]:
    lists = {
        "members": members.get(queue.pk),
        "skills": {code_of(one.skill): _asked_by(one).export() for one in _skills_of(queue)},
    }
    links = {
        "hours": queue.hours.name if queue.hours else "",
        **{key: where.name_of_place(getattr(queue, key)).export() for key in PLACES},
    }
    return {
        "name": queue.name,
        **OFFERING.export(queue),
        **{key: value for key, value in lists.items() if value},
        **WAITING.export(queue),
        **{key: value for key, value in links.items() if value},
    }


def _queues(company: Company) -> list[CallQueue]:
    rows = CallQueue.objects.filter(company=company).select_related("hours", "overflow", "when_closed")
    return list(rows.prefetch_related("skills__skill").order_by("id"))


def agents_by_username(company: Company) -> dict[str, Agent]:
    active = Agent.objects.filter(company=company, is_active=True).select_related("user")
    return {agent.user.username: agent for agent in active}


QUEUES: Final = Section("queues", "name", FIELDS, apply, export, link=link, remove=remove, check=refuse_loops)
