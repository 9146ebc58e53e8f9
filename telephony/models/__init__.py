from __future__ import annotations

from telephony.models.audits import AccountAudit, AccountRepair, Asker, AuditFinding
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

__all__ = [
    "AccountAudit",
    "AccountRepair",
    "Asker",
    "AuditFinding",
    "BusinessHours",
    "Call",
    "CallIdentifier",
    "CallLeg",
    "CallQueue",
    "Menu",
    "MenuOption",
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
