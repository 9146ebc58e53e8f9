"""Telnyx's REST API as a switchboard: takes what conversations ask for, keeps it, and refuses it on demand."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import requests
import responses
from django.conf import settings

from tests.scenarios.story import ACCOUNT_SID

#: What is asked for, by address and body. The first that fits is its name.
TRIED: Final = ("room", "tone", "redirect", "hang_up", "hold", "free", "mute", "unmute", "place", "digits")


@dataclass
class Asked:
    what: str
    #: CallSid of the leg, or the application's id.
    of: str
    fields: dict[str, str]


@dataclass
class Switchboard:
    """``refuse`` has the status (or an exception) with which a request of that name is answered."""

    api: responses.RequestsMock
    asked: list[Asked] = field(default_factory=list)
    refuse: dict[str, int | Exception] = field(default_factory=dict)
    #: Telnyx's word for it.
    code: str = "10027"
    #: What happens at Telnyx before a request of that name is answered.
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    #: CallSids in the room that is up; None: no room.
    inside: set[str] | None = None
    conference_sid: str = field(default_factory=lambda: str(uuid.uuid4()))
    #: CallSid → what the leg's own address says of it; in-progress where it is not named.
    truth: dict[str, str] = field(default_factory=dict)
    #: What the list of calls answers.
    found: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        base = re.escape(settings.TELNYX_API_URL)
        account = f"{base}/texml/Accounts/{ACCOUNT_SID}"
        self._on("POST", rf"{account}/Calls/([^/?]+)", self._leg)
        self._on("GET", rf"{account}/Calls/([^/?]+)", self._leg_is_up)
        self._on("GET", rf"{account}/Calls", lambda request: (200, {"calls": self.found}))
        self._on("POST", rf"{base}/texml/calls/([^/?]+)", self._place)
        self._on("GET", rf"{account}/Conferences", self._conferences)
        self._on("GET", rf"{account}/Conferences/[^/?]+/Participants", self._participants)
        self._on("POST", rf"{account}/Conferences/[^/?]+/Participants/([^/?]+)", self._participant)
        self._on("POST", rf"{base}/calls/([^/?]+)/actions/send_dtmf", self._digits)
        self._on("GET", rf"{base}/connections/[^/?]+/active_calls", lambda request: (200, {"data": [], "meta": {}}))

    def names(self) -> list[str]:
        return [one.what for one in self.asked]

    def last(self, what: str) -> Asked:
        return [one for one in self.asked if one.what == what][-1]

    def of(self, what: str) -> list[str]:
        """The legs that it was asked for, in order."""
        return [one.of for one in self.asked if one.what == what]

    def forget(self) -> None:
        self.asked.clear()

    # --- Answers

    def _on(self, method: str, pattern: str, answer: Any) -> None:
        def reply(request: requests.PreparedRequest) -> tuple[int, Mapping[str, str], str]:
            status, body = answer(request)
            return status, {"Content-Type": "application/json"}, json.dumps(body)

        self.api.add_callback(method, re.compile(rf"^{pattern}(\?.*)?$"), callback=reply)

    def _take(self, what: str, of: str, fields: dict[str, str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked.append(Asked(what, of, fields))
        if what in self.meanwhile:
            self.meanwhile.pop(what)()
        refusal = self.refuse.get(what)
        if isinstance(refusal, Exception):
            raise refusal
        if refusal is not None:
            return refusal, {"errors": [{"code": self.code, "title": "refused", "detail": "As the test wants it."}]}
        return 200, body

    def _leg(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        fields, sid = _fields(request), _name(request, -1)
        texml = fields.get("Texml", "")
        what = (
            "hang_up"
            if fields.get("Status") == "completed"
            else "redirect"
            if fields.get("Url")
            else "room"
            if "<Conference" in texml
            else "tone"
        )
        return self._take(what, sid, fields, {"sid": sid})

    def _leg_is_up(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        sid = _name(request, -1)
        return 200, {"sid": sid, "status": self.truth.get(sid, "in-progress")}

    def _place(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        fields = _fields(request)
        sid = f"v3:placed-{uuid.uuid4().hex}"
        status, body = self._take("place", _name(request, -1), fields, {"call_sid": sid, "status": "queued"})
        fields["sid"] = sid
        return status, body

    def _conferences(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        name = parse_qs((request.url or "").partition("?")[2]).get("FriendlyName", [""])[0]
        rows = [{"sid": self.conference_sid, "friendly_name": name}] if self.inside is not None else []
        return 200, {"conferences": rows}

    def _participants(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        return 200, {"participants": [{"call_sid": sid, "hold": False, "muted": False} for sid in self.inside or ()]}

    def _participant(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        fields, sid = _fields(request), _name(request, -1)
        if self.inside is None or sid not in self.inside:
            return 404, {"errors": [{"code": "10005", "title": "not found", "detail": "not in the room"}]}
        hold, muted = fields.get("Hold"), fields.get("Muted")
        what = {"true": "hold", "false": "free"}[hold] if hold else {"true": "mute", "false": "unmute"}[muted or ""]
        return self._take(what, sid, fields, {"call_sid": sid})

    def _digits(self, request: requests.PreparedRequest) -> tuple[int, dict[str, Any]]:
        body = json.loads(request.body or b"{}")
        return self._take("digits", _name(request, -3), body, {"data": {"result": "ok"}})


def _fields(request: requests.PreparedRequest) -> dict[str, str]:
    body = request.body or ""
    text = body.decode() if isinstance(body, bytes) else body
    return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}


def _name(request: requests.PreparedRequest, place: int) -> str:
    return unquote((request.url or "").partition("?")[0].split("/")[place])
