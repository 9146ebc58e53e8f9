"""The pages of recordings."""

from __future__ import annotations

from django.urls import path

from recordings import care_pages, pages

urlpatterns = [
    path("recordings/settings/", pages.settings_page, name="recording-settings"),
    path("recordings/settings/hold/", pages.company_hold, name="recording-company-hold"),
    path("recordings/settings/announcements/new/", pages.new_announcement, name="new-announcement"),
    path("recordings/settings/announcements/<int:rule_id>/", pages.announcement, name="announcement"),
    path(
        "recordings/settings/announcements/<int:rule_id>/delete/", pages.delete_announcement, name="delete-announcement"
    ),
    path("recordings/audit/", pages.audit_page, name="recordings-audit"),
    path("recordings/<uuid:recording_id>/", care_pages.recording_page, name="recording-page"),
    path("recordings/<uuid:recording_id>/hold/", care_pages.hold_recording, name="recording-hold-page"),
    path("recordings/<uuid:recording_id>/delete/", care_pages.delete_recording, name="recording-delete-page"),
]
