"""A queue as callers and Telnyx know it: calls come, wait, are offered, and go; each request as it really arrives."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from django.utils import timezone

from agents.models import Activity, Agent
from curbe.companies.models import Company
from telephony.models import Call, CallQueue, QueueVisit
from tests import cast
from tests.telnyx_post import Telnyx

ACCOUNT_SID = "6a9a7976-012e-45d2-9258-6f5dc68d861e"
_serial = itertools.count(1)


class Document:
    """A TeXML answer, read as Telnyx reads it."""

    def __init__(self, content: bytes) -> None:
        self.bytes = content
        self.root = ElementTree.fromstring(content)

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.root]

    @property
    def said(self) -> str:
        return " ".join(say.text or "" for say in self.root.iter("Say"))

    @property
    def rung(self) -> list[str]:
        """The SIP user names of a ``<Dial>``."""
        return [(sip.text or "").removeprefix("sip:").partition("@")[0] for sip in self.root.iter("Sip")]

    @property
    def next(self) -> str:
        """The path that is asked next: of a redirect, a ``<Gather>``, or the action of a ``<Dial>``."""
        redirect = self.root.find("Redirect")
        url = (redirect.text if redirect is not None else None) or next(
            (verb.get("action") for verb in self.root if verb.get("action")), ""
        )
        assert url, f"nothing follows {self.bytes!r}"
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}"


@dataclass
class Caller:
    """One call, driven from outside: each method is one request of Telnyx."""

    telnyx: Telnyx
    to: str
    e164: str = ""
    sid: str = field(default_factory=lambda: f"v3:caller-{uuid.uuid4().hex}")
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        self.e164 = self.e164 or f"+1312555{next(_serial):04d}"

    def calls(self) -> Document:
        return self._ask("/webhooks/telnyx/inbound", CallStatus="in-progress")

    def goes_on(self, path: str = "", **more: str) -> Document:
        """The music is over, or the leg was moved: the next document is asked for."""
        return self._ask(path or self.document.next, **more)

    def presses(self, digit: str) -> Document:
        return self._ask(self.document.next, Digits=digit)

    def dial_ends(self, status: str, **more: str) -> Document:
        return self._ask(self.document.next, DialCallStatus=status, **more)

    def hangs_up(self) -> None:
        now = timezone.now().isoformat()
        more = {"HangupCause": "originator_cancel", "HangupSource": "caller", "EndTime": now, "Timestamp": now}
        self._tell("/webhooks/telnyx/status", self.sid, CallStatus="completed", SequenceNumber="3", **more)

    def is_answered_by(self, agent: Agent, *, ago_s: float = 0) -> str:
        """The agent's leg is answered, or was so long ago; return its CallSid."""
        sid = f"v3:agent-{agent.pk}-{uuid.uuid4().hex}"
        at = timezone.now() - timedelta(seconds=ago_s)
        self._leg(agent, sid, "in-progress", "2", Timestamp=at.isoformat())
        return sid

    def agent_leg_ends(self, agent: Agent, sid: str, status: str = "completed", **more: str) -> None:
        self._leg(agent, sid, status, "3", **more)

    def _leg(self, agent: Agent, sid: str, status: str, sequence: str, **more: str) -> None:
        path = f"/webhooks/telnyx/status/{self.call.company.public_id}?call={self.call.pk}&agent={agent.pk}"
        news = {"CallStatus": status, "ParentCallSid": self.sid, "SequenceNumber": sequence}
        self._tell(path, sid, **{**news, "Timestamp": timezone.now().isoformat(), **more})

    def _ask(self, path: str, **more: str) -> Document:
        answer = self.telnyx.form(path, self._fields(self.sid, **more))
        assert answer.status_code == 200
        self.document = Document(answer.content)
        return self.document

    def _tell(self, path: str, sid: str, **more: str) -> None:
        assert self.telnyx.form(path, self._fields(sid, **more)).status_code == 200

    def _fields(self, sid: str, **more: str) -> dict[str, str]:
        return {
            "AccountSid": ACCOUNT_SID,
            "CallSid": sid,
            "CallSidLegacy": sid,
            "ConnectionId": "1568109700606592442",
            "From": self.e164,
            "To": self.to,
            **more,
        }

    @property
    def call(self) -> Call:
        return Call.objects.select_related("company").get(root_call_sid=self.sid)

    @property
    def visits(self) -> list[str]:
        """The outcomes of the call's visits to queues, oldest first."""
        return list(
            QueueVisit.objects.filter(call=self.call).order_by("entered_at", "id").values_list("outcome", flat=True)
        )

    def has_waited(self, seconds: float) -> None:
        """Let time have passed for this caller: everything of his happened so long ago."""
        back = timedelta(seconds=seconds)
        call = self.call
        for visit in QueueVisit.objects.filter(call=call):
            visit.entered_at -= back
            if visit.announced_at is not None:
                visit.announced_at -= back
            visit.save()
        for offer in call.offers.all():
            offer.offered_at -= back
            offer.expires_at -= back
            if offer.ended_at is not None:
                offer.ended_at -= back
            offer.save()


class Line:
    """A company with one queue, its members, and the number that leads to it."""

    def __init__(self, telnyx: Telnyx, *, agents: int = 1, company: Company | None = None, **queue: Any) -> None:
        self.telnyx = telnyx
        self.company = company or cast.make_company(language="es")
        self.agents = [cast.ready_agent(self.company, idle_s=60 + 10 * place) for place in range(agents)]
        self.queue: CallQueue = cast.make_queue(self.company, f"cola {next(_serial)}", members=self.agents, **queue)
        self.number = cast.make_number(self.company, queue=self.queue)

    def caller(self, **more: Any) -> Caller:
        caller = Caller(self.telnyx, self.number.e164, **more)
        caller.calls()
        return caller

    def everybody_is(self, activity: Activity) -> None:
        Agent.objects.filter(pk__in=[agent.pk for agent in self.agents]).update(activity=activity)

    def frees(self, agent: Agent) -> None:
        Agent.objects.filter(pk=agent.pk).update(
            activity=Activity.IDLE, busy_call_id=None, reserved_until=None, idle_since=timezone.now()
        )

    def sip(self, agent: Agent) -> str:
        return str(agent.endpoint.sip_username)  # type: ignore[attr-defined]


def step_of(path: str) -> int:
    return int(parse_qs(urlsplit(path).query)["step"][0])
