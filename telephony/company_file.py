"""The sections of the company file that belong to telephony: queues and numbers. An import never buys a number."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from agents.models import Agent
from curbe.companies import field_types
from curbe.companies.company_file import Field, Import, Row, Section, Wrong
from curbe.companies.models import Company
from curbe.companies.yaml_lines import Node, Table
from telephony.models import CallQueue, PhoneNumber, QueueMember

RING_TIMEOUT_S: Final = 25
Destination = PhoneNumber.Destination


class Target(NamedTuple):
    """Where a number leads, as the file says it: ``{queue: ventas}``. ``kind`` is empty for nowhere."""

    kind: str = ""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.kind else "(not assigned)"


def target(node: Node) -> Target:
    kinds = "{user: …}, {queue: …} or {company: auto}"
    if not isinstance(node, Table):
        if getattr(node, "is_null", False):
            return Target()
        raise Wrong(f"must be {kinds}")
    if not node.values:
        return Target()
    if len(node.values) > 1:
        raise Wrong(f"must name one destination, {kinds}")
    (kind, value), *_rest = node.values.items()
    if kind not in {"user", "queue", "company"}:
        raise Wrong(f"cannot be {kind}; this version knows {kinds}")
    name = field_types.text(150)(value)
    if kind == "company" and name != "auto":
        raise Wrong(f"must be {{company: auto}}, not {{company: {name}}}")
    return Target(kind, name)


QUEUE_FIELDS: Final = (
    Field("name", field_types.text(80), required=True),
    Field("strategy", field_types.one_of(CallQueue.Strategy.values)),
    Field("members", field_types.names(150)),
    # Telnyx allows 5–120 s for <Dial timeout> (developers.telnyx.com, Dial verb, 2026-04).
    Field("ring_timeout_s", field_types.whole(5, 120)),
)
NUMBER_FIELDS: Final = (
    Field("e164", field_types.e164, required=True),
    Field("label", field_types.text(80, empty=True)),
    Field("assigned_to", target),
)


def apply_queues(run: Import, rows: tuple[Row, ...]) -> None:
    queues = {queue.name: queue for queue in CallQueue.objects.filter(company=run.company)}
    agents = _agents(run.company)
    for row in rows:
        queue = queues.get(row["name"])
        if queue is None:
            queue = CallQueue.objects.create(company=run.company, **_plain(row, "name", "strategy", "ring_timeout_s"))
            run.note("+", f"queue {queue.name}")
        else:
            _change_queue(run, row, queue)
        if "members" in row or run.prune:
            _set_members(run, row, queue, agents)
    for name in queues.keys() - {row["name"] for row in rows}:
        run.note("-" if run.prune else "=", f"queue {name}")
        if run.prune:
            # Its numbers lead nowhere then, which is what a number without its queue does anyhow.
            PhoneNumber.objects.filter(queue=queues[name]).update(destination=Destination.NONE, queue=None)
            queues[name].delete()


def _change_queue(run: Import, row: Row, queue: CallQueue) -> None:
    wanted = {
        "strategy": run.wanted(row, "strategy", now=queue.strategy, default=CallQueue.Strategy.RING_ALL.value),
        "ring_timeout_s": run.wanted(row, "ring_timeout_s", now=queue.ring_timeout_s, default=RING_TIMEOUT_S),
    }
    _save_if_different(run, f"queue {queue.name}", queue, wanted)


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
        run.note("-" if run.prune else "=", f"queue {queue.name}: member {username}")
        if run.prune:
            current[username].delete()


def export_queues(company: Company) -> list[dict[str, Any]]:
    members: dict[int, list[str]] = {}
    of_company = QueueMember.objects.filter(queue__company=company, agent__is_active=True).order_by("id")
    for queue_id, username in of_company.values_list("queue_id", "agent__user__username"):
        members.setdefault(queue_id, []).append(username)
    return [
        {
            "name": queue.name,
            "strategy": queue.strategy,
            "members": members.get(queue.pk, []),
            "ring_timeout_s": queue.ring_timeout_s,
        }
        for queue in CallQueue.objects.filter(company=company).order_by("id")
    ]


def apply_numbers(run: Import, rows: tuple[Row, ...]) -> None:
    ours = {number.e164: number for number in _numbers(run.company)}
    foreign = PhoneNumber.objects.exclude(company=run.company).filter(e164__in=[row["e164"] for row in rows])
    taken = set(foreign.values_list("e164", flat=True))
    agents = _agents(run.company)
    queues = {queue.name: queue for queue in CallQueue.objects.filter(company=run.company)}
    for row in rows:
        if row["e164"] in taken:
            # Whose it is, is none of this company's business.
            run.refuse(row.line_of("e164"), f"numbers: {row['e164']} belongs to another company")
            continue
        _set_number(run, row, ours.get(row["e164"]), agents, queues)
    for e164 in ours.keys() - {row["e164"] for row in rows}:
        run.note("-" if run.prune else "=", f"number {e164}")
        if run.prune:
            ours[e164].delete()


def _set_number(
    run: Import, row: Row, number: PhoneNumber | None, agents: dict[str, Agent], queues: dict[str, CallQueue]
) -> None:
    before = _target_of(number) if number else Target()
    wanted: Target = run.wanted(row, "assigned_to", now=before, default=Target())
    if (wanted.kind == "user" and wanted.name not in agents) or (wanted.kind == "queue" and wanted.name not in queues):
        reason = "is nobody who answers calls in" if wanted.kind == "user" else "is no queue of"
        run.refuse(row.line_of("assigned_to"), f"numbers: {wanted.name} {reason} {run.company.slug}")
        return
    values: dict[str, Any] = {}
    if wanted != before:
        values = {
            "destination": wanted.kind or Destination.NONE.value,
            "agent": agents[wanted.name] if wanted.kind == "user" else None,
            "queue": queues[wanted.name] if wanted.kind == "queue" else None,
        }
    if number is None:
        PhoneNumber.objects.create(company=run.company, **_plain(row, "e164", "label"), **values)
        run.note("+", f"number {row['e164']}: {wanted}")
        return
    values["label"] = run.wanted(row, "label", now=number.label, default="")
    differences = [f"{before} → {wanted}"] if wanted != before else []
    if values["label"] != number.label:
        differences.append(f"label {number.label or '(none)'} → {values['label'] or '(none)'}")
    if differences:
        for key, value in values.items():
            setattr(number, key, value)
        number.save(update_fields=list(values))
        run.note("~", f"number {number.e164}: {', '.join(differences)}")


def export_numbers(company: Company) -> list[dict[str, Any]]:
    rows = []
    for number in _numbers(company):
        where = _target_of(number)
        rows.append(
            {
                "e164": number.e164,
                **({"label": number.label} if number.label else {}),
                **({"assigned_to": {where.kind: where.name}} if where.kind else {}),
            }
        )
    return rows


def _target_of(number: PhoneNumber) -> Target:
    """Return where a call to the number goes. A user who answers no more, or a queue that is gone, is nowhere."""
    if number.destination == Destination.USER and number.agent and number.agent.is_active:
        return Target("user", number.agent.user.username)
    if number.destination == Destination.QUEUE and number.queue:
        return Target("queue", number.queue.name)
    if number.destination == Destination.COMPANY:
        return Target("company", "auto")
    return Target()


def _numbers(company: Company) -> list[PhoneNumber]:
    return list(PhoneNumber.objects.filter(company=company).select_related("agent__user", "queue").order_by("id"))


def _agents(company: Company) -> dict[str, Agent]:
    active = Agent.objects.filter(company=company, is_active=True).select_related("user")
    return {agent.user.username: agent for agent in active}


def _plain(row: Row, *keys: str) -> dict[str, Any]:
    return {key: row[key] for key in keys if key in row}


def _save_if_different(run: Import, what: str, row: CallQueue, wanted: dict[str, Any]) -> None:
    different = {key: value for key, value in wanted.items() if getattr(row, key) != value}
    if different:
        words = ", ".join(f"{key} {getattr(row, key)} → {value}" for key, value in different.items())
        run.note("~", f"{what}: {words}")
        for key, value in different.items():
            setattr(row, key, value)
        row.save(update_fields=list(different))


QUEUES: Final = Section("queues", "name", QUEUE_FIELDS, apply_queues, export_queues)
NUMBERS: Final = Section("numbers", "e164", NUMBER_FIELDS, apply_numbers, export_numbers)
