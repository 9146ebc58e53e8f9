"""Two who talk, and what their agent does with the call: by the real addresses, with Telnyx's side told by webhooks."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.test import Client
from django.utils import timezone

from agents.models import Agent
from telephony.models import Call, CallLeg, Offer, Talk, TelnyxAccount
from telephony.operations import commands
from telephony.telnyx.client import get_client
from tests.scenarios.line import Document, Line
from tests.scenarios.switchboard import Switchboard
from tests.telnyx_post import Telnyx

APPLICATION = "1568109700606592442"


def company_line(telnyx: Telnyx, agents: int = 2) -> Line:
    line = Line(telnyx, agents=agents)
    TelnyxAccount.objects.get_or_create(company=None, defaults={"texml_application_id": APPLICATION})
    return line


class Conversation:
    """A caller whom Ana answers. ``board`` is what Telnyx was asked for."""

    def __init__(self, telnyx: Telnyx, board: Switchboard, *, agents: int = 2) -> None:
        self.telnyx, self.board = telnyx, board
        self.line = company_line(telnyx, agents)
        self.ana = self.line.agents[-1]
        self.luis = self.line.agents[0]
        self.caller = self.line.caller()
        self.ana_sid = self.caller.is_answered_by(self.ana)
        self.web = {agent.pk: browser_of(agent) for agent in self.line.agents}

    @property
    def call(self) -> Call:
        return self.caller.call

    @property
    def talk(self) -> Talk:
        return Talk.objects.get(call=self.call)

    @property
    def phase(self) -> str:
        return self.call.phase

    def wishes(self, what: str, body: dict[str, Any] | None = None, *, by: Agent | None = None) -> Any:
        """Post a wish as the browser does; return the answer."""
        agent = by or self.ana
        return self.web[agent.pk].post(f"/api/calls/{self.call.pk}/{what}", body or {}, content_type="application/json")

    def both_go_into_the_room(self) -> Document:
        """The update was taken: the caller's <Dial> ends, he asks and is told the same room, and both are in it."""
        document = self.caller.dial_ends("completed", DialCallSid=self.ana_sid, DialCallDuration="9")
        assert "Conference" in document.bytes.decode(), document.bytes
        self.board.inside = {self.caller.sid, self.ana_sid}
        self.joins(self.caller.sid)
        self.joins(self.ana_sid)
        self.work()
        return document

    def joins(self, sid: str) -> None:
        self._room_tells("participant-join", sid)

    def _room_tells(self, event: str, sid: str) -> None:
        path = f"/webhooks/telnyx/conference/{self.call.company.public_id}?call={self.call.pk}"
        fields = {
            "ConferenceSid": self.board.conference_sid,
            "FriendlyName": self.talk.room_name,
            "StatusCallbackEvent": event,
            "CallSid": sid,
            "SequenceNumber": str(len(sid)),
        }
        assert self.telnyx.form(path, fields).status_code == 200

    def work(self, *, in_s: float = 0) -> None:
        """The worker carries out what is due, now or so much later."""
        commands.run_due(get_client(), timezone.now() + timedelta(seconds=in_s))

    def holds(self) -> None:
        """Ana holds the caller, by way of a room."""
        assert self.wishes("hold", {"on": True}).status_code == 202
        self.both_go_into_the_room()
        assert self.phase == "HELD"

    def consults(self, agent: Agent | None = None) -> str:
        """Ana asks Luis; return the CallSid of his leg, which rings."""
        target = agent or self.luis
        assert self.wishes("consult", {"to": {"agent": target.pk}}).status_code == 202
        if self.phase == "PROMOTING":
            self.both_go_into_the_room()
        assert self.phase == "CONSULT_RINGING", self.phase
        return str(self.board.last("place").fields["sid"])

    def consults_until_placed(self) -> None:
        """Ana asks Luis; what happens from the moment at which Telnyx is asked to ring him is the test's."""
        self.wishes("consult", {"to": {"agent": self.luis.pk}})
        self.both_go_into_the_room()

    def target_answers(self, sid: str) -> Document:
        """Whoever is consulted answers, and asks where he is to go."""
        path = urlsplit(self.board.last("place").fields["Url"])
        answer = self.telnyx.form(f"{path.path}?{path.query}", self._fields(sid))
        assert answer.status_code == 200
        if self.board.inside is not None:
            self.board.inside.add(sid)
        self.work()
        return Document(answer.content)

    def leg_tells(self, sid: str, status: str, **more: str) -> None:
        """A status callback of a leg, at the application's own address."""
        news = {
            "CallStatus": status,
            "Timestamp": timezone.now().isoformat(),
            "SequenceNumber": str(uuid.uuid4().int % 1000),
        }
        answer = self.telnyx.form("/webhooks/telnyx/status", {**self._fields(sid), **news, **more})
        assert answer.status_code == 200
        if status in {"completed", "failed"} and self.board.inside is not None:
            self.board.inside.discard(sid)
        self.work()

    def is_lost(self, sid: str) -> None:
        self.leg_tells(sid, "completed", HangupCause="timeout", HangupSource="unknown", SipHangupCause="408")

    def says_bye(self, sid: str) -> None:
        self.leg_tells(sid, "completed", HangupCause="normal_clearing", HangupSource="callee", SipHangupCause="200")

    def _fields(self, sid: str) -> dict[str, str]:
        return self.caller._fields(sid)

    def offers(self, agent: Agent) -> list[str]:
        return list(
            Offer.objects.filter(call=self.call, agent=agent).order_by("offered_at").values_list("outcome", flat=True)
        )

    def live_sids(self) -> set[str]:
        return set(CallLeg.objects.filter(call=self.call).exclude(status="ended").values_list("call_sid", flat=True))


def browser_of(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent.user)
    return client
