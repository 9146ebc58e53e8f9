"""What agents say when a call is over, and what a supervisor does for them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from agents.freeing import HeldAnew, NotWrappingUp, WrapUpIsLocked
from agents.models import Agent
from agents.operations import UnknownAgent
from agents.schemas import ErrorAnswer
from agents.standing import By
from agents.views import NOT_AN_AGENT, my_agent
from curbe.companies.access import get_for_company, membership_of
from telephony.operations import wrap_ups
from telephony.operations.releasing import HasLiveLeg, release_agent
from telephony.views.schemas import PresenceAnswer, ReleaseWish, WrapUpWish

REFUSALS = {400: ErrorAnswer, 401: ErrorAnswer, 403: ErrorAnswer}


@extend_schema(
    operation_id="wrap_up",
    tags=["agents"],
    summary="Say how the last call went, and go on with its work",
    request=WrapUpWish,
    responses={204: None, **REFUSALS, 409: OpenApiResponse(ErrorAnswer, "There is no wrap-up, or it is over.")},
)
@api_view(["POST"])
def wrap_up(request: Request) -> Response:
    agent, said = my_agent(request), _said(request)
    try:
        wrap_ups.save(agent=agent, now=timezone.now(), **said)
    except wrap_ups.UnknownDisposition:
        return _wrong_disposition("This disposition is not one that can be chosen.")
    except NotWrappingUp:
        return _over()
    return Response(status=204)


@extend_schema(
    operation_id="end_wrap_up",
    tags=["agents"],
    summary="Be done with the work after a call",
    description="What was chosen meanwhile (a break, offline) holds from then on.",
    request=WrapUpWish,
    responses={
        200: PresenceAnswer,
        **REFUSALS,
        409: OpenApiResponse(ErrorAnswer, "There is no wrap-up, it is over, or it ends by the clock only."),
    },
)
@api_view(["POST"])
def end_wrap_up(request: Request) -> Response:
    agent, said = my_agent(request), _said(request)
    by = By(membership_of(request).user_id)
    try:
        presence = wrap_ups.finish(agent=agent, by=by, now=timezone.now(), **said)
    except wrap_ups.UnknownDisposition:
        return _wrong_disposition("This disposition is not one that can be chosen.")
    except wrap_ups.DispositionMissing:
        return _wrong_disposition("Say how the call went first.")
    except WrapUpIsLocked:
        return _error(409, "This wrap-up ends by the clock. A supervisor can end it.", code="locked")
    except NotWrappingUp:
        return _over()
    except UnknownAgent as err:
        raise PermissionDenied(NOT_AN_AGENT) from err
    return Response({"presence": presence})


@extend_schema(
    operation_id="release_agent",
    tags=["agents"],
    summary="Release an agent from a wrap-up, a break, not responding, or a call that is over",
    description="For supervisors and above. The reason is kept with who gave it.",
    request=ReleaseWish,
    responses={
        200: PresenceAnswer,
        **REFUSALS,
        404: ErrorAnswer,
        409: OpenApiResponse(ErrorAnswer, "The agent's phone rings, or the agent talks."),
    },
)
@api_view(["POST"])
def release(request: Request, agent_id: int) -> Response:
    membership = membership_of(request)
    if not membership.supervises:
        raise PermissionDenied("Only who supervises can release an agent.")
    agent = get_for_company(request, Agent, pk=agent_id)
    wish = ReleaseWish(data=request.data)
    wish.is_valid(raise_exception=True)
    by = By(membership.user_id, wish.validated_data["reason"])
    try:
        presence = release_agent(agent=agent, by=by, now=timezone.now())
    except HasLiveLeg:
        return _error(409, "The agent's phone rings, or the agent talks: end the call instead.", code="live")
    except HeldAnew:
        return _error(409, "Another call has just come to the agent: look again.", code="changed")
    except UnknownAgent:
        return _error(409, "This agent answers no calls any more.", code="inactive")
    return Response({"presence": presence})


def _said(request: Request) -> dict[str, Any]:
    wish = WrapUpWish(data=request.data)
    wish.is_valid(raise_exception=True)
    return {name: wish.validated_data.get(name) for name in ("disposition", "note")}


def _wrong_disposition(text: str) -> Response:
    return _error(400, f"disposition: {text}", field="disposition")


def _over() -> Response:
    return _error(409, "There is no wrap-up, or it is over.", code="over")


def _error(status: int, text: str, **more: object) -> Response:
    return Response({"error": text, **more}, status=status)
