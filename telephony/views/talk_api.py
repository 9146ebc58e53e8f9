"""What an agent does with the call that he is on, and how it stands; and the calls that he places."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import get_language
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from agents.models import Agent
from agents.queries import agent_of
from agents.schemas import ErrorAnswer
from agents.views import my_agent
from curbe.companies.access import company_of, for_company, get_for_company, membership_of
from telephony.core import talk_words
from telephony.core.call_state import Wish
from telephony.models import Call
from telephony.operations import outbound_calls, talking
from telephony.operations.effects import Target
from telephony.queries import talks as talk_queries
from telephony.telnyx.client import get_client
from telephony.views.doors import agent_in_the_company_of
from telephony.views.schemas import (
    CallAnnounced,
    CallerIdsAnswer,
    CallWish,
    DigitsWish,
    ReasonWish,
    SwitchWish,
    TalkAnswer,
    TargetWish,
    TransferTargetsAnswer,
)

REFUSALS: Final = {400: ErrorAnswer, 401: ErrorAnswer, 403: ErrorAnswer}
OF_A_CALL: Final = {
    202: TalkAnswer,
    **REFUSALS,
    404: ErrorAnswer,
    409: OpenApiResponse(ErrorAnswer, "It cannot be done as things stand; `code` says why."),
}
#: Codes of refused calls out that are not the caller's number's or the called number's fault.
_OF_THE_MOMENT: Final = frozenset({"busy", "wrap_up", "no_device"})
_OF_THE_DESTINATION: Final = frozenset({"country", "costly", "itself"})


# --- Calls out ----------------------------------------------------------------------------------------------------


@extend_schema(
    operation_id="announce_call",
    tags=["phone"],
    summary="Say that this agent is about to call somebody",
    request=CallWish,
    responses={
        200: CallAnnounced,
        **REFUSALS,
        409: OpenApiResponse(ErrorAnswer, "The agent cannot call now."),
        422: OpenApiResponse(ErrorAnswer, "That destination is not allowed."),
    },
)
@api_view(["POST"])
def announce(request: Request) -> Response:
    agent = my_agent(request)
    wish = CallWish(data=request.data)
    wish.is_valid(raise_exception=True)
    try:
        intent = outbound_calls.announce(
            agent=agent,
            company=company_of(request),
            to=wish.validated_data["to"],
            from_=wish.validated_data.get("from", ""),
            now=timezone.now(),
        )
    except outbound_calls.UnableToCall as err:
        status = 409 if err.code in _OF_THE_MOMENT else 422 if err.code in _OF_THE_DESTINATION else 400
        return _refused(status, err.code, field=err.field)
    # The browser dials what was checked, not what was typed.
    return Response({"callId": str(intent.pk), "to": intent.to_e164, "from": intent.number.e164})


@extend_schema(
    operation_id="caller_ids",
    tags=["phone"],
    summary="The numbers that this agent may show",
    responses={200: CallerIdsAnswer, 401: ErrorAnswer, 403: ErrorAnswer},
)
@api_view(["GET"])
def caller_ids(request: Request) -> Response:
    rows = outbound_calls.caller_ids(my_agent(request))
    return Response(
        {"results": [{"e164": row.e164, "label": row.label, "default": is_default} for row, is_default in rows]}
    )


# --- The call that he is on ---------------------------------------------------------------------------------------


@extend_schema(
    operation_id="talk",
    tags=["talk"],
    summary="How a conversation stands, and what can be done with it",
    responses={200: TalkAnswer, 401: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer},
)
@api_view(["GET"])
def talk(request: Request, call_id: UUID) -> Response:
    call = get_for_company(request, for_company(request, Call), pk=call_id)
    agent = agent_of(membership_of(request))
    answer = talk_queries.talk_as_json(call, get_language() or "en", agent_id=agent.pk if agent else None)
    return Response(answer, headers={"Cache-Control": "no-store"})


def _wish_view(name: str, summary: str, body: type[Serializer[Any]] | None, read: Any) -> Any:
    """Return the address of one wish. ``read`` makes of the body what is wished, and of whom."""

    @extend_schema(operation_id=name, tags=["talk"], summary=summary, request=body, responses=OF_A_CALL)
    @api_view(["POST"])
    def view(request: Request, call_id: UUID) -> Response:
        agent = agent_in_the_company_of(request, call_id)
        told: dict[str, Any] = {}
        if body is not None:
            asked = body(data=request.data)
            asked.is_valid(raise_exception=True)
            told = asked.validated_data
        wanted, target = read(told)
        try:
            talking.do(wanted, agent=agent, call_id=call_id, client=get_client(), now=timezone.now(), target=target)
        except talking.UnknownCall:
            return Response({"error": "Call not found"}, status=404)
        except talking.NotNow as err:
            return _refused(409, err.code)
        return _standing(call_id, agent)

    return view


def _switch(on: Wish, off: Wish) -> Any:
    return lambda told: (on if told["on"] else off, None)


def _to(wanted: Wish) -> Any:
    def read(told: dict[str, Any]) -> tuple[Wish, Target]:
        to = told["to"]
        return wanted, Target(agent_id=to.get("agent"), queue_id=to.get("queue"), e164=to.get("number", ""))

    return read


def _only(wanted: Wish) -> Any:
    return lambda told: (wanted, None)


hold = _wish_view(
    "hold", "Put the customer on hold with music, or take him back", SwitchWish, _switch(Wish.HOLD, Wish.UNHOLD)
)
mute = _wish_view("mute", "Have the server mute this agent, or not", SwitchWish, _switch(Wish.MUTE, Wish.UNMUTE))
transfer = _wish_view("transfer", "Give the call to somebody else (blind)", TargetWish, _to(Wish.TRANSFER))
consult = _wish_view("consult", "Hold the customer and ring somebody", TargetWish, _to(Wish.CONSULT))
complete = _wish_view("consult_complete", "Leave the customer with whoever was consulted", None, _only(Wish.COMPLETE))
cancel = _wish_view("consult_cancel", "Give the consult up, and go back to the customer", None, _only(Wish.CANCEL))
merge = _wish_view("consult_merge", "Bring all three together", None, _only(Wish.MERGE))
swap = _wish_view("consult_swap", "Change between the customer and whoever is consulted", None, _only(Wish.SWAP))
leave = _wish_view("leave", "Leave the call; whoever is still in it goes on", None, _only(Wish.LEAVE))


@extend_schema(
    operation_id="digits",
    tags=["talk"],
    summary="Press keys for the customer's side",
    request=DigitsWish,
    responses=OF_A_CALL,
)
@api_view(["POST"])
def digits(request: Request, call_id: UUID) -> Response:
    agent = agent_in_the_company_of(request, call_id)
    wish = DigitsWish(data=request.data)
    wish.is_valid(raise_exception=True)
    keys = wish.validated_data["digits"]
    try:
        talking.send_digits(agent=agent, call_id=call_id, digits=keys, client=get_client(), now=timezone.now())
    except talking.UnknownCall:
        return Response({"error": "Call not found"}, status=404)
    except talking.NotNow as err:
        return _refused(409, err.code)
    return _standing(call_id, agent)


@extend_schema(
    operation_id="end_call",
    tags=["talk"],
    summary="End a call for everybody, and say why",
    request=ReasonWish,
    responses=OF_A_CALL,
)
@api_view(["POST"])
def end(request: Request, call_id: UUID) -> Response:
    membership = membership_of(request)
    if not membership.supervises:
        raise PermissionDenied("Only who supervises may end the calls of others.")
    wish = ReasonWish(data=request.data)
    wish.is_valid(raise_exception=True)
    try:
        talking.end_for_everybody(
            membership=membership,
            call_id=call_id,
            reason=wish.validated_data["reason"],
            client=get_client(),
            now=timezone.now(),
        )
    except talking.UnknownCall:
        return Response({"error": "Call not found"}, status=404)
    except talking.NotNow as err:
        return _refused(409, err.code)
    return _standing(call_id, None)


@extend_schema(
    operation_id="transfer_targets",
    tags=["talk"],
    summary="To whom a call can be given now",
    parameters=[OpenApiParameter("q", str, description="A part of the name.")],
    responses={200: TransferTargetsAnswer, 401: ErrorAnswer, 403: ErrorAnswer},
)
@api_view(["GET"])
def transfer_targets(request: Request) -> Response:
    words = request.query_params.get("q", "").strip()[:80].replace("\x00", "")
    return Response({"results": talk_queries.transfer_targets(my_agent(request), words=words, now=timezone.now())})


def _standing(call_id: UUID, agent: Agent | None) -> Response:
    call = Call.objects.get(pk=call_id)
    answer = talk_queries.talk_as_json(call, get_language() or "en", agent_id=agent.pk if agent else None)
    return Response(answer, status=202)


def _refused(status: int, code: str, *, field: str = "") -> Response:
    body = {"error": talk_words.text(code, get_language() or "en"), "code": code}
    return Response({**body, **({"field": field} if field else {})}, status=status)
