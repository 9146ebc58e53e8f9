"""What the phone in the browser asks of the server: a token, and words about its call."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from agents import tickets
from agents.models import Agent
from agents.operations import claim_phone
from agents.presence import is_talking, pending, reach
from agents.queries import break_of, breaks_of, facts_of, phone_is_elsewhere, presence_of
from agents.schemas import ErrorAnswer
from agents.views import my_agent
from curbe.companies.access import NotAMember, company_of, for_company, membership_in
from telephony.models import Call
from telephony.operations import control
from telephony.operations.endpoints import NoConnection, login_token_for
from telephony.queries import records
from telephony.queries.wrap_ups import wrap_up_of
from telephony.telnyx.client import get_client
from telephony.telnyx.errors import TelnyxError, TelnyxRefused
from telephony.views.doors import agent_in_the_company_of
from telephony.views.schemas import (
    ID_KINDS,
    HangupAnswer,
    HangupWish,
    IdsWish,
    MeAnswer,
    TokenAnswer,
    TokenWish,
)

logger = logging.getLogger(__name__)

#: A registration token lives 24 h (webrtc.md section 5), unless it says otherwise itself.
TOKEN_LIFE: Final = timedelta(hours=24)
REFUSALS: Final = {400: ErrorAnswer, 401: ErrorAnswer, 403: ErrorAnswer}


@extend_schema(
    operation_id="webrtc_token",
    tags=["phone"],
    summary="Make this browser the agent's phone",
    request=TokenWish,
    responses={
        200: TokenAnswer,
        **REFUSALS,
        409: OpenApiResponse(ErrorAnswer, "Another browser holds the phone: ask with takeOver."),
        502: OpenApiResponse(ErrorAnswer, "Telnyx is away."),
        503: OpenApiResponse(ErrorAnswer, "The agent has no Telnyx credential that works, and none can be made now."),
    },
)
@api_view(["POST"])
def token(request: Request) -> Response:
    wish = TokenWish(data=request.data)
    wish.is_valid(raise_exception=True)
    phone_id, take_over = wish.validated_data["phoneId"], wish.validated_data["takeOver"]
    agent, now = my_agent(request), timezone.now()
    if not take_over and phone_is_elsewhere(agent, phone_id, now):
        return _elsewhere()
    # Telnyx first: a phone that cannot register must not take the agent from one that can.
    client = get_client()
    try:
        login_token = login_token_for(agent, client)
    except (NoConnection, TelnyxRefused):
        logger.exception("No credential, or no token of it, for agent %s", agent.pk)
        return _error(503, "Your Telnyx credential cannot be used now. Ask your administrator.")
    except TelnyxError as err:
        return _telnyx_is_away(agent, err)
    # Another phone may have been quicker while Telnyx was asked.
    claimed_us = claim_phone(agent_id=agent.pk, phone_id=phone_id, take_over=take_over, now=timezone.now())
    if claimed_us is None:
        return _elsewhere()
    company = company_of(request).public_id
    answer = {
        "login_token": login_token,
        "expires_at": _expires_at(login_token, now),
        "host": settings.TELNYX_RTC_HOST,
        # The sandbox listens on this machine; at Telnyx the SDK knows the right servers itself.
        "ice_servers": [] if settings.TELNYX_SANDBOX else None,
        "ticket": tickets.issue(agent_id=agent.pk, company=company, phone_id=phone_id, now=now),
        "claimed_us": claimed_us,
    }
    return Response(answer, headers={"Cache-Control": "no-store"})


@extend_schema(
    operation_id="call_ids",
    tags=["phone"],
    summary="Tell the ids by which this browser knows a call",
    request=IdsWish,
    responses={204: None, **REFUSALS, 404: ErrorAnswer},
)
@api_view(["POST"])
def ids(request: Request, call_id: UUID) -> Response:
    wish = IdsWish(data=request.data)
    wish.is_valid(raise_exception=True)
    told = {ID_KINDS[name]: value for name, value in wish.validated_data.items() if value}
    try:
        control.report_ids(agent=agent_in_the_company_of(request, call_id), call_id=call_id, ids=told)
    except control.UnknownCall:
        return _error(404, "Call not found")
    return Response(status=204)


@extend_schema(
    operation_id="decline",
    tags=["phone"],
    summary="Decline: end this agent's ringing and nobody else's",
    request=None,
    responses={204: None, **REFUSALS, 404: ErrorAnswer, 409: OpenApiResponse(ErrorAnswer, "You answered it already.")},
)
@api_view(["POST"])
def decline(request: Request, call_id: UUID) -> Response:
    try:
        control.decline(agent=agent_in_the_company_of(request, call_id), call_id=call_id, now=timezone.now())
    except control.UnknownCall:
        return _error(404, "Call not found")
    except control.AlreadyAnswered:
        return _error(409, "You answered this call already: hang up to end it.")
    return Response(status=204)


@extend_schema(
    operation_id="server_hangup",
    tags=["phone"],
    summary="Hang up: end every leg of a call, the customer's first",
    request=HangupWish,
    responses={
        200: HangupAnswer,
        400: ErrorAnswer,
        401: ErrorAnswer,
        403: OpenApiResponse(ErrorAnswer, "Invalid company"),
        404: OpenApiResponse(ErrorAnswer, "Call not found"),
        409: OpenApiResponse(ErrorAnswer, "Not answered by who asks: decline it."),
        502: OpenApiResponse(ErrorAnswer, "Telnyx refused or is away."),
    },
)
@api_view(["POST"])
def server_hangup(request: Request) -> Response:
    wish = HangupWish(data=request.data)
    wish.is_valid(raise_exception=True)
    try:
        membership = membership_in(request, wish.validated_data["companyId"])
    except NotAMember:
        return _error(403, "Invalid company")
    any_id = wish.validated_data["webrtcCallId"]
    try:
        control.server_hangup(membership=membership, any_id=any_id, client=get_client(), now=timezone.now())
    except control.UnknownCall:
        return _error(404, "Call not found")
    except control.NotAnswered:
        return _error(409, "You have not answered this call: decline it.")
    except control.UnableToHangUp as err:
        return _error(502, str(err))
    return Response({"success": True})


@extend_schema(
    operation_id="me",
    tags=["agents"],
    summary="Who I am, how I stand, and my call if I have one",
    responses={200: MeAnswer, 401: ErrorAnswer, 403: ErrorAnswer},
)
@api_view(["GET"])
def me(request: Request) -> Response:
    agent, now = my_agent(request), timezone.now()
    facts = facts_of(agent)
    answer = {
        "agentId": agent.pk,
        "companyId": company_of(request).public_id,
        "presence": presence_of(agent, now),
        "intent": agent.intent,
        "pending": pending(facts, now),
        "reach": reach(facts, now),
        "break": break_of(agent, now),
        "breaks": [{"code": one.code, "name": one.name} for one in breaks_of(agent.company_id)],
        "wrap_up": wrap_up_of(agent, now),
        "call": _my_call(request, agent),
    }
    return Response(answer, headers={"Cache-Control": "no-store"})


def _my_call(request: Request, agent: Agent) -> dict[str, Any] | None:
    """Return the call that rings for the agent or that he is on, for a page that was loaded in the middle of it."""
    if agent.busy_call_id is None:
        return None
    open_calls = for_company(request, Call).exclude(status=Call.Status.COMPLETED).select_related("agent__user", "queue")
    call = open_calls.prefetch_related("recordings").filter(pk=agent.busy_call_id).first()
    if call is None:
        return None
    stage = "active" if is_talking(facts_of(agent)) else "offered"
    return {**records.as_json(call), "caller_name": call.caller_name, "stage": stage}


def _expires_at(login_token: str, now: datetime) -> datetime:
    """Return when the token ends: what it says itself (it is a JWT), else 24 h from now. Its signature is Telnyx's."""
    try:
        claims = login_token.split(".")[1]
        expires_s = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
        return datetime.fromtimestamp(expires_s, tz=UTC)
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, OSError, binascii.Error):
        return now + TOKEN_LIFE


def _elsewhere() -> Response:
    return _error(409, "Another browser holds your phone.", phone="elsewhere")


def _telnyx_is_away(agent: Agent, err: TelnyxError) -> Response:
    logger.warning("No token for agent %s: %s", agent.pk, err)
    return _error(502, "Telnyx does not answer now. The phone will try again.")


def _error(status: int, text: str, **more: object) -> Response:
    return Response({"error": text, **more}, status=status)
