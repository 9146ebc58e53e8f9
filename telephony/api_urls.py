"""What browsers and programs call about calls (contract, section 4); no trailing slash."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from curbe.companies.access import member_required
from telephony.views import agents_api, calls_api, health, quality_api, talk_api, webrtc_api

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
    path("api/webrtc/calls/<uuid:call_id>/quality", quality_api.quality, name="call-quality"),
    path("api/webrtc/caller-ids", talk_api.caller_ids, name="caller-ids"),
    path("api/webrtc/calls", talk_api.announce, name="announce-call"),
    path("api/transfer-targets", talk_api.transfer_targets, name="transfer-targets"),
    path("api/calls/<uuid:call_id>/talk", talk_api.talk, name="talk"),
    path("api/calls/<uuid:call_id>/hold", talk_api.hold, name="talk-hold"),
    path("api/calls/<uuid:call_id>/mute", talk_api.mute, name="talk-mute"),
    path("api/calls/<uuid:call_id>/digits", talk_api.digits, name="talk-digits"),
    path("api/calls/<uuid:call_id>/transfer", talk_api.transfer, name="talk-transfer"),
    path("api/calls/<uuid:call_id>/consult", talk_api.consult, name="talk-consult"),
    path("api/calls/<uuid:call_id>/consult/complete", talk_api.complete, name="consult-complete"),
    path("api/calls/<uuid:call_id>/consult/cancel", talk_api.cancel, name="consult-cancel"),
    path("api/calls/<uuid:call_id>/consult/merge", talk_api.merge, name="consult-merge"),
    path("api/calls/<uuid:call_id>/consult/swap", talk_api.swap, name="consult-swap"),
    path("api/calls/<uuid:call_id>/leave", talk_api.leave, name="talk-leave"),
    path("api/calls/<uuid:call_id>/end", talk_api.end, name="talk-end"),
    path("api/calls", calls_api.calls, name="api-calls"),
    path("api/calls/<uuid:call_id>", calls_api.call, name="api-call"),
    path("api/calls/<uuid:call_id>/story", calls_api.story, name="api-call-story"),
    path("api/calls/<uuid:call_id>/trace", calls_api.trace, name="api-call-trace"),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    # The view whose script is a file of its own: an inline one would not pass the content security policy.
    path("api/docs", member_required(SpectacularSwaggerSplitView.as_view(url_name="schema")), name="api-docs"),
]
