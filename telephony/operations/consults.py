"""Somebody who is consulted answers: into the room with him, where whoever asked for him waits."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from telephony.core import call_state, render, texml
from telephony.core.call_state import Phase
from telephony.core.events import LegProgress
from telephony.core.leg_state import LegKind
from telephony.models import Call, Talk
from telephony.operations import progress
from telephony.operations.asking import facts_of


class UnknownConsult(LookupError):
    """The address names no call of that company, or the request comes from another leg than the one that was rung."""


def answer_join(*, company: str, call: str, target: int, call_sid: str, now: datetime) -> str:
    """Return the document of whoever was rung and answered: the room, or the end if he is not wanted any more.

    Asked twice, it is the same document. Raises UnknownConsult.
    """
    try:
        call_id = uuid.UUID(call)
    except ValueError as err:
        raise UnknownConsult(call) from err
    with transaction.atomic():
        row = (
            Call.objects.select_for_update(of=("self",))
            .select_related("company")
            .filter(pk=call_id, company__public_id=company)
            .first()
        )
        talk = Talk.objects.filter(pk=call_id).first()
        if row is None or talk is None or not call_sid:
            raise UnknownConsult(call)
        if talk.targets != target or Phase(talk.phase) not in call_state.CONSULTED:
            # Somebody was quicker to end it than he to answer; or he is in the room by now, and leads.
            return _room(row, talk, target) if call_sid == talk.lead_sid else texml.document(texml.Hangup())
        if talk.target_sid not in {"", call_sid}:
            raise UnknownConsult(call)
        if not talk.target_sid:
            talk.target_sid = call_sid
            talk.save(update_fields=["target_sid"])
        kind = LegKind.AGENT if talk.target_agent_id else LegKind.FORWARD
        news = LegProgress(call_sid=call_sid, status="in-progress", agent_id=talk.target_agent_id)
        progress.heard(row, news, heard_at=now, now=now, kind=kind)
        return _room(row, talk, target)


def _room(call: Call, talk: Talk, target: int) -> str:
    return render.agent_room(talk.room_name, facts_of(call), label=f"target-{target}")
