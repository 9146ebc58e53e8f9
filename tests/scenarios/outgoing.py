"""A call that an agent places, as the browser and Telnyx tell it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from agents.models import Agent
from telephony.models import Call
from telephony.operations import commands
from telephony.telnyx.client import get_client
from tests.scenarios.conversation import browser_of, company_line
from tests.scenarios.line import ACCOUNT_SID, Document
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

CUSTOMER = "+13125550177"


class Outgoing:
    """Ana calls a customer."""

    def __init__(self, telnyx: Telnyx, board: Switchboard) -> None:
        self.telnyx, self.board = telnyx, board
        self.line = company_line(telnyx, 2)
        self.luis, self.ana = self.line.agents
        self.web = browser_of(self.ana)
        self.ana_sid = "v3:ana-parked"

    def announces(self, to: str = CUSTOMER, **more: str) -> Any:
        return self.web.post("/api/webrtc/calls", {"to": to, **more}, content_type="application/json")

    def parks(self, *, to: str = CUSTOMER, sid: str = "", **more: str) -> Document:
        """Telnyx asks what to do with the call that the browser placed."""
        fields = {
            "AccountSid": ACCOUNT_SID,
            "CallSid": sid or self.ana_sid,
            "ConnectionId": "2001",
            "From": self.line.number.e164,
            "To": to,
            "FromSipUri": f"{self.line.sip(self.ana)}@sip.telnyx.com",
            **more,
        }
        answer = self.telnyx.form("/webhooks/telnyx/outbound", fields)
        assert answer.status_code == 200
        return Document(answer.content)

    def work(self, in_s: float = 0) -> None:
        commands.run_due(get_client(), timezone.now() + timedelta(seconds=in_s))

    def rings(self) -> str:
        """Announced, parked, and the customer's telephone rings; return the CallSid of his leg."""
        assert self.announces().status_code == 200
        self.parks()
        self.work()
        sid = str(self.board.last("place").fields["sid"])
        self.tells(sid, "ringing")
        return sid

    def customer_answers(self, sid: str) -> Document:
        url = urlsplit(self.board.last("place").fields["Url"])
        answer = self.telnyx.form(f"{url.path}?{url.query}", self._fields(sid))
        assert answer.status_code == 200
        self.board.inside = {self.ana_sid, sid}
        self.work()
        return Document(answer.content)

    def tells(self, sid: str, status: str, **more: str) -> None:
        news = {"CallStatus": status, "Timestamp": timezone.now().isoformat(), "SequenceNumber": status}
        assert self.telnyx.form("/webhooks/telnyx/status", {**self._fields(sid), **news, **more}).status_code == 200
        self.work()

    def _fields(self, sid: str) -> dict[str, str]:
        return {
            "AccountSid": ACCOUNT_SID,
            "CallSid": sid,
            "ConnectionId": "1568109700606592442",
            "From": self.line.number.e164,
            "To": CUSTOMER,
        }

    @property
    def call(self) -> Call:
        return Call.objects.get(root_call_sid=self.ana_sid)

    def activity(self, agent: Agent | None = None) -> str:
        agent = agent or self.ana
        agent.refresh_from_db()
        return agent.activity
