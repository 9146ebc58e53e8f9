"""Recordings: real files, the resource about each, links that die, and who is told when one is complete."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aiohttp import web

from telephony.sandbox import clock, ids
from telephony.sandbox.account.store import Row, public
from telephony.sandbox.media.frames import AudioPort
from telephony.sandbox.media.recorder import Recorder
from telephony.sandbox.webhooks import form_message

if TYPE_CHECKING:
    from telephony.sandbox.calls.legs import Leg
    from telephony.sandbox.world import World

Format = Literal["wav", "mp3"]
Channels = Literal["single", "dual"]
CONTENT_TYPES: dict[str, str] = {"wav": "audio/wav", "mp3": "audio/mpeg"}


@dataclass(frozen=True)
class Transcription:
    """What is said is to be written down; `callback_url` is told, if there is one."""

    callback_url: str = ""
    language: str = "en-US"


@dataclass(frozen=True)
class Wishes:
    """How a recording is made, and who hears of it. `source` is RecordingSource and initiated_by."""

    source: str
    channels: Channels
    fmt: Format
    callback_url: str = ""
    callback_method: str = "POST"
    callback_events: tuple[str, ...] = ("completed",)
    send_url: bool = True
    as_event: bool = False  # call.recording.saved instead of a form: recordings of an outbound voice profile
    transcription: Transcription | None = None


@dataclass
class Running:
    """A recording that has begun. `stop` may be called again; only the first call counts."""

    sid: str
    leg: Leg
    wishes: Wishes
    recorder: Recorder
    row: Row | None = None
    is_by_verb: bool = False  # `<Start>` began it, so `<Stop>` ends it

    @property
    def status(self) -> str:
        """The word of the TeXML resource."""
        if self.row is not None:
            return "completed"
        return "paused" if self.recorder.is_paused else "in-progress"


@dataclass(frozen=True)
class _Link:
    recording_id: str
    dies_at: datetime


class Recordings:
    def __init__(self, world: World) -> None:
        self._world = world
        self._links: dict[str, _Link] = {}
        self._running: dict[str, Running] = {}
        world.config.recordings.mkdir(parents=True, exist_ok=True)

    def start(self, leg: Leg, *, left: AudioPort, right: AudioPort | None, wishes: Wishes) -> Running:
        """Begin to record `leg`; left is what the first party says, right the other's."""
        sid = ids.new_uuid()
        path = self._world.config.recordings / f"{sid}.{wishes.fmt}"
        mixed = wishes.channels == "single"
        recorder = self._world.switch.record(path, left=left, right=right, fmt=wishes.fmt, mixed=mixed)
        running = Running(sid, leg, wishes, recorder)
        self._running[sid] = running
        if not wishes.as_event:
            # What a profile records by itself no address of the leg is told of.
            leg.listed.append(running)
        if "in-progress" in wishes.callback_events and wishes.callback_url:
            self._tell(running, "in-progress", {})
        return running

    def stop(self, running: Running) -> Row:
        """Complete the file and the resource, and tell a moment later. Returns the resource."""
        if running.row is not None:
            return running.row
        self._running.pop(running.sid, None)
        recorder, wishes = running.recorder, running.wishes
        recorder.stop()
        running.row = self._world.account.put("recordings", self._resource(running))
        self._world.journal.info(
            f"Recorded {recorder.duration_s:.1f} s by {wishes.source}", call_id=running.leg.call.id
        )
        self._world.spawn(self._announce(running))
        if wishes.transcription is not None:
            self._world.spawn(self._write_down(running))
        return running.row

    def stop_all(self) -> None:
        for running in list(self._running.values()):
            self.stop(running)

    def _resource(self, running: Running) -> Row:
        leg, recorder = running.leg, running.recorder
        now = clock.now()
        return {
            "id": running.sid,
            "record_type": "recording",
            "call_control_id": leg.call_control_id,
            "call_leg_id": leg.call_leg_id,
            "call_session_id": leg.call.session_id,
            "connection_id": leg.connection_id,
            "conference_id": None,
            "channels": running.wishes.channels,
            "duration_millis": round(recorder.duration_s * 1000),
            "recording_started_at": clock.iso(recorder.started_at),
            "recording_ended_at": clock.iso(now),
            "created_at": clock.iso(now),
            "updated_at": clock.iso(now),
            "from": leg.from_,
            "to": leg.to,
            "source": "call",
            "status": "completed",
            "initiated_by": running.wishes.source,
            "_file": recorder.path.name,
            "_format": running.wishes.fmt,
        }

    # --- telling ---

    async def _announce(self, running: Running) -> None:
        await asyncio.sleep(self._world.config.timing.recording_ready_s)
        row = running.row
        assert row is not None
        if self._world.account.get("recordings", running.sid) is None:
            return  # deleted meanwhile
        if running.wishes.as_event:
            self._announce_as_event(running, row)
        elif running.wishes.callback_url and "completed" in running.wishes.callback_events:
            facts = {
                "RecordingDuration": str(round(row["duration_millis"] / 1000)),
                "RecordingChannels": "2" if row["channels"] == "dual" else "1",
            }
            if running.wishes.send_url:
                facts["RecordingUrl"] = self.fresh_url(row)
            self._tell(running, "completed", facts)

    def _tell(self, running: Running, status: str, facts: dict[str, str]) -> None:
        wishes, leg = running.wishes, running.leg
        identity = leg.identity()
        fields = {name: identity[name] for name in ("AccountSid", "CallSid", "CallSidLegacy", "ConnectionId")}
        fields |= {"RecordingSid": running.sid, "RecordingStatus": status, "RecordingSource": wishes.source, **facts}
        if self._world.trouble.switches.lose_recording_callback:
            message = form_message(
                "recording", wishes.callback_url, fields, method=wishes.callback_method, store=leg.call.exchanges.append
            )
            self._world.webhooks.drop(message)
            return
        self._world.webhooks.notify(
            wishes.callback_url,
            fields,
            kind="recording",
            method=wishes.callback_method,
            store=leg.call.exchanges.append,
        )

    async def _write_down(self, running: Running) -> None:
        """Put down what the leg's party said while it was recorded, as a resource, and tell (assumption S-80).

        A pretend person's words are known to the letter; of a browser, a tone or silence nothing is.
        """
        wanted, leg = running.wishes.transcription, running.leg
        assert wanted is not None and running.row is not None
        await asyncio.sleep(self._world.config.timing.transcription_ready_s)
        began, ended = running.recorder.started_at, clock.parse_iso(running.row["recording_ended_at"])
        heard = [one for one in leg.said if one.began_at < ended and (one.ended_at or ended) > began]
        segments = [
            {
                "start": round(max(0.0, (one.began_at - began).total_seconds()), 2),
                "end": round((min(one.ended_at or ended, ended) - began).total_seconds(), 2),
                "text": one.text,
            }
            for one in heard
        ]
        at = clock.iso(clock.now())
        row = self._world.account.put(
            "recording_transcriptions",
            {
                "id": ids.new_uuid(),
                "record_type": "recording_transcription",
                "recording_id": running.sid,
                "duration_millis": running.row["duration_millis"],
                "status": "completed",
                "transcription_text": " ".join(one.text for one in heard),
                "created_at": at,
                "updated_at": at,
                "_segments": segments,
            },
        )
        if wanted.callback_url:
            self._tell_text(running, wanted, row)

    def _tell_text(self, running: Running, wanted: Transcription, row: Row) -> None:
        leg = running.leg
        identity = leg.identity()
        fields = {name: identity[name] for name in ("AccountSid", "CallSid", "From", "To") if name in identity} | {
            "CallStatus": "completed" if leg.ended.is_set() else "in-progress",
            "RecordingSid": running.sid,
            "RecordingUrl": self.fresh_url(running.row) if running.row else "",
            "TranscriptionSid": row["id"],
            "TranscriptionStatus": "completed",
            "TranscriptionText": row["transcription_text"],
            "TranscriptionSegments": json.dumps(row["_segments"]),
        }
        if self._world.trouble.switches.lose_transcription_callback:
            message = form_message("transcription", wanted.callback_url, fields, method="POST",
                                   store=leg.call.exchanges.append)  # fmt: skip
            self._world.webhooks.drop(message)
            return
        self._world.webhooks.notify(
            wanted.callback_url, fields, kind="transcription", method="POST", store=leg.call.exchanges.append
        )

    def _announce_as_event(self, running: Running, row: Row) -> None:
        url = self._world.account.settings["events_url"]
        if not url or self._world.trouble.switches.lose_recording_callback:
            self._world.journal.info("call.recording.saved is not sent", call_id=running.leg.call.id)
            return
        payload = {
            name: row[name]
            for name in ("call_control_id", "call_leg_id", "call_session_id", "connection_id", "channels",
                         "recording_started_at", "recording_ended_at")
        }  # fmt: skip
        payload |= {
            "recording_id": running.sid,
            "client_state": None,
            "format": running.wishes.fmt,
            "recording_urls": {running.wishes.fmt: self.fresh_url(row)},
            "public_recording_urls": {},
        }
        self._world.webhooks.notify_event(url, "call.recording.saved", payload, store=running.leg.call.exchanges.append)

    # --- links and files ---

    def shown(self, row: Row) -> Row:
        """The resource with a link that works from now on for ten minutes."""
        return public(row) | {"download_urls": {row["_format"]: self.fresh_url(row)}}

    def fresh_url(self, row: Row) -> str:
        lives_s = self._world.config.timing.link_lives_s
        dies_at = clock.now() + timedelta(seconds=lives_s)
        # All live equally long, so the oldest die first. Dead ones are forgotten: they are refused like unknown ones.
        while self._links and next(iter(self._links.values())).dies_at <= clock.now():
            del self._links[next(iter(self._links))]
        token = secrets.token_urlsafe(24)
        self._links[token] = _Link(row["id"], dies_at)
        path = f"/_files/recordings/{token}.{row['_format']}"
        return f"{self._world.origin}{path}?X-Amz-Expires={lives_s:.0f}&expires={int(dies_at.timestamp())}"

    def kill_links(self) -> int:
        """Age every link that was given out, at once. Returns how many."""
        count = len(self._links)
        self._links.clear()
        return count

    def remove(self, recording_id: str) -> Row | None:
        row = self._world.account.remove("recordings", recording_id)
        if row is not None:
            (self._world.config.recordings / row["_file"]).unlink(missing_ok=True)
        return row

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The file, while the link lives; afterwards 403 in the words of the storage (gotchas.md 20)."""
        link = self._links.get(Path(request.match_info["name"]).stem)
        row = self._world.account.get("recordings", link.recording_id) if link else None
        if link is None or row is None or link.dies_at <= clock.now():
            return web.Response(status=403, text=_EXPIRED_XML, content_type="application/xml")
        path = self._world.config.recordings / row["_file"]
        return web.FileResponse(path, headers={"Content-Type": CONTENT_TYPES[row["_format"]]})


_EXPIRED_XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>600</X-Amz-Expires></Error>"
)
