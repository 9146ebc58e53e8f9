"""What browsers and programs call about calls (contract, section 4); no trailing slash."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from curbe.companies.access import member_required
from telephony.views import agents_api, calls_api, health, webrtc_api

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/agents/me", webrtc_api.me, name="me"),
    path("api/agents/wrap-up", agents_api.wrap_up, name="wrap-up"),
    path("api/agents/wrap-up/end", agents_api.end_wrap_up, name="wrap-up-end"),
    path("api/agents/<int:agent_id>/release", agents_api.release, name="agent-release"),
    path("api/webrtc/token", webrtc_api.token, name="webrtc-token"),
    path("api/webrtc/server-hangup", webrtc_api.server_hangup, name="server-hangup"),
    path("api/webrtc/calls/<uuid:call_id>/ids", webrtc_api.ids, name="call-ids"),
    path("api/webrtc/calls/<uuid:call_id>/decline", webrtc_api.decline, name="call-decline"),
    path("api/calls", calls_api.calls, name="api-calls"),
    path("api/calls/<uuid:call_id>", calls_api.call, name="api-call"),
    path("api/calls/<uuid:call_id>/trace", calls_api.trace, name="api-call-trace"),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    # The view whose script is a file of its own: an inline one would not pass the content security policy.
    path("api/docs", member_required(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="api-docs"),
]
