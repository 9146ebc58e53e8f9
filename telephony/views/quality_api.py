"""What an agent's browser says of how his call sounds."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from agents.schemas import ErrorAnswer
from telephony.operations import quality as sounds
from telephony.views.doors import agent_in_the_company_of
from telephony.views.schemas import QualityWish


@extend_schema(
    operation_id="call_quality",
    tags=["phone"],
    summary="Tell how the call sounds: measurements, and the SDK's warnings",
    description="The worst of each measurement is kept with the agent's leg, and each warning once.",
    request=QualityWish,
    responses={
        204: None,
        400: ErrorAnswer,
        401: ErrorAnswer,
        403: ErrorAnswer,
        404: ErrorAnswer,
        409: OpenApiResponse(ErrorAnswer, "Telnyx has not told of the leg yet: report again later."),
        429: OpenApiResponse(ErrorAnswer, "So many reports are enough for one leg."),
    },
)
@api_view(["POST"])
def quality(request: Request, call_id: UUID) -> Response:
    wish = QualityWish(data=request.data)
    wish.is_valid(raise_exception=True)
    agent, said = agent_in_the_company_of(request, call_id), wish.validated_data
    report = sounds.Report(
        warnings=[(warning["code"], warning["at"]) for warning in said.get("warnings", ())],
        mos=said.get("mos"),
        jitter_ms=said.get("jitter_ms"),
        rtt_ms=said.get("rtt_ms"),
        loss_percent=said.get("loss_percent"),
    )
    try:
        sounds.report(agent=agent, call_id=call_id, said=report, now=timezone.now())
    except sounds.UnknownCall:
        return Response({"error": "Call not found"}, status=404)
    except sounds.NoLegYet:
        return Response({"error": "Telnyx has not told of your leg yet. Report again later."}, status=409)
    except sounds.TooMany:
        return Response({"error": "So many reports are enough for one call."}, status=429)
    return Response(status=204)
