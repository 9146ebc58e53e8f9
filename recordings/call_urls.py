"""Addresses of the recording of a call that goes on, below ``/api/calls/``."""

from __future__ import annotations

from django.urls import path

from recordings import law_api

urlpatterns = [
    path("<uuid:call_id>/recording/pause", law_api.pause, name="recording-pause"),
    path("<uuid:call_id>/recording/resume", law_api.resume, name="recording-resume"),
]
