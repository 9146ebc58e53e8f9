"""What Telnyx calls (contract, section 3): no trailing slash, never a redirect."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from telephony.webhooks import instructions, notifications


class CompanyId(StringConverter):
    regex = "[0-9a-f]{8}"


register_converter(CompanyId, "company")

urlpatterns = [
    path("voice/<company:company>", instructions.voice, name="webhook-voice"),
    path("inbound", instructions.voice, name="webhook-inbound"),
    path("outbound/<company:company>", instructions.outbound, name="webhook-outbound"),
    path("outbound", instructions.outbound, name="webhook-outbound-any"),
    path("dial-complete/<company:company>", instructions.dial_complete, name="webhook-dial-complete"),
    path("step/<company:company>", instructions.step, name="webhook-step"),
    path("voicemail/<company:company>", instructions.voicemail, name="webhook-voicemail"),
    path("status/<company:company>", notifications.status, name="webhook-status"),
    path("status", notifications.status, name="webhook-status-any"),
    path("join/<company:company>", instructions.join, name="webhook-join"),
    path("conference/<company:company>", notifications.conference, name="webhook-conference"),
    path("recording/<company:company>", notifications.recording, name="webhook-recording"),
    path("recording", notifications.recording, name="webhook-recording-any"),
    path("transcription/<company:company>", notifications.transcription, name="webhook-transcription"),
    path("events", notifications.events, name="webhook-events"),
]
