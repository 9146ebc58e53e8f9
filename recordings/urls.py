"""Addresses of recordings, below ``/api/recordings/``."""

from __future__ import annotations

from django.urls import path

from recordings import law_api, player_views
from recordings.views import RecordingAudio

urlpatterns = [
    path("<uuid:recording_id>", law_api.recording, name="recording"),
    path("<uuid:recording_id>/hold", law_api.hold, name="recording-hold"),
    path("<uuid:recording_id>/audit", law_api.audit_lines, name="recording-audit"),
    path("<uuid:recording_id>/audio", RecordingAudio.as_view(), name="recording-audio"),
    path("<uuid:recording_id>/player", player_views.player, name="recording-player"),
    path("<uuid:recording_id>/waveform", player_views.waveform, name="recording-waveform"),
]
