"""`<Dial>`: ring everybody at once, connect the first, tell the rest, and say afterwards how it went."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from telephony.sandbox.account.store import Row
from telephony.sandbox.calls.endings import (
    LOST_THE_RACE,
    OTHER_SIDE_ENDED,
    PARENT_GONE,
    RANG_OUT,
    TIME_LIMIT,
    Ending,
    dial_status,
)
from telephony.sandbox.calls.legs import Leg, LegGone, StatusCallback, ended, first_of
from telephony.sandbox.media import sources
from telephony.sandbox.recordings import Channels, Format, Running, Wishes
from telephony.sandbox.texml.conference import dial_conference
from telephony.sandbox.texml.dial_end import go_on
from telephony.sandbox.texml.document import Node, sip_target
from telephony.sandbox.texml.sounds import sound_at
from telephony.sandbox.texml.targets import Target, number, profile_of, sip

if TYPE_CHECKING:
    from telephony.sandbox.texml.run import Next, Runner


async def dial(runner: Runner, node: Node) -> Next:
    """Perform the verb, and go on with `action`, or with the next verb when there is none."""
    if node.children[0].name == "Conference":
        return await dial_conference(runner, node)
    return await Dial(runner, node).perform()


class Dial:
    def __init__(self, runner: Runner, node: Node) -> None:
        self.runner, self.node, self.world, self.parent = runner, node, runner.world, runner.leg
        self.children: list[Leg] = []
        self.nouns: dict[str, Node] = {}
        self.winner: Leg | None = None
        self.recordings: list[Running] = []
        self.recording_row: Row | None = None

    async def perform(self) -> Next:
        if not self.node.flag("answerOnBridge"):
            self.parent.answer()
        targets = [(noun, self._target(noun)) for noun in self.node.children]
        ring_back = asyncio.ensure_future(self._ring_back())
        try:
            for noun, target in targets:
                self._call(noun, target)
            await self._until_somebody_answers()
            if self.winner is not None:
                await self._whisper(self.winner)  # the caller hears ring-back meanwhile
            await ended(ring_back)
            if self.winner is not None:
                await self._connect(self.winner)
        finally:
            # Also the way out when a REST update puts another document in this one's place.
            await ended(ring_back)
            self._end_children()
            self._stop_recordings()
            if self.parent.is_live:
                self.world.switch.silence(self.parent.port)
                self.runner.set_hears("nothing")
        facts = self._facts()
        kept = {name: fact for name, fact in facts.items() if name in ("RecordingUrl", "RecordingDuration")}
        self.parent.recording_facts = kept
        return await go_on(self.runner, self.node, facts)

    # --- ringing ---

    def _target(self, noun: Node) -> Target:
        media = not self.world.switch.is_silent(self.parent.port)
        if noun.name == "Sip":
            return sip(self.world, sip_target(noun.text), media=media)
        connection_id = self.parent.connection_id
        return number(self.world, noun.text, caller_id=self._caller_id, connection_id=connection_id, media=media)

    @property
    def _caller_id(self) -> str:
        """Without the attribute the caller's own number is shown (assumption S-10)."""
        return self.node.get("callerId") or self.parent.from_

    def _call(self, noun: Node, target: Target) -> None:
        if target.alarm:
            self.parent.call.fail(target.alarm)
        callback = StatusCallback(
            self.runner.absolute(noun.get("statusCallback")),
            noun.get("statusCallbackMethod", "POST"),
            tuple(noun.get("statusCallbackEvent", "completed").split()),
        )
        child = Leg(
            self.world,
            self.parent.call,
            endpoint=target.endpoint,
            from_=self._caller_id,
            to=target.to,
            connection_id=self.parent.connection_id,
            direction="outbound",
            caller_name=self.node.get("fromDisplayName") or self._caller_id,
            parent=self.parent,
            callbacks=(callback,) if callback.url and not target.is_silent else (),
        )
        child.may_answer = self._claim
        self.children.append(child)
        self.nouns[child.call_control_id] = noun
        child.begin()
        self.world.spawn(child.endpoint.ring(child))

    def _claim(self, leg: Leg) -> bool:
        """The first answer wins, at once and before anybody is told; the others lose the race."""
        if self.winner is not None or not self.parent.is_live:
            return False
        self.winner = leg
        for child in self.children:
            if child is not leg:
                child.end(LOST_THE_RACE)
        return True

    async def _ring_back(self) -> None:
        """What the caller hears meanwhile; an unanswered caller hears it too, as from his own network."""
        address = self.node.get("audioUrl")
        sound = await sound_at(self.runner, address, "<Dial audioUrl>") if address else None
        while sound is not None:
            await self.runner.hear(sound.source(), f"a recording: {address}")
        await self.runner.hear(sources.ringback(self.node.get("ringTone", "us")), "ring-back")

    async def _until_somebody_answers(self) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + self.runner.seconds(self.node, "timeout", 30)
        while self.winner is None:
            ringing = [child for child in self.children if child.is_live]
            if not ringing or self.parent.ended.is_set():
                return
            in_time = await first_of(
                self.parent.ended, *(child.settled for child in ringing), timeout_s=max(0, until - clock())
            )
            if not in_time and self.winner is None:
                for child in ringing:
                    child.end(RANG_OUT)

    # --- talking ---

    async def _connect(self, winner: Leg) -> None:
        if not winner.is_live or winner.moved.is_set() or self.parent.ended.is_set():
            return
        self.parent.answer()
        self.world.switch.bridge(self.parent.port, winner.port)
        self.runner.set_hears(self.world.account.name_of(winner.to))
        winner.hears = self.parent.from_
        self.parent.circle = winner.circle = self
        self._start_recordings(winner)
        watchers = [self.world.spawn(task) for task in (self._star(winner), self._recording_limit())]
        try:
            in_time = await first_of(
                self.parent.ended,
                winner.ended,
                winner.moved,
                timeout_s=self.runner.seconds(self.node, "timeLimit", 14_400),
            )
        finally:
            for watcher in watchers:
                watcher.cancel()
            for leg in (self.parent, winner):
                if leg.circle is self:  # else it is in a room already
                    leg.circle = None
        if not in_time:
            winner.end(TIME_LIMIT)

    def listeners(self, leg: Leg) -> tuple[Leg, ...]:
        return tuple(other for other in (self.parent, self.winner) if other is not None and other is not leg)

    async def _whisper(self, winner: Leg) -> None:
        """The noun's `url`: a document for the one who answered, before the two are connected.

        It ends with whoever hears it, and with the caller for whom it was meant.
        """
        from telephony.sandbox.texml.run import Fetch, Runner

        noun = self.nouns[winner.call_control_id]
        if not noun.get("url"):
            return
        whisper = Runner(self.world, winner)
        whisper.base_url = self.runner.base_url
        walking = asyncio.ensure_future(whisper.walk(Fetch(noun.get("url"), noun.get("method", "POST"))))
        winner.document = walking  # so that a REST update of the agent's leg ends it too
        try:
            await self.parent.wait_for(walking)
            if not winner.moved.is_set():
                walking.result()
        except LegGone:
            return
        finally:
            await ended(walking)

    async def _star(self, winner: Leg) -> None:
        """hangupOnStar: the initial caller ends the Dial with `*`."""
        while self.node.flag("hangupOnStar"):
            if await self.parent.digits.get() == "*":
                winner.end(OTHER_SIDE_ENDED)
                return

    async def _recording_limit(self) -> None:
        if limit_s := self.runner.seconds(self.node, "recordMaxLength", 0):
            await asyncio.sleep(limit_s)
            self._stop_recordings()

    def _start_recordings(self, winner: Leg) -> None:
        start = self.world.recordings.start
        for leg, wishes in self._recordings_wanted(winner):
            self.recordings.append(start(leg, left=self.parent.port, right=winner.port, wishes=wishes))

    def _recordings_wanted(self, winner: Leg) -> list[tuple[Leg, Wishes]]:
        """`<Dial record>` and the outbound profile do not know of each other: both may record (gotchas.md 21)."""
        wanted: list[tuple[Leg, Wishes]] = []
        word = self.node.get("record", "do-not-record")
        if word != "do-not-record":
            is_dual = word.endswith("-dual") or self.node.get("recordingChannels") == "dual"
            wishes = Wishes(
                source="DialVerb",
                channels="dual" if is_dual else "single",
                fmt="wav",  # not selectable in Dial (assumption S-20)
                callback_url=self.runner.absolute(self.node.get("recordingStatusCallback")),
                callback_method=self.node.get("recordingStatusCallbackMethod", "POST"),
                callback_events=tuple(self.node.get("recordingStatusCallbackEvent", "completed").split()),
                send_url=self.node.flag("sendRecordingUrl", True),
            )
            wanted.append((self.parent, wishes))
        if profile_wishes := self._profile_wishes(winner):
            wanted.append((winner, profile_wishes))
        return wanted

    def _profile_wishes(self, winner: Leg) -> Wishes | None:
        if winner.endpoint.kind != "pstn" and not self.world.account.settings["profile_records_sip_legs"]:
            return None
        setting = (profile_of(self.world, winner.connection_id) or {}).get("call_recording") or {}
        is_listed = winner.from_ in setting.get("call_recording_caller_phone_numbers", ())
        kind = setting.get("call_recording_type", "none")
        if kind != "all" and not (kind == "by_caller_phone_number" and is_listed):
            return None
        fmt: Format = "mp3" if setting["call_recording_format"] == "mp3" else "wav"
        channels: Channels = "dual" if setting["call_recording_channels"] == "dual" else "single"
        return Wishes(source="Trunking", channels=channels, fmt=fmt, as_event=True)

    # --- the end ---

    def _end_children(self) -> None:
        """Whoever is still there goes: with the parent, or because another document takes the Dial's place."""
        for child in self.children:
            if child.moved.is_set():
                continue
            ending: Ending = OTHER_SIDE_ENDED if child.state == "answered" else PARENT_GONE
            child.end(ending)

    def _stop_recordings(self) -> None:
        for running in self.recordings:
            row = self.world.recordings.stop(running)
            if running.wishes.source == "DialVerb":
                self.recording_row = row
        self.recordings = [running for running in self.recordings if running.row is None]

    def _facts(self) -> dict[str, str]:
        status = self._status()
        told = self.winner or next((child for child in self.children if child.final_status == status), self.children[0])
        facts = {
            "DialCallStatus": status,
            "DialCallSid": told.call_control_id,
            "DialCallSidLegacy": told.call_control_id,
            "DialCallDuration": str(told.duration_s),
        }
        if told.ending is not None and told.ending.error:
            facts |= {"ErrorCode": told.ending.error_code, "ErrorMessage": told.ending.error}
        if self.recording_row is not None:
            facts["RecordingDuration"] = str(round(self.recording_row["duration_millis"] / 1000))
            if self.node.flag("sendRecordingUrl", True):
                facts["RecordingUrl"] = self.world.recordings.fresh_url(self.recording_row)
        return facts

    def _status(self) -> str:
        if self.winner is not None:
            return "completed"
        if self.parent.ended.is_set():
            return "canceled"
        return dial_status([child.final_status for child in self.children])
