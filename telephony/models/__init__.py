from __future__ import annotations

from telephony.models.calls import Call, CallIdentifier, CallLeg, Offer, QueueVisit
from telephony.models.endpoints import SipEndpoint, TelnyxAccount
from telephony.models.events import RouteTrace, TelnyxEvent
from telephony.models.numbers import PhoneNumber
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
from telephony.models.quality import LegQuality
from telephony.models.talk import OutboundIntent, Talk, TalkCommand
from telephony.models.wrap_ups import CallWrapUp, Disposition, WrapUpPolicy

__all__ = [
    "BusinessHours",
    "Call",
    "CallIdentifier",
    "CallLeg",
    "CallQueue",
    "CallWrapUp",
    "Disposition",
    "LegQuality",
    "Menu",
    "MenuOption",
    "Offer",
    "OutboundIntent",
    "PhoneNumber",
    "Place",
    "PlanVersion",
    "QueueMember",
    "QueueSkill",
    "QueueVisit",
    "RouteTrace",
    "SipEndpoint",
    "SpecialDate",
    "Talk",
    "TalkCommand",
    "TelnyxAccount",
    "TelnyxEvent",
    "WrapUpPolicy",
]
