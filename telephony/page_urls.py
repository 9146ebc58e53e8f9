"""The pages that people see."""

from __future__ import annotations

from django.urls import path

from telephony.views import hours_pages, pages

urlpatterns = [
    path("", pages.phone, name="phone"),
    path("today/", pages.todays_calls, name="todays-calls"),
    path("phone/incoming/<uuid:call_id>", pages.incoming, name="phone-incoming"),
    path("calls/", pages.calls, name="calls"),
    path("calls/<uuid:call_id>/", pages.call, name="call"),
    path("calls/<uuid:call_id>/row", pages.call_row, name="call-row"),
    path("hours/", hours_pages.hours, name="hours"),
    path("hours/new/", hours_pages.hours_new, name="hours_new"),
    path("hours/new/preview/", hours_pages.hours_new_preview, name="hours_new_preview"),
    path("hours/<int:pk>/", hours_pages.hours_edit, name="hours_edit"),
    path("hours/<int:pk>/preview/", hours_pages.hours_preview, name="hours_preview"),
    path("hours/<int:pk>/delete/", hours_pages.hours_delete, name="hours_delete"),
]
