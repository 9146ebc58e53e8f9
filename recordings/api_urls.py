"""Addresses of voicemail for programs, below ``/api/voicemail/``."""

from __future__ import annotations

from django.urls import path

from recordings.voicemail_api import Messages, OneMessage

urlpatterns = [
    path("messages", Messages.as_view(), name="api-messages"),
    path("messages/<uuid:message_id>", OneMessage.as_view(), name="api-message"),
]
