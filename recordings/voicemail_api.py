"""Voicemail messages for programs: read, heard, assigned, deleted; each sees what its member sees."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from agents.schemas import ErrorAnswer
from curbe.companies.access import get_for_company, membership_of
from curbe.companies.models import User
from recordings import messages as operations
from recordings.audit import who_asks
from recordings.models import Message, Transcript
from recordings.queries import messages as queries
from recordings.queries.messages import Show
from telephony.core.plan import DestinationKind
from telephony.models import Call
from telephony.queries.plans import owner_of
from telephony.queries.spoken import LONGEST_QUESTION

REFUSALS: Final = {401: ErrorAnswer, 403: ErrorAnswer}
WHOSE: Final = {DestinationKind.QUEUE: "queue", DestinationKind.USER: "user"}


class Filters(serializers.Serializer[Any]):
    box = serializers.IntegerField(required=False, min_value=1)
    show = serializers.ChoiceField(choices=[show.value for show in Show if show], required=False)
    q = serializers.CharField(required=False, max_length=LONGEST_QUESTION)
    older = serializers.UUIDField(required=False)


class BoxShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    of = serializers.ChoiceField(choices=["company", "queue", "user"])


class SaidShape(serializers.Serializer[Any]):
    from_s = serializers.FloatField()
    until_s = serializers.FloatField()
    party = serializers.CharField(allow_blank=True, help_text="customer, agent, or empty.")
    text = serializers.CharField()


class TranscriptShape(serializers.Serializer[Any]):
    party = serializers.CharField(allow_blank=True, help_text="customer, agent, or empty.")
    text = serializers.CharField(allow_blank=True)
    segments = SaidShape(many=True)


class CallBackShape(serializers.Serializer[Any]):
    call_id = serializers.UUIDField()
    by = serializers.CharField(allow_null=True, help_text="User name.")
    at = serializers.DateTimeField()
    outcome = serializers.CharField(allow_blank=True, help_text="answered, no_answer, busy, …; empty while it goes on.")


class MessageShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    call_id = serializers.UUIDField()
    recording_id = serializers.UUIDField(help_text="Its audio: `/api/recordings/<id>/audio`.")
    box = BoxShape(allow_null=True, help_text="The company's, once its own is gone with its queue or user.")
    state = serializers.CharField(help_text="arriving, new, heard or dropped.")
    dropped_why = serializers.CharField(allow_blank=True, help_text="short, silent, or empty.")
    # `from` is no name for a Python attribute.
    number = serializers.CharField(help_text="Who left it.")
    name = serializers.CharField(allow_blank=True)
    duration_s = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    heard_at = serializers.DateTimeField(allow_null=True)
    heard_by = serializers.CharField(allow_null=True, help_text="User name.")
    assigned_to = serializers.CharField(allow_null=True, help_text="User name.")
    called_back = CallBackShape(
        allow_null=True, help_text="The first call to the number since that was answered, else the newest one."
    )
    transcripts = TranscriptShape(many=True)


class MessagesAnswer(serializers.Serializer[Any]):
    results = MessageShape(many=True)
    next = serializers.UUIDField(allow_null=True, help_text="`older` of the next page; null on the last.")


class MessageWish(serializers.Serializer[Any]):
    heard = serializers.BooleanField(required=False, help_text="false makes it new again.")
    assigned_to = serializers.CharField(
        required=False, allow_null=True, max_length=150, help_text="User name of a member; null: nobody in particular."
    )


class Messages(APIView):
    """The messages that who asks may hear."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="voicemail_messages",
        tags=["voicemail"],
        summary="Messages, newest first",
        parameters=[
            OpenApiParameter("box", int, description="The id of one box."),
            OpenApiParameter("show", str, enum=[show.value for show in Show if show]),
            OpenApiParameter("q", str, description="Words that were said."),
            OpenApiParameter("older", str, description="`next` of the page before."),
        ],
        responses={200: MessagesAnswer, 400: ErrorAnswer, **REFUSALS},
    )
    def get(self, request: Request) -> Response:
        filters = Filters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        asked = filters.validated_data
        page = queries.page(
            membership_of(request),
            box_id=asked.get("box"),
            show=Show(asked.get("show", "")),
            words=asked.get("q", ""),
            older_than=asked.get("older"),
        )
        return Response({"results": [as_json(one) for one in page.messages], "next": page.older_than})


class OneMessage(APIView):
    http_method_names = ["get", "patch", "delete", "head", "options"]

    @extend_schema(
        operation_id="voicemail_message",
        tags=["voicemail"],
        summary="One message",
        responses={200: MessageShape, **REFUSALS, 404: ErrorAnswer},
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        return Response(as_json(_message(request, message_id)))

    @extend_schema(
        operation_id="change_voicemail_message",
        tags=["voicemail"],
        summary="Mark a message as heard or new, or assign it",
        request=MessageWish,
        responses={200: MessageShape, 400: ErrorAnswer, **REFUSALS, 404: ErrorAnswer},
    )
    def patch(self, request: Request, message_id: UUID) -> Response:
        message = _message(request, message_id)
        wish = MessageWish(data=request.data)
        wish.is_valid(raise_exception=True)
        wanted = wish.validated_data
        person = _assignee(wanted.get("assigned_to"), message)
        if "heard" in wanted:
            operations.mark(message, heard=wanted["heard"], by=_person(request), now=timezone.now())
        if "assigned_to" in wanted:
            operations.assign(message, to=person)
        [message] = queries.with_calls_back(queries.with_all_a_row_shows(Message.objects.filter(pk=message_id)))
        return Response(as_json(message))

    @extend_schema(
        operation_id="delete_voicemail_message",
        tags=["voicemail"],
        summary="Delete a message, its audio and its text",
        description="By whose own box it lies in, and by who supervises: it is gone for everybody, and at Telnyx too.",
        responses={204: None, **REFUSALS, 404: ErrorAnswer, 409: ErrorAnswer},
    )
    def delete(self, request: Request, message_id: UUID) -> Response:
        message = _message(request, message_id)
        if not queries.may_delete(membership_of(request), message):
            raise PermissionDenied(str(operations.WHO_DELETES))
        try:
            operations.delete(message, who=who_asks(request._request), now=timezone.now())
        except operations.UnableToDelete as err:
            return Response({"error": str(err)}, status=409)
        return Response(status=204)


def as_json(message: Message) -> dict[str, Any]:
    """Return the message as the API tells it; its texts were read with it."""
    box = message.box
    texts = [row for row in message.recording.transcripts.all() if row.state == Transcript.State.SAVED]
    return {
        "id": message.pk,
        "call_id": message.call_id,
        "recording_id": message.recording_id,
        "box": {"id": box.pk, "name": str(box), "of": WHOSE.get(owner_of(box).kind, "company")} if box else None,
        "state": message.state,
        "dropped_why": message.dropped_why,
        "number": message.call.customer_number,
        "name": message.call.caller_name,
        "duration_s": message.recording.duration_s,
        "created_at": message.created_at,
        "heard_at": message.heard_at,
        "heard_by": message.heard_by.get_username() if message.heard_by else None,
        "assigned_to": message.assigned_to.get_username() if message.assigned_to else None,
        "called_back": _call_back(message.called_back),
        "transcripts": [
            {
                "party": row.party,
                "text": row.text,
                "segments": [
                    dict(zip(("from_s", "until_s", "party", "text"), one, strict=True)) for one in row.segments
                ],
            }
            for row in texts
        ],
    }


def _call_back(call: Call | None) -> dict[str, Any] | None:
    if call is None:
        return None
    by = call.agent.user.get_username() if call.agent is not None else None
    return {"call_id": call.pk, "by": by, "at": call.started_at, "outcome": call.outcome}


def _message(request: Request, message_id: UUID) -> Message:
    rows = queries.with_all_a_row_shows(queries.messages_of(membership_of(request)))
    [message] = queries.with_calls_back([get_for_company(request, rows, pk=message_id)])
    return message


def _assignee(username: str | None, message: Message) -> User | None:
    if username is None:
        return None
    members = User.objects.filter(memberships__company=message.company_id, is_active=True)
    person = members.filter(username=username).first()
    if person is None:
        raise serializers.ValidationError({"assigned_to": "Nobody of the company has this user name."})
    return person


def _person(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user
