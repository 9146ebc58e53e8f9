"""How a conversation stands, as its agent's screen and programs are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Q

from agents import presence
from agents.models import Agent
from agents.presence import BEAT_TTL
from agents.queries import facts_of
from telephony.core import call_state, talk_words
from telephony.core.call_state import Phase, Standing, Wish
from telephony.core.leg_state import LegStatus
from telephony.models import Call, CallLeg, CallQueue, QueueVisit, Talk

#: Wishes that do not depend on the table: keys are heard while somebody talks with the customer.
_KEYS_IN: Final = frozenset({Phase.TALKING, Phase.MERGED, Phase.SWAPPED})
MOST_TARGETS: Final = 50


def talk_as_json(call: Call, language: str, *, agent_id: int | None = None) -> dict[str, Any]:
    """Return the conversation of a call, one without a row of its own included. Three statements.

    ``agent_id`` is who asks: what may be wished is for the lead; whoever was consulted may only hang up.
    """
    talk = (
        Talk.objects.select_related("lead__user", "target_agent__user", "target_queue").filter(pk=call.pk).first()
        if call.phase
        else None
    )
    phase = _phase(call, talk)
    is_mine = agent_id is not None and agent_id == (talk.lead_id if talk else call.agent_id)
    return {
        "call_id": str(call.pk),
        "direction": call.direction,
        "phase": str(phase),
        "since": talk.phase_at if talk else call.answered_at or call.started_at,
        "mine": is_mine,
        "lead": str(talk.lead) if talk and talk.lead else "",
        # Ending it for everybody is for those who supervise, whoever leads.
        "may": [wish for wish in _may(phase) if is_mine or wish == Wish.END],
        "in_room": talk is not None and talk.room_is_open,
        "held": phase in call_state.CUSTOMER_HELD,
        "server_muted": talk.is_muted if talk else False,
        "recording": _recording(call),
        "party": {"name": call.caller_name, "number": call.customer_number},
        "consult": _consult(talk, phase) if talk else None,
        "message": talk.message if talk else "",
        "message_text": talk_words.text(talk.message, language) if talk and talk.message else "",
    }


def _recording(call: Call) -> str:
    """Return whether an agent has paused what is recorded; stuck where it is paused, and something is recorded all the
    same. A pause that was refused is taken back: the agent was told, and it is on.
    """
    # The recordings' app stands above this one: it is reached by the reverse relation.
    gap = call.recording_gaps.filter(ended_at=None).first()
    if gap is None or gap.began_at is None:
        return "on"
    return "stuck" if gap.error else "paused"


def _phase(call: Call, talk: Talk | None) -> Phase:
    if call.status == Call.Status.COMPLETED:
        return Phase.ENDED
    if talk is not None:
        return Phase(talk.phase)
    human = CallLeg.objects.filter(call=call, answered_at__isnull=False).exclude(status=LegStatus.ENDED)
    return Phase.TALKING if human.exclude(kind=CallLeg.Kind.CALLER).exists() else Phase.ROUTING


def _may(phase: Phase) -> list[str]:
    wishes = sorted(str(wish) for wish in call_state.may(Standing(phase)))
    return [*wishes, *(["digits"] if phase in _KEYS_IN else [])]


def _consult(talk: Talk, phase: Phase) -> dict[str, Any] | None:
    if phase not in call_state.CONSULTED and talk.wish != Wish.CONSULT:
        return None
    state = {Phase.CONSULTING: "answered", Phase.MERGED: "answered", Phase.SWAPPED: "held"}.get(phase, "ringing")
    if talk.target_agent is not None:
        kind, name = "agent", str(talk.target_agent)
    elif talk.target_queue is not None:
        kind, name = "queue", talk.target_queue.name
    else:
        kind, name = "number", talk.target_e164
    return {"kind": kind, "name": name, "state": state, "since": talk.target_at}


def transfer_targets(agent: Agent, *, words: str, now: datetime) -> list[dict[str, Any]]:
    """Return to whom a call can be given, those who can take it first: people as they stand, queues with who waits.

    ``words`` narrows it down by name. Three statements.
    """
    people = Agent.objects.filter(company=agent.company_id, is_active=True, user__is_active=True).exclude(pk=agent.pk)
    queues = CallQueue.objects.filter(company=agent.company_id)
    if words:
        people = people.filter(Q(user__name__icontains=words) | Q(user__username__icontains=words))
        queues = queues.filter(name__icontains=words)
    rows = [
        {
            "kind": "agent",
            "id": one.pk,
            "name": str(one),
            "presence": presence.derive(facts_of(one), now),
            "since": one.presence_at,
        }
        for one in people.select_related("user", "beat").order_by("user__name", "id")[:MOST_TARGETS]
    ]
    for row in rows:
        row["may"] = row["presence"] == presence.Word.AVAILABLE
    waiting = Count("visits", filter=Q(visits__outcome=QueueVisit.Outcome.WAITING), distinct=True)
    free = Count(
        "memberships__agent",
        filter=Q(
            memberships__agent__intent="AVAILABLE",
            memberships__agent__activity="IDLE",
            memberships__agent__beat__last_seen_at__gt=now - BEAT_TTL,
            memberships__agent__beat__ready=True,
            memberships__agent__beat__microphone=True,
        ),
        distinct=True,
    )
    lines = [
        {"kind": "queue", "id": queue.pk, "name": queue.name, "waiting": queue.waiting, "free": queue.free}
        for queue in queues.annotate(waiting=waiting, free=free).order_by("name", "id")[:MOST_TARGETS]
    ]
    return [*sorted(rows, key=lambda row: not row["may"]), *lines]
