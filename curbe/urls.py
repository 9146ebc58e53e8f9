"""Every address of Curbe Voice. What Telnyx calls has no trailing slash and never redirects."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("webhooks/telnyx/", include("telephony.webhooks.urls")),
    path("api/agents/", include("agents.urls")),
    path("api/recordings/", include("recordings.urls")),
    path("api/calls/", include("recordings.call_urls")),
    path("api/voicemail/", include("recordings.api_urls")),
    path("", include("telephony.api_urls")),
    path("", include("curbe.companies.urls")),
    path("", include("telephony.page_urls")),
    path("", include("recordings.page_urls")),
    path("", include("recordings.voicemail_urls")),
    path("admin/", admin.site.urls),
]

handler400 = "telephony.views.pages.bad_request"
handler403 = "telephony.views.pages.forbidden"
handler404 = "telephony.views.pages.not_found"
handler500 = "telephony.views.pages.server_error"
