"""Calls for programs."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from agents.schemas import ErrorAnswer
from curbe.companies.access import for_company, get_for_company
from telephony.models import Call
from telephony.queries import records
from telephony.queries import story as story_of
from telephony.queries import trace as trace_of
from telephony.queries.bounds import BadFilter
from telephony.views.schemas import CALL_FILTERS, CallsAnswer, CallStoryAnswer, StoryShape, TraceAnswer

REFUSALS = {401: ErrorAnswer, 403: ErrorAnswer}


@extend_schema(
    operation_id="calls",
    tags=["calls"],
    summary="The company's calls, newest first",
    parameters=CALL_FILTERS,
    responses={200: CallsAnswer, 400: ErrorAnswer, **REFUSALS},
)
@api_view(["GET"])
def calls(request: Request) -> Response:
    try:
        page = records.page(for_company(request, Call), request.query_params.dict())
    except BadFilter as err:
        return Response({"error": str(err), "field": err.field}, status=400)
    return Response({"results": [records.as_json(call) for call in page.calls], "next": page.next})


@extend_schema(
    operation_id="call",
    tags=["calls"],
    summary="One call, with its legs and everything that was heard of it",
    responses={200: StoryShape, **REFUSALS, 404: ErrorAnswer},
)
@api_view(["GET"])
def call(request: Request, call_id: UUID) -> Response:
    rows = records.with_story(for_company(request, Call))
    return Response(records.story_as_json(get_for_company(request, rows, pk=call_id)))


@extend_schema(
    operation_id="call_story",
    tags=["calls"],
    summary="What happened to a call: who did what and why, in order and in words",
    responses={200: CallStoryAnswer, **REFUSALS, 404: ErrorAnswer},
)
@api_view(["GET"])
def story(request: Request, call_id: UUID) -> Response:
    rows = story_of.with_story(for_company(request, Call))
    return Response(story_of.as_json(get_for_company(request, rows, pk=call_id), now=timezone.now()))


@extend_schema(
    operation_id="call_trace",
    tags=["calls"],
    summary="Why a call was routed so",
    responses={200: TraceAnswer, **REFUSALS, 404: ErrorAnswer},
)
@api_view(["GET"])
def trace(request: Request, call_id: UUID) -> Response:
    return Response(trace_of.as_json(get_for_company(request, Call, pk=call_id)))
