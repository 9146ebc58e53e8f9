"""Everything that Curbe asks of Telnyx's REST API, one method each, with exactly the parameters of the reference.

Parameters and paths: the generated types of PyPI ``telnyx`` 4.189.0. Methods raise TelnyxRefused and TelnyxUnreachable.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from urllib.parse import quote

from django.conf import settings

from telephony.core.transcription import Said, said_of_resource
from telephony.telnyx import answers
from telephony.telnyx.answers import (
    Credential,
    FoundCall,
    LegReport,
    LiveCall,
    Participant,
    RemoteNumber,
    RemoteRecording,
)
from telephony.telnyx.errors import TelnyxRefused
from telephony.telnyx.transport import Transport, Wish

#: Invalid call control id; call has already ended (rest-api.md section 2).
GONE_CODES: Final = frozenset({"90015", "90018"})


class HangUp(StrEnum):
    """How a hang-up went; both are success."""

    ASKED = "asked"
    #: There was nothing left to hang up: no callback will come because of us.
    GONE = "gone"


class TelnyxClient:
    """Telnyx, as Curbe uses it. Shared by the threads of one process."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def from_settings(cls) -> Self:
        # The sandbox takes any key; it must only not be empty.
        return cls(Transport(api_key=settings.TELNYX_API_KEY or "sandbox", base_url=settings.TELNYX_API_URL))

    # --- Calls ---------------------------------------------------------------------------------------------------

    def hang_up(self, call_sid: str, account_sid: str = "") -> HangUp:
        """End one leg. Asking for a leg that is over, or that Telnyx does not know (any more), is a success."""
        if account_sid:
            try:
                self._transport.data(Wish("POST", _leg(account_sid, call_sid), True, form={"Status": "completed"}))
                return HangUp.ASKED
            except TelnyxRefused as err:
                if err.status == 404:
                    pass  # Perhaps only this account does not know it: Call Control finds every leg by its id.
                elif _ended(err):
                    return HangUp.GONE
                else:
                    raise
        # Duplicates of a command_id are ignored for 60 s (webhooks.md section 7), so a repetition does nothing more.
        command_id = str(uuid.uuid4())
        try:
            self._transport.data(
                Wish("POST", f"/calls/{_id(call_sid)}/actions/hangup", True, json={"command_id": command_id})
            )
        except TelnyxRefused as err:
            if err.status == 404 or _ended(err):
                return HangUp.GONE
            raise
        return HangUp.ASKED

    def redirect(self, call_sid: str, account_sid: str, *, url: str) -> None:
        """Have a leg leave its running document and ask ``url`` for another one.

        Never repeated: asked twice, the leg would begin the new document twice.
        """
        form = {"Url": url, "Method": "POST"}
        self._transport.data(Wish("POST", _leg(account_sid, call_sid), False, form=form))

    def instruct(self, call_sid: str, account_sid: str, *, document: str) -> None:
        """Put a document in place of the one that a leg is running. Never repeated, as ``redirect``."""
        self._transport.data(Wish("POST", _leg(account_sid, call_sid), False, form={"Texml": document}))

    def place_call(self, application_id: str, *, to: str, from_: str, url: str, status_callback: str) -> str:
        """Ring a number (E.164) or a SIP URI; whoever answers runs the document at ``url``. Return the new CallSid.

        Never repeated: the address has no idempotency key. It has no ring time-out either: Telnyx's own is 30 s.
        """
        form = {
            "To": to,
            "From": from_,
            "Url": url,
            "Method": "POST",
            "StatusCallback": status_callback,
            "StatusCallbackMethod": "POST",
            "StatusCallbackEvent": "initiated ringing answered completed",
        }
        data = self._transport.data(Wish("POST", f"/texml/calls/{_id(application_id)}", False, form=form))
        return answers.text(data.get("call_sid"), 160)

    def find_calls(self, account_sid: str, *, to: str, from_: str) -> list[FoundCall]:
        """Return the calls from one number to another, newest first: what became of one whose answer was lost."""
        query: dict[str, str | int] = {"To": to, "From": from_, "PageSize": 50}
        body = self._transport.data(Wish("GET", f"/texml/Accounts/{_id(account_sid)}/Calls", True, query=query))
        rows = body.get("calls")
        return [FoundCall.read(row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []

    def send_digits(self, call_sid: str, digits: str) -> None:
        """Have a leg hear these keys (0–9 A–D * # w W)."""
        wish = Wish("POST", f"/calls/{_id(call_sid)}/actions/send_dtmf", False, json={"digits": digits})
        self._transport.data(wish)

    # --- Rooms ---------------------------------------------------------------------------------------------------

    def conference_sid(self, account_sid: str, name: str) -> str:
        """Return Telnyx's id of the room of that name that is up; empty if there is none."""
        query: dict[str, str | int] = {"FriendlyName": name, "Status": "in-progress"}
        body = self._transport.data(Wish("GET", f"/texml/Accounts/{_id(account_sid)}/Conferences", True, query=query))
        rows = body.get("conferences")
        found = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
        return next((answers.text(row.get("sid"), 64) for row in found if row.get("friendly_name") == name), "")

    def participants(self, account_sid: str, conference_sid: str) -> list[Participant]:
        """Return who is in a room; nobody for one that is over."""
        path = f"{_room(account_sid, conference_sid)}/Participants"
        try:
            rows = self._transport.data(Wish("GET", path, True)).get("participants")
        except TelnyxRefused as err:
            if err.status == 404:
                return []
            raise
        return [Participant.read(row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []

    def update_participant(
        self, account_sid: str, conference_sid: str, call_sid: str, fields: Mapping[str, str]
    ) -> None:
        """Hold, free, mute or unmute who is in a room. Asked twice, it is as good as once."""
        path = f"{_room(account_sid, conference_sid)}/Participants/{_id(call_sid)}"
        self._transport.data(Wish("POST", path, True, form=fields))

    # --- Legs ----------------------------------------------------------------------------------------------------

    def call(self, call_sid: str, account_sid: str = "") -> LegReport:
        """Report on one leg. The TeXML resource is asked first: it says how a leg ended, for 30 days after its end."""
        if account_sid:
            try:
                return _texml_report(call_sid, self._transport.data(Wish("GET", _leg(account_sid, call_sid), True)))
            except TelnyxRefused as err:
                if err.status != 404:
                    raise
        try:
            data = self._transport.data(Wish("GET", f"/calls/{_id(call_sid)}", True))
        except TelnyxRefused as err:
            if err.status == 404 or _ended(err):
                return LegReport(call_sid=call_sid, is_alive=False, is_known=err.status != 404)
            raise
        return LegReport(
            call_sid=call_sid,
            is_alive=data.get("is_alive") is True,
            leg_id=answers.text(data.get("call_leg_id")),
            session_id=answers.text(data.get("call_session_id")),
            ended_at=answers.moment(data.get("end_time")),
        )

    def active_calls(self, connection_id: str) -> list[LiveCall]:
        """Return the live legs of an application or connection."""
        return [LiveCall.read(row) for row in self._transport.pages(f"/connections/{_id(connection_id)}/active_calls")]

    # --- Recordings ----------------------------------------------------------------------------------------------

    def recordings(
        self,
        *,
        call_sid: str = "",
        session_id: str = "",
        connection_id: str = "",
        from_: str = "",
        to: str = "",
        created_since: datetime | None = None,
        created_until: datetime | None = None,
    ) -> list[RemoteRecording]:
        """Return the recordings that match every filter given."""
        filters = {
            "filter[call_control_id]": call_sid,
            "filter[call_session_id]": session_id,
            "filter[connection_id]": connection_id,
            "filter[from]": from_,
            "filter[to]": to,
            "filter[created_at][gte]": created_since.isoformat() if created_since else "",
            "filter[created_at][lte]": created_until.isoformat() if created_until else "",
        }
        rows = self._transport.pages("/recordings", {name: value for name, value in filters.items() if value})
        return [RemoteRecording.read(row) for row in rows]

    def recording(self, recording_id: str) -> RemoteRecording:
        """Return one recording, with fresh links."""
        return RemoteRecording.read(self._transport.data(Wish("GET", f"/recordings/{_id(recording_id)}", True)))

    def transcriptions(self, *, recording_id: str) -> list[Said]:
        """Return the texts that Telnyx wrote down of one recording; none while it is at it."""
        rows = self._transport.pages("/recording_transcriptions", {"filter[recording_id]": recording_id})
        # One that is not of this recording, or not done, is no text of it.
        found = [said_of_resource(row) for row in rows if row.get("status") in {"completed", "failed"}]
        return [said for said in found if said.recording_id == recording_id]

    # --- Credentials of agents -----------------------------------------------------------------------------------

    def credentials(self, *, tag: str) -> list[Credential]:
        """Return the credentials that ``create_credential`` made under this tag."""
        rows = self._transport.pages("/telephony_credentials", {"filter[tag]": tag})
        # A filter that is forgotten or misread must not hand one agent the credential of another.
        return [found for found in map(Credential.read, rows) if found.name == tag]

    def create_credential(self, *, connection_id: str, tag: str) -> Credential:
        """Make a credential with ``tag`` as its tag and its name: the one is searched by, the other is answered."""
        # One of the few endpoints with an idempotency key (SDK 4.189.0): a lost answer makes no second credential.
        wish = Wish(
            "POST",
            "/telephony_credentials",
            True,
            json={"connection_id": connection_id, "name": tag, "tag": tag},
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        return Credential.read(self._transport.data(wish))

    def create_token(self, credential_id: str) -> str:
        """Return a token (a JWT, plain text) with which a browser registers as this credential; it lives 24 h."""
        wish = Wish(
            "POST",
            f"/telephony_credentials/{_id(credential_id)}/token",
            True,
            headers={"Accept": "text/plain", "Idempotency-Key": str(uuid.uuid4())},
        )
        return self._transport.text(wish).strip()

    # --- Numbers -------------------------------------------------------------------------------------------------

    def phone_numbers(self) -> list[RemoteNumber]:
        return [RemoteNumber.read(row) for row in self._transport.pages("/phone_numbers")]

    def wire_number(self, number_id: str, *, connection_id: str) -> RemoteNumber:
        """Point a number at a connection."""
        wish = Wish("PATCH", f"/phone_numbers/{_id(number_id)}", True, json={"connection_id": connection_id})
        return RemoteNumber.read(self._transport.data(wish))

    # --- Connections ---------------------------------------------------------------------------------------------

    def rows(self, collection: str, query: Mapping[str, str | int] | None = None) -> list[Mapping[str, Any]]:
        """Return all rows of an account collection (``texml_applications`` and the like)."""
        return list(self._transport.pages(f"/{collection}", query))

    def row(self, collection: str, row_id: str) -> Mapping[str, Any] | None:
        """Return one row; None when it is not there (any more)."""
        try:
            return self._transport.data(Wish("GET", f"/{collection}/{_id(row_id)}", True))
        except TelnyxRefused as err:
            if err.status == 404:
                return None
            raise

    def create(self, collection: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create a row. Never repeated: none of these collections has an idempotency key."""
        return self._transport.data(Wish("POST", f"/{collection}", False, json=fields))

    def update(self, collection: str, row_id: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._transport.data(Wish("PATCH", f"/{collection}/{_id(row_id)}", True, json=fields))


def get_client() -> TelnyxClient:
    """Return the client of this process; a forked worker makes its own, as sockets are not to be shared."""
    key = (os.getpid(), settings.TELNYX_API_URL, settings.TELNYX_API_KEY)
    if key not in _clients:
        _clients.clear()
        _clients[key] = TelnyxClient.from_settings()
    return _clients[key]


_clients: dict[tuple[int, str, str], TelnyxClient] = {}


def _id(value: str) -> str:
    # Ids such as v3:9X2v… contain a colon.
    return quote(value, safe="")


def _leg(account_sid: str, call_sid: str) -> str:
    return f"/texml/Accounts/{_id(account_sid)}/Calls/{_id(call_sid)}"


def _room(account_sid: str, conference_sid: str) -> str:
    return f"/texml/Accounts/{_id(account_sid)}/Conferences/{_id(conference_sid)}"


def _ended(err: TelnyxRefused) -> bool:
    return bool(err.codes & GONE_CODES)


def _texml_report(call_sid: str, data: Mapping[str, Any]) -> LegReport:
    status = answers.text(data.get("status"))
    return LegReport(
        call_sid=call_sid,
        is_alive=status in {"queued", "initiated", "ringing", "in-progress"},
        status=status,
        ended_at=answers.texml_moment(data.get("end_time")),
        duration_s=answers.whole(data.get("duration")),
    )
