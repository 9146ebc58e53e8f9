"""Everything that the account owns, as the JSON resources that the API shows, kept in `account.json`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from telephony.sandbox import ids

Row = dict[str, Any]

# A thousand calls a minute leave a thousand recordings: the file is too long to write for each of them.
SAVED_AFTER_S = 0.5

TABLES = (
    "texml_applications",
    "credential_connections",
    "telephony_credentials",
    "outbound_voice_profiles",
    "phone_numbers",
    # Numbers that were given back: nobody calls them, but Telnyx goes on listing them, as deleted.
    "released_numbers",
    "number_orders",
    "addresses",
    "recordings",
    "recording_transcriptions",
)
DEFAULT_SETTINGS: Row = {
    # Where account-level JSON events go (a portal setting at Telnyx): number_order.complete, call.recording.saved.
    "events_url": "",
    # Whether a profile that records all calls also records the legs rung to our own credentials (assumption S-21).
    "profile_records_sip_legs": False,
    # Whether the SIP headers of a browser's call stand in the form, as `SipHeader_X-…` (assumption S-60).
    "outbound_headers_in_form": False,
    # Whether the steps of a browser's call are told to its connection's `webhook_event_url` (assumption S-62).
    "parked_status_callbacks": True,
    # How long a second of a document lasts (time-outs, pauses, limits), and of a sound in a call without media.
    "time_scale": 1.0,
    # What is left of the money, in US dollars.
    "balance": "250.00",
}


class Account:
    """Tables of rows by id. Rows start with `_` keys for what is ours alone; `public()` leaves those out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saving: asyncio.TimerHandle | None = None
        self.account_sid = ids.new_uuid()
        self.settings: Row = dict(DEFAULT_SETTINGS)
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
        self._load()

    def table(self, name: str) -> dict[str, Row]:
        return self.tables[name]

    def get(self, table: str, row_id: str | None) -> Row | None:
        return self.tables[table].get(row_id or "")

    def put(self, table: str, row: Row) -> Row:
        self.tables[table][row["id"]] = row
        self.save()
        return row

    def remove(self, table: str, row_id: str) -> Row | None:
        row = self.tables[table].pop(row_id, None)
        self.save()
        return row

    def number(self, e164: str) -> Row | None:
        """The account's active number, or None when it does not own it."""
        rows = self.tables["phone_numbers"].values()
        return next((row for row in rows if row["phone_number"] == e164 and row["status"] == "active"), None)

    def credential_of(self, sip_username: str) -> Row | None:
        rows = self.tables["telephony_credentials"].values()
        return next((row for row in rows if row["sip_username"] == sip_username), None)

    def name_of(self, party: str) -> str:
        """A party as people call it: the name of the credential behind a SIP URI, else what was given."""
        credential = self.credential_of(party.removeprefix("sip:").partition("@")[0])
        return str(credential["name"] or party) if credential else party

    def connection_kind(self, connection_id: str | None) -> str | None:
        """The table in which a `connection_id` is found: a TeXML application, a credential connection, or None."""
        found = (name for name in ("texml_applications", "credential_connections") if self.get(name, connection_id))
        return next(found, None)

    def connection_name(self, connection_id: str | None) -> str | None:
        application = self.get("texml_applications", connection_id) or {}
        connection = self.get("credential_connections", connection_id) or {}
        return application.get("friendly_name") or connection.get("connection_name")

    def clear(self) -> None:
        self.tables = {name: {} for name in TABLES}
        self.settings = dict(DEFAULT_SETTINGS)
        self.save()

    def save(self) -> None:
        """Write what changed: a moment later, together with the changes that come meanwhile; at once without a loop."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if self._saving is None:
            self._saving = loop.call_later(SAVED_AFTER_S, self.flush)

    def flush(self) -> None:
        """Replace the file as a whole: a killed process leaves the old account or the new one."""
        if self._saving is not None:
            self._saving.cancel()
            self._saving = None
        document = {"account_sid": self.account_sid, "settings": self.settings, **self.tables}
        temporary = self._path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(document))  # no indent: with one, Python's slow encoder is taken
        os.replace(temporary, self._path)

    def _load(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            self.flush()
            return
        document = json.loads(self._path.read_text())
        self.account_sid = document["account_sid"]
        self.settings |= {key: value for key, value in document["settings"].items() if key in DEFAULT_SETTINGS}
        self.tables = {name: document.get(name, {}) for name in TABLES}


def public(row: Row) -> Row:
    """The row as the API shows it."""
    return {key: value for key, value in row.items() if not key.startswith("_")}


def newest_first(rows: dict[str, Row]) -> Iterator[Row]:
    return iter(sorted(rows.values(), key=lambda row: (row.get("created_at") or "", row["id"]), reverse=True))
