"""The pages that people see."""

from __future__ import annotations

from django.urls import path

from telephony.views import pages

urlpatterns = [
    path("", pages.phone, name="phone"),
    path("today/", pages.todays_calls, name="todays-calls"),
    path("phone/incoming/<uuid:call_id>", pages.incoming, name="phone-incoming"),
    path("calls/", pages.calls, name="calls"),
    path("calls/<uuid:call_id>/", pages.call, name="call"),
    path("calls/<uuid:call_id>/row", pages.call_row, name="call-row"),
]
