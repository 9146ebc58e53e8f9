"""Addresses of recordings, below ``/api/recordings/``."""

from __future__ import annotations

from django.urls import path

from recordings import player_views
from recordings.views import RecordingAudio

urlpatterns = [
    path("<uuid:recording_id>/audio", RecordingAudio.as_view(), name="recording-audio"),
    path("<uuid:recording_id>/player", player_views.player, name="recording-player"),
    path("<uuid:recording_id>/waveform", player_views.waveform, name="recording-waveform"),
]
