"""A call as Telnyx tells it: requests with every documented field, in any order, as often as one likes.

A ``Story`` owns a company with agents who can be rung. ``begin`` sends the real first instruction; the letters that
follow are made by ``Leg`` and sent, doubled, shuffled or lost by the test.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agents.models import Agent, Beat
from curbe.companies.models import Company, Membership, Role, User
from telephony.models import Call, PhoneNumber, SipEndpoint
from tests.telnyx_post import Telnyx

_serial = itertools.count(1)
ACCOUNT_SID = "6a9a7976-012e-45d2-9258-6f5dc68d861e"
CONNECTION_ID = "1568109700606592442"
CALLER = "+13125550001"


@dataclass(frozen=True)
class Letter:
    """One notification: where it goes and what it says."""

    path: str
    fields: dict[str, str]

    def send(self, telnyx: Telnyx) -> None:
        response = telnyx.form(self.path, self.fields)
        assert response.status_code == 200, response.content


@dataclass
class Leg:
    """One leg, as its status callbacks describe it. Times are seconds after the call began."""

    sid: str
    path: str
    to: str
    began_at: datetime
    parent_sid: str = ""
    leg_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    session_id: str = ""
    sequence: int = 0

    def letter(self, status: str, at_s: float, **more: str) -> Letter:
        at = self.began_at + timedelta(seconds=at_s)
        fields = {
            "AccountSid": ACCOUNT_SID,
            "CallInitiatedAt": self.began_at.isoformat(),
            "CallSid": self.sid,
            "CallSidLegacy": self.sid,
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "ConnectionId": CONNECTION_ID,
            "From": CALLER,
            "To": self.to,
            "Timestamp": at.isoformat(),
            "SequenceNumber": str(self.sequence),
            **({"ParentCallSid": self.parent_sid} if self.parent_sid else {}),
            **more,
        }
        self.sequence += 1
        return Letter(self.path, fields)

    def letters_before_the_end(self) -> list[Letter]:
        """What the application's own callback says of the caller's leg until it is over."""
        return [self.letter("initiated", 0), self.letter("ringing", 0.1), self.letter("in-progress", 4)]

    def rings(self, at_s: float = 1) -> list[Letter]:
        return [self.letter("initiated", at_s - 0.2), self.letter("ringing", at_s)]

    def answers(self, at_s: float) -> list[Letter]:
        return [self.letter("in-progress", at_s)]

    def ends(self, status: str, at_s: float, *, answered_at_s: float | None = None, cause: str = "") -> list[Letter]:
        at = self.began_at + timedelta(seconds=at_s)
        more = {"HangupCause": cause or "normal_clearing", "HangupSource": "caller", "SipHangupCause": "200"}
        if status == "completed":
            more |= {
                "StartTime": self.began_at.isoformat(),
                "EndTime": at.isoformat(),
                "OccurredAt": at.isoformat(),
                "CallLegId": self.leg_id,
                "CallSessionId": self.session_id,
                "CallControlId": self.sid,
            }
        if answered_at_s is not None:
            more["AnsweredTime"] = (self.began_at + timedelta(seconds=answered_at_s)).isoformat()
            more["CallDuration"] = str(int(at_s - answered_at_s))
        return [self.letter(status, at_s, **more)]


class Story:
    """A company whose number rings its agents, and the call that comes in."""

    def __init__(self, telnyx: Telnyx, *, agents: int = 2, now: datetime | None = None) -> None:
        serial = next(_serial)
        self.telnyx = telnyx
        self.now = now or datetime.now(UTC)
        self.session_id = str(uuid.uuid4())
        self.company = Company.objects.create(slug=f"story-{serial}", name=f"Story {serial}", language="es")
        self.number = PhoneNumber.objects.create(
            company=self.company,
            e164=f"+1305555{serial:04d}",
            destination=PhoneNumber.Destination.COMPANY,
            connection_id=CONNECTION_ID,
        )
        self.agents = [self._agent(serial, place) for place in range(agents)]
        self.caller_sid = f"v3:caller-{uuid.uuid4().hex}"
        self.caller = Leg(
            sid=self.caller_sid,
            path="/webhooks/telnyx/status",
            to=self.number.e164,
            began_at=self.now,
            session_id=self.session_id,
        )

    def _agent(self, serial: int, place: int) -> Agent:
        user = User.objects.create(username=f"agent-{serial}-{place}", name=f"Agent {place}")
        Membership.objects.create(company=self.company, user=user, role=Role.AGENT)
        agent = Agent.objects.create(company=self.company, user=user)
        SipEndpoint.objects.create(
            company=self.company,
            agent=agent,
            telnyx_credential_id=str(uuid.uuid4()),
            sip_username=f"gencred{serial}x{place}",
            connection_id="2001",
        )
        seen_at = datetime.now(UTC)
        Beat.objects.create(agent=agent, phone_id=str(uuid.uuid4()), last_seen_at=seen_at, ready=True, microphone=True)
        return agent

    def begin(self) -> str:
        """Send the instruction that opens the call; return the document."""
        response = self.telnyx.form(
            f"/webhooks/telnyx/voice/{self.company.public_id}",
            {
                "AccountSid": ACCOUNT_SID,
                "CallSid": self.caller_sid,
                "CallSidLegacy": self.caller_sid,
                "CallerId": CALLER,
                "CallingPartyType": "pstn",
                "From": CALLER,
                "FromSipUri": f"{CALLER}@10.239.182.10",
                "To": self.number.e164,
                "ToSipUri": f"{self.number.e164}@sip.telnyx.com",
                "ConnectionId": CONNECTION_ID,
                "CallStatus": "in-progress",
            },
        )
        assert response.status_code == 200
        return str(response.content, "utf-8")

    @property
    def call(self) -> Call:
        return Call.objects.get(root_call_sid=self.caller_sid)

    def leg_of(self, agent: Agent) -> Leg:
        """Return the leg that rings an agent; its callbacks come to the noun's address."""
        return Leg(
            sid=f"v3:agent-{agent.pk}-{uuid.uuid4().hex}",
            path=f"/webhooks/telnyx/status/{self.company.public_id}?call={self.call.pk}&agent={agent.pk}",
            to=f"sip:{SipEndpoint.objects.get(agent=agent).sip_username}@sip.telnyx.com",
            began_at=self.now + timedelta(seconds=0.5),
            parent_sid=self.caller_sid,
            session_id=self.session_id,
        )

    def dial_ended(self, status: str, *, step: int = 2, child: Leg | None = None, duration_s: int = 0) -> str:
        """Send the ``action`` request of the ``<Dial>``; return the document."""
        response = self.telnyx.form(
            f"/webhooks/telnyx/dial-complete/{self.company.public_id}?call={self.call.pk}&step={step}",
            {
                "AccountSid": ACCOUNT_SID,
                "CallSid": self.caller_sid,
                "CallStatus": "in-progress",
                "ConnectionId": CONNECTION_ID,
                "From": CALLER,
                "To": self.number.e164,
                "DialCallStatus": status,
                "DialCallSid": child.sid if child else "",
                "DialCallDuration": str(duration_s),
            },
        )
        assert response.status_code == 200
        return str(response.content, "utf-8")

    def recording(self, *, recording_id: str = "", url: str = "", kind: str = "", **more: str) -> Letter:
        address = f"/webhooks/telnyx/recording/{self.company.public_id}?call={self.call.pk}"
        return Letter(
            address + (f"&kind={kind}" if kind else ""),
            {
                "AccountSid": ACCOUNT_SID,
                "CallSid": self.caller_sid,
                "CallSidLegacy": self.caller_sid,
                "ConnectionId": CONNECTION_ID,
                "RecordingSid": recording_id or str(uuid.uuid4()),
                "RecordingStatus": "completed",
                "RecordingUrl": url or "http://127.0.0.1:9/recording.mp3",
                "RecordingDuration": "12",
                "RecordingChannels": "2",
                "RecordingSource": "DialVerb",
                **more,
            },
        )

    def send(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            letter.send(self.telnyx)
