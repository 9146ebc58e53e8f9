from __future__ import annotations

from telephony.models.calls import Call, CallIdentifier, CallLeg, Offer
from telephony.models.endpoints import SipEndpoint, TelnyxAccount
from telephony.models.events import RouteTrace, TelnyxEvent
from telephony.models.numbers import PhoneNumber
from telephony.models.plans import CallQueue, QueueMember

__all__ = [
    "Call",
    "CallIdentifier",
    "CallLeg",
    "CallQueue",
    "Offer",
    "PhoneNumber",
    "QueueMember",
    "RouteTrace",
    "SipEndpoint",
    "TelnyxAccount",
    "TelnyxEvent",
]
