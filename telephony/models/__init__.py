from __future__ import annotations

from telephony.models.calls import Call, CallIdentifier, CallLeg, Offer, QueueVisit
from telephony.models.endpoints import SipEndpoint, TelnyxAccount
from telephony.models.events import RouteTrace, TelnyxEvent
from telephony.models.numbers import PhoneNumber
from telephony.models.orders import BlockedCaller, EmergencyAddress, NumberOrder, NumberRelease
from telephony.models.plans import (
    BusinessHours,
    CallQueue,
    Menu,
    MenuOption,
    Place,
    PlanVersion,
    QueueMember,
    QueueSkill,
    SpecialDate,
)

__all__ = [
    "BlockedCaller",
    "BusinessHours",
    "Call",
    "CallIdentifier",
    "CallLeg",
    "CallQueue",
    "EmergencyAddress",
    "Menu",
    "MenuOption",
    "NumberOrder",
    "NumberRelease",
    "Offer",
    "PhoneNumber",
    "Place",
    "PlanVersion",
    "QueueMember",
    "QueueSkill",
    "QueueVisit",
    "RouteTrace",
    "SipEndpoint",
    "SpecialDate",
    "TelnyxAccount",
    "TelnyxEvent",
]
