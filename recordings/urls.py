"""Addresses of recordings, below ``/api/recordings/``."""

from __future__ import annotations

from django.urls import path

from recordings.views import RecordingAudio

urlpatterns = [
    path("<uuid:recording_id>/audio", RecordingAudio.as_view(), name="recording-audio"),
]
