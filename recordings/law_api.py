"""What programs and pages ask of a recording besides its sound: to go, to be held, who heard it, to be paused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from agents.models import Agent
from agents.schemas import ErrorAnswer
from curbe.companies.access import get_for_company, membership_of
from recordings import audit, deletions, pausing
from recordings.access import get_audible
from recordings.models import Recording, RecordingAudit, RecordingGap
from telephony.telnyx.client import TelnyxClient, get_client
from telephony.views.doors import agent_in_the_company_of

REFUSALS: Final = {401: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer}
MOST_LINES: Final = 500


class HoldWish(serializers.Serializer[Any]):
    on = serializers.BooleanField()
    reason = serializers.CharField(max_length=200, trim_whitespace=True)


class LineShape(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=RecordingAudit.Action.choices)
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by_name", allow_blank=True, help_text="Empty: the clock, by the retention.")
    ip = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class AuditAnswer(serializers.Serializer[Any]):
    results = LineShape(many=True)


class GapAnswer(serializers.Serializer[Any]):
    paused = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)


@extend_schema(
    operation_id="delete_recording",
    tags=["recordings"],
    summary="Delete a recording for good, here and at Telnyx",
    responses={204: None, **REFUSALS, 409: OpenApiResponse(ErrorAnswer, "It is under a legal hold.")},
)
@api_view(["DELETE"])
def recording(request: Request, recording_id: UUID) -> Response:
    row = get_for_company(request, Recording, pk=recording_id)
    _administers(request)
    try:
        deletions.delete(row.pk, who=audit.who_asks(request._request), now=timezone.now(), reason=audit.ASKED_FOR)
    except deletions.OnHold:
        return Response({"error": _("It is under a legal hold, and is not deleted."), "code": "held"}, status=409)
    return Response(status=204)


@extend_schema(
    operation_id="hold_recording",
    tags=["recordings"],
    summary="Put a recording under a legal hold, or end it",
    request=HoldWish,
    responses={
        204: None,
        400: ErrorAnswer,
        **REFUSALS,
        409: OpenApiResponse(ErrorAnswer, "It was deleted: there is nothing to hold."),
    },
)
@api_view(["POST"])
def hold(request: Request, recording_id: UUID) -> Response:
    row = get_for_company(request, Recording, pk=recording_id)
    _administers(request)
    wish = HoldWish(data=request.data)
    wish.is_valid(raise_exception=True)
    who = audit.who_asks(request._request)
    told = wish.validated_data
    try:
        deletions.hold(row.pk, on=told["on"], who=who, now=timezone.now(), reason=told["reason"])
    except deletions.Gone:
        return Response({"error": _("It was deleted: there is nothing to hold."), "code": "deleted"}, status=409)
    return Response(status=204)


@extend_schema(
    operation_id="recording_audit",
    tags=["recordings"],
    summary="Who did what with a recording, newest first",
    responses={200: AuditAnswer, **REFUSALS},
)
@api_view(["GET"])
def audit_lines(request: Request, recording_id: UUID) -> Response:
    row = get_for_company(request, Recording, pk=recording_id)
    if not membership_of(request).supervises:
        raise PermissionDenied(_("Only who supervises may see who listened."))
    # Who listened is as little another team's as the sound.
    row = get_audible(request, row.pk)
    lines = RecordingAudit.objects.filter(company=row.company_id, recording_id=row.pk).order_by("-at", "-id")
    return Response(AuditAnswer({"results": list(lines[:MOST_LINES])}).data, headers={"Cache-Control": "no-store"})


def _administers(request: Request) -> None:
    if not membership_of(request).administers:
        raise PermissionDenied(_("Only who administers may do this."))


# --- While the call goes on ---------------------------------------------------------------------------------------

Switch = Callable[..., RecordingGap]
OF_A_CALL: Final = {
    200: GapAnswer,
    **REFUSALS,
    409: OpenApiResponse(ErrorAnswer, "Not now; `code`: over, nothing_recorded, not_paused."),
    502: OpenApiResponse(ErrorAnswer, "Telnyx refused, or is away: the recording is as it was."),
}


@extend_schema(
    operation_id="pause_recording",
    tags=["talk"],
    summary="Keep what is said from now on out of the recording",
    request=None,
    responses=OF_A_CALL,
)
@api_view(["POST"])
def pause(request: Request, call_id: UUID) -> Response:
    return _switched(request, call_id, pausing.pause)


@extend_schema(
    operation_id="resume_recording",
    tags=["talk"],
    summary="Record again",
    request=None,
    responses=OF_A_CALL,
)
@api_view(["POST"])
def resume(request: Request, call_id: UUID) -> Response:
    return _switched(request, call_id, pausing.resume)


def _switched(request: Request, call_id: UUID, switch: Switch) -> Response:
    agent: Agent = agent_in_the_company_of(request, call_id)
    client: TelnyxClient = get_client()
    try:
        gap = switch(agent=agent, call_id=call_id, client=client, now=timezone.now())
    except pausing.UnknownCall:
        return Response({"error": "Call not found"}, status=404)
    except pausing.NotYours as err:
        raise PermissionDenied(_("This is somebody else's call.")) from err
    except pausing.NotNow as err:
        return Response({"error": str(_WORDS[err.code]()), "code": err.code}, status=409)
    except pausing.UnableToSwitch:
        text = _("Telnyx did not do it: the recording is as it was. Try again.")
        return Response({"error": text, "code": "telnyx"}, status=502)
    return Response({"paused": gap.ended_at is None, "since": gap.began_at if gap.ended_at is None else None})


_WORDS: Final[dict[str, Callable[[], str]]] = {
    "over": lambda: _("The call is over."),
    # It may be that Telnyx does not show it: whoever speaks of a card is to take it that he is recorded.
    "nothing_recorded": lambda: _("No running recording was found to pause. What is said may be recorded."),
    "not_paused": lambda: _("The recording is not paused."),
}
