from __future__ import annotations

from telephony.models.audits import AccountAudit, AccountRepair, Asker, AuditFinding
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
from telephony.models.quality import LegQuality
from telephony.models.recording_rules import RecordingRule
from telephony.models.talk import OutboundIntent, Talk, TalkCommand
from telephony.models.voicemail import VoicemailBox
from telephony.models.wrap_ups import CallWrapUp, Disposition, WrapUpPolicy

__all__ = [
    "BlockedCaller",
    "AccountAudit",
    "AccountRepair",
    "Asker",
    "AuditFinding",
    "BusinessHours",
    "Call",
    "CallIdentifier",
    "CallLeg",
    "CallQueue",
    "CallWrapUp",
    "Disposition",
    "LegQuality",
    "EmergencyAddress",
    "Menu",
    "MenuOption",
    "NumberOrder",
    "NumberRelease",
    "Offer",
    "OutboundIntent",
    "PhoneNumber",
    "Place",
    "PlanVersion",
    "QueueMember",
    "QueueSkill",
    "QueueVisit",
    "RecordingRule",
    "RouteTrace",
    "SipEndpoint",
    "SpecialDate",
    "Talk",
    "TalkCommand",
    "TelnyxAccount",
    "TelnyxEvent",
    "VoicemailBox",
    "WrapUpPolicy",
]
