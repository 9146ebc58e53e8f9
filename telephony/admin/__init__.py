"""Numbers, queues, calls and the ledger, for the operator."""

from __future__ import annotations

from telephony.admin import account, calls, events, numbers, queues

__all__ = ["account", "calls", "events", "numbers", "queues"]
