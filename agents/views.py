"""The addresses by which an agent's browser says that it is alive, and what its person chose."""

from __future__ import annotations

import json
from functools import lru_cache, wraps
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from agents import beats, operations, tickets
from agents.models import Agent, Intent
from agents.presence import pending
from agents.queries import agent_of, facts_of
from agents.schemas import ErrorAnswer, HeartbeatAnswer, HeartbeatWish, IntentAnswer, IntentWish
from agents.standing import By
from curbe.companies.access import NotAMember, membership_in, membership_of
from curbe.lib.http import PHONE_TICKET, json_error, too_large

#: A heartbeat is 200 bytes.
LONGEST_BEAT_BYTES: Final = 4_096
NOT_AN_AGENT: Final = "You do not answer calls in this company."


def my_agent(request: Request) -> Agent:
    """Return the agent that who asks answers as. Raises PermissionDenied (403) for members who answer no calls."""
    agent = agent_of(membership_of(request))
    if agent is None:
        raise PermissionDenied(NOT_AN_AGENT)
    return agent


@extend_schema(
    operation_id="heartbeat",
    tags=["agents"],
    summary="Say that this phone is alive",
    description="Every 10 s, by session or with `Authorization: Phone <ticket>`; older than 30 s is offline.",
    request=HeartbeatWish,
    responses={
        200: HeartbeatAnswer,
        400: OpenApiResponse(ErrorAnswer, "A field is missing or wrong; the error names it."),
        401: OpenApiResponse(ErrorAnswer, "No log-in, or a ticket that is not good (any more)."),
        403: OpenApiResponse(ErrorAnswer, "Somebody else's agent or company."),
    },
)
@api_view(["POST"])
def heartbeat_by_session(request: Request) -> HttpResponseBase:
    try:
        body = beats.read(request.data)
    except beats.BadBeat as err:
        my_agent(request)
        return _bad_beat(err)
    try:
        # The beat's company, which another tab may have left: this tab's phone is still alive there.
        membership = membership_in(request, body.company)
    except NotAMember:
        my_agent(request)
        return json_error(403, "Invalid company")
    agent = agent_of(membership)
    if agent is None:
        raise PermissionDenied(NOT_AN_AGENT)
    return _beat(body, agent.pk, body.company)


# The page's road knows who asks from the session; the ticket's road is taken before any of that is looked up. What the
# API's document says of the address is the decorated view's.
@csrf_exempt
@wraps(heartbeat_by_session)
def heartbeat(request: HttpRequest) -> HttpResponseBase:
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    if authorization.startswith(PHONE_TICKET):
        return _heartbeat_by_ticket(request, authorization[len(PHONE_TICKET) :])
    return heartbeat_by_session(request)


def _heartbeat_by_ticket(request: HttpRequest, text: str) -> HttpResponse:
    """Answer with one UPDATE and no other statement, as long as the agent's presence stays what it was."""
    if request.method != "POST":
        refused = json_error(405, "Post a heartbeat.")
        refused.headers["Allow"] = "POST"
        return refused
    try:
        ticket = tickets.read(text.strip(), timezone.now())
    except tickets.BadTicket as err:
        refused = json_error(401, str(err))
        refused.headers["WWW-Authenticate"] = "Phone"
        return refused
    if too_large(request, LONGEST_BEAT_BYTES):
        return json_error(413, "This is longer than a heartbeat.")
    try:
        body = beats.parse(request.body)
    except beats.BadBeat as err:
        return _bad_beat(err)
    if body.phone_id != ticket.phone_id:
        return json_error(403, "This ticket was made for another phone.")
    return _beat(body, ticket.agent_id, ticket.company)


def _beat(body: beats.BeatBody, agent_id: int, company: str) -> HttpResponse:
    if body.company != company:
        return json_error(403, "Invalid company")
    if body.agent_id not in {None, agent_id}:
        return json_error(403, "Invalid agent")
    try:
        answer = operations.heartbeat(
            agent_id=agent_id,
            phone_id=body.phone_id,
            ready=body.ready,
            microphone=body.microphone,
            degraded=body.degraded,
            now=timezone.now(),
        )
    except operations.UnknownAgent:
        return json_error(403, NOT_AN_AGENT)
    return HttpResponse(_answer(answer.presence, answer.phone), content_type="application/json")


@lru_cache(maxsize=64)
def _answer(presence: str, phone: str) -> bytes:
    return json.dumps({"ok": True, "presence": presence, "phone": phone}).encode()


def _bad_beat(err: beats.BadBeat) -> HttpResponse:
    return json_error(400, str(err), **({"field": err.field} if err.field else {}))


@extend_schema(
    operation_id="choose_intent",
    tags=["agents"],
    summary="Choose to be available, on a break or offline",
    description="Chosen while busy it stops new calls at once, and holds when the present one and its wrap-up are over."
    " Until then it is `pending`, and choosing again takes it back.",
    request=IntentWish,
    responses={200: IntentAnswer, 400: ErrorAnswer, 401: ErrorAnswer, 403: ErrorAnswer},
)
@api_view(["POST"])
def intent(request: Request) -> Response:
    agent, now = my_agent(request), timezone.now()
    wish = IntentWish(data=request.data)
    wish.is_valid(raise_exception=True)
    chosen, reason = wish.validated_data["intent"], wish.validated_data.get("reason")
    if reason and chosen != Intent.BREAK:
        return _wrong_reason("A reason belongs to a break only.")
    by = By(membership_of(request).user_id)
    try:
        presence = operations.choose_intent(agent_id=agent.pk, intent=chosen, reason=reason, by=by, now=now)
    except operations.UnknownAgent as err:
        raise PermissionDenied(NOT_AN_AGENT) from err
    except operations.UnknownBreak:
        return _wrong_reason("This reason is not one that can be chosen.")
    agent.refresh_from_db()
    return Response({"ok": True, "presence": presence, "pending": pending(facts_of(agent), now)})


def _wrong_reason(text: str) -> Response:
    return Response({"error": f"reason: {text}", "field": "reason"}, status=400)
