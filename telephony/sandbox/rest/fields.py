"""What each endpoint accepts, read from the generated types of PyPI telnyx 4.189.0. A `!` marks what is required."""

from __future__ import annotations

from telephony.sandbox.rest.schema import E164, Range, Spec

Table = dict[str, Spec]

ANCHORSITES = (
    "Latency", "Chicago, IL", "Ashburn, VA", "San Jose, CA", "Sydney, Australia", "Amsterdam, Netherlands",
    "London, UK", "Toronto, Canada", "Vancouver, Canada", "Frankfurt, Germany",
)  # fmt: skip
DTMF_TYPES = ("RFC 2833", "Inband", "SIP INFO")
NUMBER_TYPES = ("local", "toll_free", "mobile", "national", "shared_cost")
NUMBER_STATUSES = (
    "purchase-pending", "purchase-failed", "port-pending", "active", "deleted", "port-failed", "emergency-only",
    "ported-out", "port-out-pending",
)  # fmt: skip
FEATURES = ("sms", "mms", "voice", "fax", "emergency", "hd_voice", "international_sms", "local_calling")
METHODS = ("get", "post")
VERBS = ("GET", "POST")

PAGE: Table = {"page[number]": Range(1, 10**6), "page[size]": Range(1, 250)}

AVAILABLE_NUMBERS_QUERY: Table = {
    "filter[country_code]": str, "filter[locality]": str, "filter[administrative_area]": str,
    "filter[national_destination_code]": str, "filter[rate_center]": str,
    "filter[phone_number][contains]": str, "filter[phone_number][starts_with]": str,
    "filter[phone_number][ends_with]": str,
    "filter[phone_number_type]": NUMBER_TYPES, "filter[features]": [FEATURES], "filter[features][]": [FEATURES],
    "filter[limit]": Range(1, 250), "filter[best_effort]": bool, "filter[quickship]": bool, "filter[reservable]": bool,
    "filter[exclude_held_numbers]": bool,
}  # fmt: skip

NUMBER_ORDER: Table = {
    "phone_numbers!": [{"phone_number!": E164, "bundle_id": str, "requirement_group_id": str}],
    "connection_id": str, "customer_reference": str, "messaging_profile_id": str, "billing_group_id": str,
}  # fmt: skip
NUMBER_ORDERS_QUERY: Table = PAGE | {
    "filter[status]": str, "filter[created_at][gt]": str, "filter[created_at][lt]": str,
    "filter[customer_reference]": str,
    "filter[phone_numbers_count]": str, "filter[requirements_met]": bool,
}  # fmt: skip

VOICE_SETTINGS: Table = {
    "caller_id_name_enabled": bool, "tech_prefix_enabled": bool, "translated_number": str,
    "inbound_call_screening": ("disabled", "reject_calls", "flag_calls"),
    "usage_payment_method": ("pay-per-minute", "channel"),
    "cnam_listing": {"cnam_listing_enabled": bool, "cnam_listing_details": str},
    "call_forwarding": {
        "call_forwarding_enabled": bool, "forwards_to": str, "forwarding_type": ("always", "on-failure"),
    },
    "call_recording": {
        "inbound_call_recording_enabled": bool, "inbound_call_recording_channels": ("single", "dual"),
        "inbound_call_recording_format": ("wav", "mp3"),
    },
    "media_features": {
        "accept_any_rtp_packets_enabled": bool, "rtp_auto_adjust_enabled": bool, "t38_fax_gateway_enabled": bool,
    },
}  # fmt: skip
ENABLE_EMERGENCY: Table = {"emergency_enabled!": bool, "emergency_address_id!": str}
ADDRESS: Table = {  # first and last name are required by the types, and empty for a business
    "business_name": str, "first_name": str, "last_name": str, "street_address!": str, "extended_address": str,
    "locality!": str, "administrative_area": str, "postal_code": str, "country_code!": str, "address_book": bool,
    "borough": str, "neighborhood": str, "phone_number": str, "customer_reference": str, "validate_address": bool,
}  # fmt: skip
ADDRESSES_QUERY: Table = PAGE | {
    "filter[customer_reference][eq]": str, "filter[customer_reference][contains]": str,
    "filter[used_as_emergency]": str, "filter[street_address][contains]": str, "filter[address_book][eq]": str,
    "sort": ("created_at", "first_name", "last_name", "business_name", "street_address"),
}  # fmt: skip

PHONE_NUMBER: Table = {
    "connection_id": str, "customer_reference": str, "tags": [str], "billing_group_id": str, "external_pin": str,
    "hd_voice_enabled": bool, "address_id": str,
}  # fmt: skip
PHONE_NUMBERS_QUERY: Table = PAGE | {
    "filter[phone_number]": str, "filter[connection_id]": str, "filter[customer_reference]": str,
    "filter[status]": NUMBER_STATUSES, "filter[tag]": str, "filter[country_iso_alpha2]": [str],
    "filter[number_type][eq]": NUMBER_TYPES, "filter[source]": ("ported", "purchased"),
    "filter[voice.connection_name][eq]": str, "filter[voice.connection_name][contains]": str,
    "filter[voice.connection_name][starts_with]": str, "filter[voice.connection_name][ends_with]": str,
    "filter[billing_group_id]": str, "filter[emergency_address_id]": str, "filter[without_tags]": ("true", "false"),
    "filter[voice.usage_payment_method]": ("pay-per-minute", "channel"),
    "handle_messaging_profile_error": ("true", "false"),
    "sort": ("purchased_at", "phone_number", "connection_name", "usage_payment_method"),
}  # fmt: skip

TEXML_APPLICATION: Table = {  # both required fields are required in PATCH too (rest-api.md section 5)
    "friendly_name!": str, "voice_url!": str, "voice_fallback_url": str, "voice_method": METHODS,
    "status_callback": str, "status_callback_method": METHODS, "active": bool, "anchorsite_override": ANCHORSITES,
    "call_cost_in_webhooks": bool, "dtmf_type": DTMF_TYPES, "first_command_timeout": bool,
    "first_command_timeout_secs": Range(0, 120), "tags": [str],
    "inbound": {
        "channel_limit": int, "shaken_stir_enabled": bool, "sip_subdomain": str,
        "sip_subdomain_receive_settings": ("only_my_connections", "from_anyone"),
    },
    "outbound": {"channel_limit": int, "outbound_voice_profile_id": str},
}  # fmt: skip
TEXML_APPLICATIONS_QUERY: Table = PAGE | {
    "filter[friendly_name]": str, "filter[outbound_voice_profile_id]": str,
    "sort": ("created_at", "friendly_name", "active"),
}  # fmt: skip

CREDENTIAL_CONNECTION_PATCH: Table = {
    "connection_name": str, "user_name": str, "password": str, "active": bool, "anchorsite_override": ANCHORSITES,
    "android_push_credential_id": str, "ios_push_credential_id": str, "bridge_generate_comfort_noise_on_cn": bool,
    "call_cost_in_webhooks": bool, "default_on_hold_comfort_noise_enabled": bool, "dtmf_type": DTMF_TYPES,
    "encode_contact_header_enabled": bool, "encrypted_media": ("SRTP",), "onnet_t38_passthrough_enabled": bool,
    "sip_uri_calling_preference": ("disabled", "unrestricted", "internal"), "tags": [str],
    "webhook_api_version": ("1", "2", "texml"), "webhook_event_url": str, "webhook_event_failover_url": str,
    "webhook_timeout_secs": Range(0, 30),
    "jitter_buffer": {"enable_jitter_buffer": bool, "jitterbuffer_msec_max": int, "jitterbuffer_msec_min": int},
    "noise_suppression": ("inbound", "outbound", "both", "disabled"),
    "noise_suppression_details": {"attenuation_limit": int, "engine": str},
    "rtcp_settings": {"capture_enabled": bool, "port": ("rtcp-mux", "rtp+1"), "report_frequency_secs": int},
    "inbound": {
        "ani_number_format": ("+E.164", "E.164", "+E.164-national", "E.164-national"), "channel_limit": int,
        "codecs": [str], "default_routing_method": ("sequential", "round-robin"),
        "dnis_number_format": ("+e164", "e164", "national", "sip_username"), "generate_ringback_tone": bool,
        "isup_headers_enabled": bool, "prack_enabled": bool, "shaken_stir_enabled": bool,
        "simultaneous_ringing": ("disabled", "enabled"), "sip_compact_headers_enabled": bool,
        "timeout_1xx_secs": int, "timeout_2xx_secs": Range(1, 600),
    },
    "outbound": {
        "ani_override": str, "ani_override_type": ("always", "normal", "emergency"), "call_parking_enabled": bool,
        "channel_limit": int, "generate_ringback_tone": bool, "instant_ringback_enabled": bool, "localization": str,
        "outbound_voice_profile_id": str,
        "t38_reinvite_source": ("telnyx", "customer", "disabled", "passthru", "caller-passthru", "callee-passthru"),
    },
}  # fmt: skip
CREDENTIAL_CONNECTION: Table = {
    f"{name}!" if name in ("connection_name", "user_name", "password") else name: spec
    for name, spec in CREDENTIAL_CONNECTION_PATCH.items()
}
CREDENTIAL_CONNECTIONS_QUERY: Table = PAGE | {
    "filter[connection_name][contains]": str, "filter[fqdn]": str, "filter[outbound_voice_profile_id]": str,
    "sort": ("created_at", "connection_name", "active"),
}  # fmt: skip

TELEPHONY_CREDENTIAL: Table = {"connection_id!": str, "name": str, "tag": str, "expires_at": str}
TELEPHONY_CREDENTIAL_PATCH: Table = {"connection_id": str, "name": str, "tag": str, "expires_at": str}
TELEPHONY_CREDENTIALS_QUERY: Table = PAGE | {
    "filter[tag]": str, "filter[name]": str, "filter[status]": str, "filter[resource_id]": str,
    "filter[sip_username]": str,
}  # fmt: skip

OUTBOUND_VOICE_PROFILE: Table = {
    "name!": str, "enabled": bool, "traffic_type": ("conversational",), "service_plan": ("global",),
    "usage_payment_method": ("rate-deck",), "concurrent_call_limit": int, "daily_spend_limit": str,
    "daily_spend_limit_enabled": bool, "max_destination_rate": float, "whitelisted_destinations": [str], "tags": [str],
    "billing_group_id": str,
    "calling_window": {"start_time": str, "end_time": str, "calls_per_cld": int},
    "call_recording": {
        "call_recording_type": ("all", "none", "by_caller_phone_number"), "call_recording_caller_phone_numbers": [str],
        "call_recording_channels": ("single", "dual"), "call_recording_format": ("wav", "mp3"),
    },
}  # fmt: skip
OUTBOUND_VOICE_PROFILES_QUERY: Table = PAGE | {
    "filter[name][contains]": str,
    "sort": tuple(f"{sign}{name}" for sign in ("", "-") for name in
                  ("enabled", "created_at", "name", "service_plan", "traffic_type", "usage_payment_method")),
}  # fmt: skip

CALL_HANGUP: Table = {
    "command_id": str, "client_state": str, "reason": str, "custom_headers": [{"name!": str, "value!": str}],
}  # fmt: skip
CALL_SEND_DTMF: Table = {
    "digits!": str, "duration_millis": Range(100, 500), "client_state": str, "command_id": str,
}  # fmt: skip
# StatusCallback…: only in Telnyx's knowledge base, not in the SDK (CONFLICT, S-25); Timeout: only at
# /texml/Accounts/{account}/Calls and at participants (S-63).
TEXML_CALL_CREATE: Table = {
    "From!": str, "To!": str, "Url": str, "Method": VERBS, "Texml": str, "StatusCallback": str,
    "StatusCallbackMethod": VERBS, "StatusCallbackEvent": str, "Timeout": Range(5, 120),
}  # fmt: skip
TEXML_CALL_UPDATE: Table = {
    "Status": ("completed",), "Url": str, "Method": VERBS, "FallbackUrl": str, "FallbackMethod": VERBS, "Texml": str,
    "StatusCallback": str, "StatusCallbackMethod": VERBS,
}  # fmt: skip
TEXML_RECORDING_START: Table = {
    "PlayBeep": bool, "RecordingChannels": ("single", "dual"), "RecordingStatusCallback": str,
    "RecordingStatusCallbackEvent": str, "RecordingStatusCallbackMethod": VERBS,
    "RecordingTrack": ("inbound", "outbound", "both"), "SendRecordingUrl": bool,
}  # fmt: skip
TEXML_RECORDING_UPDATE: Table = {"Status!": ("in-progress", "paused", "stopped")}
TEXML_PAGE: Table = {"Page": Range(0, 10**6), "PageSize": Range(1, 1000), "PageToken": str}
TEXML_CONFERENCES_QUERY: Table = TEXML_PAGE | {"FriendlyName": str, "Status": ("init", "in-progress", "completed")}
TEXML_CONFERENCE_UPDATE: Table = {"Status": ("completed",), "AnnounceUrl": str, "AnnounceMethod": VERBS}
TEXML_PARTICIPANTS_QUERY: Table = TEXML_PAGE
TEXML_PARTICIPANT_UPDATE: Table = {
    "Muted": bool, "Hold": bool, "HoldUrl": str, "HoldMethod": VERBS, "EndConferenceOnExit": bool, "WaitUrl": str,
    "BeepOnExit": bool, "AnnounceUrl": str, "AnnounceMethod": VERBS, "Coaching": bool, "CallSidToCoach": str,
}  # fmt: skip
_RECORDING: Table = {
    "RecordingStatusCallback": str, "RecordingStatusCallbackEvent": str, "RecordingStatusCallbackMethod": VERBS,
}  # fmt: skip
TEXML_PARTICIPANT_UNPLAYED = (
    "AmdStatusCallback", "AmdStatusCallbackMethod", "CallSidToCoach", "Coaching", "ConferenceRecord",
    "ConferenceRecordingStatusCallback", "ConferenceRecordingStatusCallbackEvent",
    "ConferenceRecordingStatusCallbackMethod", "ConferenceRecordingTimeout", "ConferenceTrim", "EarlyMedia",
    "MachineDetection", "MachineDetectionTimeout", "PreferredCodecs", "Record", "RecordingChannels", "RecordingTrack",
    *_RECORDING, "SipAuthPassword", "SipAuthUsername", "Trim",
)  # fmt: skip
TEXML_PARTICIPANT_CREATE: Table = {
    "From!": str, "To!": str, "ApplicationSid": str, "CallerId": str, "Label": str, "Muted": bool,
    "Beep": ("true", "false", "onEnter", "onExit"), "StartConferenceOnEnter": bool, "EndConferenceOnExit": bool,
    "WaitUrl": str, "MaxParticipants": Range(2, 250), "Timeout": Range(5, 120), "TimeLimit": Range(60, 14_400),
    "CustomHeaders": [{"name!": str, "value!": str}], "StatusCallback": str, "StatusCallbackMethod": VERBS,
    "StatusCallbackEvent": str, "ConferenceStatusCallback": str, "ConferenceStatusCallbackEvent": str,
    "ConferenceStatusCallbackMethod": VERBS,
    **dict.fromkeys(TEXML_PARTICIPANT_UNPLAYED, None),
}  # fmt: skip
TEXML_CALLS_QUERY: Table = {
    "To": str, "From": str,
    "Status": ("ringing", "in-progress", "canceled", "completed", "failed", "busy", "no-answer"),
    "StartTime": str, "StartTime>": str, "StartTime<": str, "EndTime": str, "EndTime>": str, "EndTime<": str,
    "Page": Range(0, 10**6), "PageSize": Range(1, 1000), "PageToken": str,
}  # fmt: skip
TRANSCRIPTIONS_QUERY: Table = PAGE | {"filter[recording_id]": str}

RECORDINGS_QUERY: Table = PAGE | {
    f"filter[{name}]": str
    for name in ("call_control_id", "call_leg_id", "call_session_id", "conference_id", "conference_region",
                 "connection_id", "from", "to", "sip_call_id", "created_at][gte", "created_at][lte", "start_time][gte",
                 "start_time][lte", "end_time][gte", "end_time][lte")
}  # fmt: skip
