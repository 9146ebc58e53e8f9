"""What the player needs of a recording: the segments that are heard as one, and how loud each is."""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from agents.schemas import ErrorAnswer
from curbe.companies.access import membership_of
from recordings import waveforms
from recordings.access import audible, get_audible
from recordings.models import Recording, Waveform
from recordings.queries.playlists import Playlist, Segment, playlist_of

REFUSALS = {401: ErrorAnswer, 403: ErrorAnswer, 404: ErrorAnswer}


class PlayerGapShape(serializers.Serializer[Any]):
    at_s = serializers.FloatField(help_text="Where in this segment the sound jumps.")
    missing_s = serializers.FloatField(help_text="How long it was paused.")


class PlayerSegmentShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    audio = serializers.CharField(help_text="Address of the bytes.")
    download = serializers.CharField(allow_null=True, help_text="The same as a file; null: not for you.")
    waveform = serializers.CharField()
    at_s = serializers.IntegerField(help_text="Where it begins on the line of time of all segments.")
    duration_s = serializers.IntegerField()
    gaps = PlayerGapShape(many=True, help_text="What an agent kept out of it.")
    channels = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Left and right; null: everybody is on both."
    )


class PlayerAnswer(serializers.Serializer[Any]):
    """The segments of a call that are heard as one, in their order."""

    id = serializers.UUIDField()
    call_id = serializers.UUIDField(allow_null=True, help_text="null: it belongs to no call that we know.")
    title = serializers.CharField()
    link = serializers.CharField(
        allow_blank=True, help_text="Where the call is shown; with `?t=` seconds it is heard from there."
    )
    at_s = serializers.IntegerField(help_text="Where the recording that was asked for begins.")
    duration_s = serializers.IntegerField()
    pending = serializers.IntegerField(help_text="Segments that are on their way.")
    segments = PlayerSegmentShape(many=True)


class WaveformAnswer(serializers.Serializer[Any]):
    channels = serializers.IntegerField()
    per_s = serializers.IntegerField()
    peaks = serializers.CharField(
        help_text="Base64: a byte per moment and channel, 255 × the root of the peak. Empty: it cannot be drawn."
    )


@extend_schema(
    operation_id="recording_player",
    tags=["recordings"],
    summary="What is heard with a recording: the segments of its call",
    responses={200: PlayerAnswer, **REFUSALS},
)
@api_view(["GET"])
def player(request: Request, recording_id: UUID) -> Response:
    recording = get_audible(request, recording_id)
    playlist = playlist_of(recording, get_language() or "es", heard_by=audible(membership_of(request)))
    at_s = next((one.at_s for one in playlist.segments if one.recording.pk == recording.pk), None)
    if at_s is None:
        return Response({"error": "The recording is not there yet.", "state": recording.state}, status=404)
    may_download = membership_of(request).supervises
    return Response(_as_json(recording, playlist, at_s=at_s, may_download=may_download))


@extend_schema(
    operation_id="recording_waveform",
    tags=["recordings"],
    summary="How loud a recording is, moment by moment",
    description="202 while it is made: ask again after a second.",
    responses={200: WaveformAnswer, 202: None, **REFUSALS},
)
@api_view(["GET"])
def waveform(request: Request, recording_id: UUID) -> Response:
    recording = get_audible(request, recording_id)
    if recording.state != Recording.State.STORED:
        return Response({"error": "The recording is not there yet.", "state": recording.state}, status=404)
    made = Waveform.objects.filter(pk=recording.pk).first()
    if made is None:
        waveforms.queue(recording.pk)
        return Response({"state": "pending"}, status=202)
    peaks = b64encode(bytes(made.peaks)).decode()
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response({"channels": made.channels, "per_s": made.per_s, "peaks": peaks}, headers=headers)


def _as_json(recording: Recording, playlist: Playlist, *, at_s: int, may_download: bool) -> dict[str, Any]:
    call = playlist.call
    return {
        "id": recording.pk,
        "call_id": call.pk if call else None,
        "title": " · ".join(part for part in (recording.get_kind_display(), playlist.title) if part),
        "link": reverse("call", args=[call.pk]) if call else "",
        "at_s": at_s,
        "duration_s": playlist.duration_s,
        "pending": playlist.pending,
        "segments": [_segment_as_json(segment, may_download) for segment in playlist.segments],
    }


def _segment_as_json(segment: Segment, may_download: bool) -> dict[str, Any]:
    recording = segment.recording
    audio = reverse("recording-audio", args=[recording.pk])
    return {
        "id": recording.pk,
        "audio": audio,
        "download": f"{audio}?download=1" if may_download else None,
        "waveform": reverse("recording-waveform", args=[recording.pk]),
        "at_s": segment.at_s,
        "duration_s": recording.duration_s or 0,
        "gaps": [{"at_s": cut.at_s, "missing_s": cut.missing_s} for cut in segment.cuts],
        "channels": segment.channels,
    }
