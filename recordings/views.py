"""Audio, to those members of its company who may hear it; each time it is written down who did."""

from __future__ import annotations

import logging
import uuid
from typing import IO, Any

from django.core.files.storage import Storage
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from curbe.companies.access import follow, membership_of
from curbe.lib.http import json_error
from recordings import audit, storage
from recordings.access import get_audible
from recordings.models import Recording
from recordings.ranges import Part, Unsatisfiable, part_of
from recordings.streams import PIECE_BYTES, Stream, TooManyStreams, clipped, read

logger = logging.getLogger(__name__)


class AnyAccept(BaseContentNegotiation):
    """Players ask for ``audio/*``; there is one form of the file, and errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0] if parsers else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class RecordingAudio(APIView):
    """The audio of one recording, whole or in part."""

    content_negotiation_class = AnyAccept
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="recording_audio",
        summary="The audio of a recording",
        description=(
            "Whole, or one range of it. Of a long range the first MiB is sent: ask for the next one from there. "
            "`?download=1` names the file for keeping. 404 until it is stored."
        ),
        parameters=[
            OpenApiParameter("download", OpenApiTypes.BOOL, description="Send it as a file to keep."),
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="`bytes=0-1023`"),
        ],
        responses={
            (200, "audio/mpeg"): OpenApiTypes.BINARY,
            (200, "audio/wav"): OpenApiTypes.BINARY,
            (206, "audio/mpeg"): OpenApiTypes.BINARY,
            403: OpenApiResponse(
                description="The recording of another agent's call; or a download, for who may only hear it."
            ),
            404: OpenApiResponse(description="Not there, not yet stored, or another company's."),
            416: OpenApiResponse(description="The range lies outside the file."),
            503: OpenApiResponse(
                description="Too many whole files are being sent, or the storage is away: `Retry-After`."
            ),
        },
    )
    def get(self, request: Request, recording_id: uuid.UUID) -> HttpResponseBase:
        # <audio> and downloads send no header that says from which page they come.
        follow(request, Recording.objects.filter(pk=recording_id))
        recording = get_audible(request, recording_id)
        downloaded = _is_download(request)
        if downloaded and not membership_of(request).supervises:
            return json_error(403, _("You may hear this recording, and not keep it as a file."))
        if recording.state != Recording.State.STORED or not recording.audio.name:
            return json_error(404, "The recording is not there yet.", state=str(recording.state))
        try:
            answer = _opened(request, recording)
        except FileNotFoundError:
            logger.exception("The audio of recording %s is not in the storage", recording.pk)
            return json_error(404, "The recording's file is gone.")
        except Exception as err:
            logger.warning("The audio of recording %s cannot be read: %s", recording.pk, storage.said(err))
            return _busy(_("The storage of the recordings does not answer. Try again in a few seconds."))
        # The browser's own copy is heard too (304).
        if request.method != "HEAD" and answer.status_code in {200, 206, 304}:
            who = audit.who_asks(request._request)
            audit.note_heard(recording, who=who, now=timezone.now(), downloaded=downloaded)
        return answer

    def head(self, request: Request, recording_id: uuid.UUID) -> HttpResponseBase:
        return self.get(request, recording_id)


def _is_download(request: Request) -> bool:
    return request.query_params.get("download") in {"1", "true"}


def _opened(request: Request, recording: Recording) -> HttpResponseBase:
    """Return the answer. Opened before anything is promised: a file that is gone must be a 404, not a broken stream."""
    place: Storage = recording.audio.storage
    name = str(recording.audio.name)
    file = place.open(name, "rb")
    size_bytes = place.size(name) if recording.size_bytes is None else recording.size_bytes
    return _answer(request, recording, file, size_bytes)


def _answer(request: Request, recording: Recording, file: IO[bytes], size_bytes: int) -> HttpResponseBase:
    etag = f'"{recording.sha256 or recording.pk}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": etag,
        # A recording never changes, but it is deleted, and who may hear it changes: kept by the browser, and asked for
        # each time. Nobody between keeps it.
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": _disposition(request, recording),
    }
    if etag in [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]:
        file.close()
        return HttpResponse(status=304, headers=headers)
    wanted = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        wanted = ""
    try:
        part = part_of(wanted, size_bytes)
    except Unsatisfiable:
        file.close()
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size_bytes}"})
    # Players always ask for a part and come back for more; whoever does not is to have the whole file.
    sent = Part(0, size_bytes - 1) if part is None else clipped(part)
    headers["Content-Length"] = str(sent.length)
    if part is not None:
        headers["Content-Range"] = f"bytes {sent.first}-{sent.last}/{size_bytes}"
    status = 200 if part is None else 206
    if request.method == "HEAD" or sent.length == 0:
        file.close()
        return HttpResponse(status=status, headers=headers, content_type=recording.content_type)
    if sent.length <= PIECE_BYTES:
        with file:
            content = read(file, sent)
        return HttpResponse(content, status=status, headers=headers, content_type=recording.content_type)
    try:
        stream = Stream(file, sent)
    except TooManyStreams:
        file.close()
        return _busy("Too many files are being sent. Try again in a few seconds, or ask for parts (Range).")
    return StreamingHttpResponse(stream, status=status, headers=headers, content_type=recording.content_type)


def _busy(text: str) -> HttpResponse:
    response = json_error(503, text)
    response.headers["Retry-After"] = "5"
    return response


def _disposition(request: Request, recording: Recording) -> str:
    extension = "wav" if recording.content_type == "audio/wav" else "mp3"
    name = f"{recording.created_at:%Y-%m-%d_%H-%M}_{recording.pk}.{extension}"
    kind = "attachment" if _is_download(request) else "inline"
    return f'{kind}; filename="{name}"'
