"""Everything that Curbe asks of Telnyx's REST API, one method each, with exactly the parameters of the reference.

Parameters and paths: the generated types of PyPI ``telnyx`` 4.189.0. Methods raise TelnyxRefused and TelnyxUnreachable.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self
from urllib.parse import quote

from django.conf import settings

from telephony.core.transcription import Said, said_of_resource
from telephony.telnyx import answers
from telephony.telnyx.answers import (
    AvailableNumber,
    Balance,
    Credential,
    FoundCall,
    LegRecording,
    LegReport,
    LiveCall,
    Participant,
    RemoteNumber,
    RemoteOrder,
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

    def patient(self) -> Self:
        """Return the same client for work that nobody waits for (``Transport.patient``)."""
        return type(self)(self._transport.patient())

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

    def ring_nobody(
        self, *, account_sid: str, application_id: str, from_: str, sip_username: str, callback: str
    ) -> None:
        """Have Telnyx ring a credential with which nobody registers, and tell ``callback`` what becomes of it.

        The leg ends by itself: nobody hears it, and it costs nothing. Never repeated: asked twice it rings twice.
        """
        body = {
            "ApplicationSid": application_id,
            "From": from_,
            "To": f"sip:{sip_username}@sip.telnyx.com",
            # Of a leg that nobody answers no document is ever asked for; one of the two must be given.
            "Texml": "<Response><Hangup/></Response>",
            "StatusCallback": callback,
            "StatusCallbackEvent": "initiated ringing answered completed",
            "StatusCallbackMethod": "POST",
            "Timeout": 5,
        }
        self._transport.data(Wish("POST", f"/texml/Accounts/{_id(account_sid)}/Calls", False, json=body))

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
        return list(
            self.each_recording(
                call_sid=call_sid,
                session_id=session_id,
                connection_id=connection_id,
                from_=from_,
                to=to,
                created_since=created_since,
                created_until=created_until,
            )
        )

    def each_recording(
        self,
        *,
        call_sid: str = "",
        session_id: str = "",
        connection_id: str = "",
        from_: str = "",
        to: str = "",
        created_since: datetime | None = None,
        created_until: datetime | None = None,
    ) -> Iterator[RemoteRecording]:
        """Yield the recordings that match every filter given, page by page."""
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
        return map(RemoteRecording.read, rows)

    def recording(self, recording_id: str) -> RemoteRecording:
        """Return one recording, with fresh links."""
        return RemoteRecording.read(self._transport.data(Wish("GET", f"/recordings/{_id(recording_id)}", True)))

    def delete_recording(self, recording_id: str) -> None:
        """Delete a recording at Telnyx. One that is not there (any more) is a success."""
        self._delete(f"/recordings/{_id(recording_id)}")

    def delete_transcription(self, text_id: str) -> None:
        """Delete what Telnyx wrote down of a recording. One that is not there (any more) is a success."""
        self._delete(f"/recording_transcriptions/{_id(text_id)}")

    def _delete(self, path: str) -> None:
        try:
            self._transport.data(Wish("DELETE", path, True))
        except TelnyxRefused as err:
            if err.status not in {404, 410}:
                raise

    def leg_recordings(self, account_sid: str, call_sid: str) -> list[LegRecording]:
        """Return what is being recorded of a leg, and was; nothing for a leg that is over."""
        try:
            rows = self._transport.data(Wish("GET", f"{_leg(account_sid, call_sid)}/Recordings.json", True))
        except TelnyxRefused as err:
            if err.status == 404 or _ended(err):
                return []
            raise
        found = rows.get("recordings")
        return [LegRecording.read(row) for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []

    def switch_leg_recording(self, account_sid: str, call_sid: str, recording_sid: str, *, paused: bool) -> bool:
        """Pause a running recording, or have it go on; False if it has ended. Asked twice, it is as good as once."""
        path = f"{_leg(account_sid, call_sid)}/Recordings/{_id(recording_sid)}.json"
        form = {"Status": "paused" if paused else "in-progress"}
        try:
            self._transport.data(Wish("POST", path, True, form=form))
        except TelnyxRefused as err:
            if err.status == 404 or _ended(err):
                return False
            raise
        return True

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

    def credential(self, credential_id: str) -> Credential | None:
        """Return one credential; None when it is not there (any more)."""
        row = self.row("telephony_credentials", credential_id)
        return Credential.read(row) if row is not None else None

    def all_credentials(self) -> Iterator[Credential]:
        """Yield every telephony credential of the account, page by page."""
        return map(Credential.read, self._transport.pages("/telephony_credentials"))

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

    def delete_credential(self, credential_id: str) -> None:
        """Delete a credential; whoever is registered with it is cut off. One that is gone already is a success."""
        try:
            self._transport.data(Wish("DELETE", f"/telephony_credentials/{_id(credential_id)}", True))
        except TelnyxRefused as err:
            if err.status != 404:
                raise

    # --- Numbers -------------------------------------------------------------------------------------------------

    def phone_numbers(self) -> list[RemoteNumber]:
        return list(self.each_phone_number())

    def each_phone_number(self) -> Iterator[RemoteNumber]:
        """Yield every number that the account has, page by page: there may be very many."""
        # In an order that a purchase in the meantime does not shift.
        rows = self._transport.pages("/phone_numbers", {"sort": "phone_number"})
        return (number for number in map(RemoteNumber.read, rows) if not number.is_gone)

    def phone_number(self, number_id: str) -> RemoteNumber | None:
        """Return one number; None when the account does not have it (any more)."""
        row = self.row("phone_numbers", number_id)
        number = RemoteNumber.read(row) if row is not None else None
        return None if number is None or number.is_gone else number

    def wire_number(self, number_id: str, *, connection_id: str) -> RemoteNumber:
        """Point a number at a connection."""
        wish = Wish("PATCH", f"/phone_numbers/{_id(number_id)}", True, json={"connection_id": connection_id})
        return RemoteNumber.read(self._transport.data(wish))

    def find_number(self, e164: str) -> RemoteNumber | None:
        """Return the account's number; None when it has none of that name (yet, or any more)."""
        rows = self._transport.pages("/phone_numbers", {"filter[phone_number]": e164.lstrip("+")})
        # The filter matches parts of numbers, and lists numbers that are gone.
        return next((one for one in map(RemoteNumber.read, rows) if one.e164 == e164 and not one.is_gone), None)

    def available_numbers(
        self,
        *,
        country: str,
        kind: str = "",
        locality: str = "",
        area: str = "",
        area_code: str = "",
        contains: str = "",
        features: Sequence[str] = (),
        limit: int = 50,
    ) -> list[AvailableNumber]:
        """Return numbers that can be bought. An order takes only what came from a recent search (85000)."""
        filters = {
            "filter[country_code]": country,
            "filter[phone_number_type]": kind,
            "filter[locality]": locality,
            "filter[administrative_area]": area,
            "filter[national_destination_code]": area_code,
            "filter[phone_number][contains]": contains,
            "filter[features]": ",".join(features),
        }
        query: dict[str, str | int] = {name: value for name, value in filters.items() if value}
        query["filter[limit]"] = limit
        rows = self._transport.rows(Wish("GET", "/available_phone_numbers", True, query=query))
        return [found for found in map(AvailableNumber.read, rows) if found.e164]

    def create_number_order(self, *, e164: str, connection_id: str, customer_reference: str) -> RemoteOrder:
        """Buy one number. Never repeated: there is no idempotency key, and a second order is a second number's price.

        After TelnyxUnreachable the order may stand all the same: ``number_orders`` tells.
        """
        order = {
            "phone_numbers": [{"phone_number": e164}],
            "connection_id": connection_id,
            "customer_reference": customer_reference,
        }
        return RemoteOrder.read(self._transport.data(Wish("POST", "/number_orders", False, json=order)))

    def number_orders(self, *, customer_reference: str) -> list[RemoteOrder]:
        """Return the orders that carry this reference."""
        rows = self._transport.pages("/number_orders", {"filter[customer_reference]": customer_reference})
        # A filter that is misread must not take another order for ours.
        return [order for order in map(RemoteOrder.read, rows) if order.customer_reference == customer_reference]

    def cancel_sub_order(self, sub_order_id: str) -> None:
        """Cancel a part of an order that is pending still. Asked twice, it is as good as once."""
        self._transport.data(Wish("PATCH", f"/sub_number_orders/{_id(sub_order_id)}/cancel", True))

    def release_number(self, number_id: str) -> bool:
        """Give a number back; False when it was gone already, which is a success too."""
        try:
            self._transport.data(Wish("DELETE", f"/phone_numbers/{_id(number_id)}", True))
        except TelnyxRefused as err:
            if err.status == 404:
                return False
            raise
        return True

    def set_caller_name(self, number_id: str, name: str) -> None:
        """List a caller-ID name (letters, digits, spaces; 15 at most) for a number; an empty one lists nothing."""
        listing = {"cnam_listing_enabled": bool(name), **({"cnam_listing_details": name} if name else {})}
        wish = Wish("PATCH", f"/phone_numbers/{_id(number_id)}/voice", True, json={"cnam_listing": listing})
        self._transport.data(wish)

    def find_address(self, *, customer_reference: str) -> str:
        """Return the id of the address that carries this reference; empty when there is none."""
        rows = self._transport.pages("/addresses", {"filter[customer_reference][eq]": customer_reference})
        ids = (answers.text(row.get("id"), 64) for row in rows if row.get("customer_reference") == customer_reference)
        return next(ids, "")

    def create_address(self, fields: Mapping[str, Any]) -> str:
        """Make an address that emergency services can find, and return its id. Never repeated: see find_address."""
        return answers.text(self._transport.data(Wish("POST", "/addresses", False, json=fields)).get("id"), 64)

    def enable_emergency(self, number_id: str, *, address_id: str) -> str:
        """Send help to this address when somebody calls it from the number; return Telnyx's word for how far that is.

        The words: provisioning, active, provisioning-failed, deprovisioning, disabled.
        """
        fields = {"emergency_enabled": True, "emergency_address_id": address_id}
        wish = Wish("POST", f"/phone_numbers/{_id(number_id)}/actions/enable_emergency", True, json=fields)
        return _emergency_status(self._transport.data(wish))

    def disable_emergency(self, number_id: str, *, address_id: str) -> str:
        """Send help nowhere when somebody calls it from the number; return the word of ``enable_emergency``."""
        # One address for both; it wants the address also where it is switched off (SDK 4.189.0).
        fields = {"emergency_enabled": False, "emergency_address_id": address_id}
        wish = Wish("POST", f"/phone_numbers/{_id(number_id)}/actions/enable_emergency", True, json=fields)
        return _emergency_status(self._transport.data(wish))

    def emergency_status(self, number_id: str) -> str:
        """Return the word of ``enable_emergency`` as it is now."""
        return _emergency_status(self._transport.data(Wish("GET", f"/phone_numbers/{_id(number_id)}/voice", True)))

    # --- The account ---------------------------------------------------------------------------------------------

    def balance(self) -> Balance:
        return Balance.read(self._transport.data(Wish("GET", "/balance", True)))

    def public_key(self) -> str:
        """Return the key with which Telnyx signs; empty where it does not tell it (assumption S-26)."""
        try:
            return answers.text(self._transport.data(Wish("GET", "/public_key", True)).get("public"))
        except TelnyxRefused:
            return ""

    # --- Connections ---------------------------------------------------------------------------------------------

    def rows(self, collection: str, query: Mapping[str, str | int] | None = None) -> list[Mapping[str, Any]]:
        """Return all rows of an account collection (``texml_applications`` and the like)."""
        return list(self.each_row(collection, query))

    def each_row(self, collection: str, query: Mapping[str, str | int] | None = None) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of an account collection, page by page."""
        return self._transport.pages(f"/{collection}", query)

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


def _emergency_status(voice: Mapping[str, Any]) -> str:
    emergency = voice.get("emergency")
    return answers.text(emergency.get("emergency_status"), 24) if isinstance(emergency, Mapping) else ""


def _texml_report(call_sid: str, data: Mapping[str, Any]) -> LegReport:
    status = answers.text(data.get("status"))
    return LegReport(
        call_sid=call_sid,
        is_alive=status in {"queued", "initiated", "ringing", "in-progress"},
        status=status,
        ended_at=answers.texml_moment(data.get("end_time")),
        duration_s=answers.whole(data.get("duration")),
    )
