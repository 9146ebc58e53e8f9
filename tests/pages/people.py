"""What the tests of the pages look at, and through whose eyes."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape
from typing import Any

from django.test import Client
from django.utils import timezone

from agents.models import Agent
from curbe.companies.models import Company, User
from recordings.models import Recording
from telephony.models import Call, CallLeg, Offer, RouteTrace
from tests import cast


def looking(user: User, language: str = "en") -> Client:
    """Return the person's browser, in that language."""
    User.objects.filter(pk=user.pk).update(language=language)
    user.refresh_from_db()
    return cast.client_for(user)


def html(response: Any) -> str:
    return str(response.content.decode())


def words(response: Any) -> str:
    """Return the page as somebody reads it: no tags, single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html(response))).split())


def answered_call(company: Company, agent: Agent | None = None, **fields: Any) -> Call:
    """Make a call that was answered after 9 s and lasted 65 s more, with its legs, offer and reasons."""
    started_at = fields.pop("started_at", None) or timezone.now() - timedelta(minutes=5)
    answered_at, ended_at = started_at + timedelta(seconds=9), started_at + timedelta(seconds=74)
    call = cast.make_call(
        company,
        **{
            "agent": agent,
            "status": Call.Status.COMPLETED,
            "outcome": Call.Outcome.ANSWERED,
            "started_at": started_at,
            "answered_at": answered_at,
            "ended_at": ended_at,
            **fields,
        },
    )
    leg: dict[str, Any] = {"call": call, "status": CallLeg.Status.ENDED, "started_at": started_at, "ended_at": ended_at}
    CallLeg.objects.create(**leg, call_sid=call.root_call_sid, kind=CallLeg.Kind.CALLER, end_status="completed")
    if agent is not None:
        CallLeg.objects.create(
            **leg, call_sid=f"v3:{uuid.uuid4()}", kind=CallLeg.Kind.AGENT, agent=agent, end_status="completed"
        )
        Offer.objects.create(
            call=call, agent=agent, step=1, outcome="answered", offered_at=started_at, expires_at=ended_at
        )
        reasons = [{"code": "rung", "agent": str(agent)}]
        RouteTrace.objects.create(
            call=call, step=1, decision={}, reasons=reasons, document="<Response/>", at=started_at
        )
    return call


def recording_of(call: Call, state: str = Recording.State.STORED, **fields: Any) -> Recording:
    return Recording.objects.create(
        company_id=call.company_id, call=call, telnyx_recording_id=str(uuid.uuid4()), state=state, **fields
    )
