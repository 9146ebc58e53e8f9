"""The pages of recordings."""

from __future__ import annotations

from django.urls import path

from recordings import pages

urlpatterns = [
    path("recordings/settings/", pages.settings_page, name="recording-settings"),
    path("recordings/settings/hold/", pages.company_hold, name="recording-company-hold"),
    path("recordings/settings/announcements/new/", pages.new_announcement, name="new-announcement"),
    path("recordings/settings/announcements/<int:rule_id>/", pages.announcement, name="announcement"),
    path(
        "recordings/settings/announcements/<int:rule_id>/delete/", pages.delete_announcement, name="delete-announcement"
    ),
    path("recordings/audit/", pages.audit_page, name="recordings-audit"),
]
