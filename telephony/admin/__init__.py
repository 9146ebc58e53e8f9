"""Numbers, what they lead to, calls and the ledger, for the operator."""

from __future__ import annotations

from telephony.admin import (
    account,
    calls,
    events,
    hours,
    menus,
    number_orders,
    numbers,
    places,
    plan_versions,
    queues,
    recording_rules,
    talks,
    voicemail,
    wrap_ups,
)

__all__ = [
    "account",
    "calls",
    "events",
    "hours",
    "menus",
    "number_orders",
    "numbers",
    "places",
    "plan_versions",
    "queues",
    "recording_rules",
    "talks",
    "voicemail",
    "wrap_ups",
]
