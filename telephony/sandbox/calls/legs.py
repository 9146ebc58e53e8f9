"""A leg: one party's connection, from its beginning to its one ending, and everybody who is told on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from telephony.sandbox import clock, ids
from telephony.sandbox.calls.endings import Ending
from telephony.sandbox.calls.quality import call_quality_stats
from telephony.sandbox.media.frames import AudioPort

if TYPE_CHECKING:
    from telephony.sandbox.calls.calls import Call
    from telephony.sandbox.recordings import Running
    from telephony.sandbox.world import World

Fields = dict[str, str]


@dataclass
class Utterance:
    """Words that a party says, and when."""

    text: str
    began_at: datetime
    ended_at: datetime | None = None  # not ended yet, or cut short by the end of the leg


class LegGone(Exception):
    """The party is not there any more: whatever was being done for it ends."""


class Endpoint(Protocol):
    """What is at the far end of a leg: a browser, a scripted agent, the pretend telephone network."""

    kind: str

    @property
    def port(self) -> AudioPort: ...

    async def ring(self, leg: Leg) -> None:
        """Begin to ring; from then on the endpoint calls `leg.rang`, `leg.answer_by_party` and `leg.end`."""
        ...

    def answered(self, leg: Leg) -> None:
        """The leg is connected: a script begins."""
        ...

    async def bye(self, ending: Ending) -> None:
        """The other side is over."""
        ...


class Circle(Protocol):
    """People who hear each other: two in a Dial, or a room."""

    def listeners(self, leg: Leg) -> Iterable[Leg]:
        """Return whom a key of this leg reaches."""
        ...


@dataclass(frozen=True)
class StatusCallback:
    url: str
    method: str = "POST"
    events: tuple[str, ...] = ("completed",)


MOST_DIGITS = 256
EVERY_EVENT = ("initiated", "ringing", "answered", "completed")
PROGRESS_STATUS = {"initiated": "initiated", "ringing": "ringing", "answered": "in-progress", "dtmf": "dtmf"}


class Leg:
    """`state` climbs: new → ringing → answered → ended. Each step tells the status callbacks that asked for it."""

    def __init__(
        self,
        world: World,
        call: Call,
        *,
        endpoint: Endpoint,
        from_: str,
        to: str,
        connection_id: str,
        direction: str,
        caller_name: str = "",
        parent: Leg | None = None,
        callbacks: tuple[StatusCallback, ...] = (),
        is_begun_by_party: bool = False,
        sip_username: str = "",
    ) -> None:
        self.is_begun_by_party, self.sip_username = is_begun_by_party, sip_username
        self.world, self.call, self.endpoint = world, call, endpoint
        self.from_, self.to, self.connection_id = from_, to, connection_id
        self.direction, self.caller_name, self.parent, self.callbacks = direction, caller_name, parent, callbacks
        self.call_control_id, self.call_leg_id = ids.new_call_control_id(), ids.new_uuid()
        self.state = "new"
        self.ending: Ending | None = None
        self._hears, self._heard_anew = "nothing", asyncio.Event()
        self.initiated_at = self.hears_since = clock.now()
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.recording_facts: Fields = {}
        self.digits: asyncio.Queue[str] = asyncio.Queue()
        self.said: list[Utterance] = []  # by this party, in words
        self.heard_digits = ""  # the keys that reached this party's ear
        self.recordings: list[Running] = []  # those that run beside the document, ended ones too
        self.listed: list[Running] = []  # those and its documents' own, as the REST address lists them
        self.when_answered: list[Callable[[], object]] = []
        self.circle: Circle | None = None  # in whose company the party talks
        self.settled, self.ended = asyncio.Event(), asyncio.Event()
        self.moved = asyncio.Event()  # a REST update took the leg out of its Dial
        # Whoever rings several at once decides here, before anybody is told, whether this answer is the first.
        self.may_answer: Callable[[Leg], bool] = lambda leg: True
        self.document: asyncio.Task[None] | None = None
        self._sequence = 0
        call.add(self)

    @property
    def port(self) -> AudioPort:
        return self.endpoint.port

    @property
    def is_live(self) -> bool:
        return self.state != "ended"

    @property
    def hears(self) -> str:
        """What reaches the party's ear now, in words."""
        return self._hears

    @hears.setter
    def hears(self, what: str) -> None:
        if what != self._hears:
            self.hears_since = clock.now()
        self._hears = what
        self._heard_anew.set()
        self._heard_anew = asyncio.Event()

    async def until_hears(self, words: str) -> None:
        """Wait until what the party hears has these words in it."""
        while words not in self._hears:
            await self._heard_anew.wait()

    @property
    def status(self) -> str:
        """The word of TeXML REST and of CallStatus for this leg now."""
        if self.ending is not None:
            return self.final_status
        return "in-progress" if self.state == "answered" else "ringing"

    @property
    def final_status(self) -> str:
        assert self.ending is not None
        return "completed" if self.answered_at else self.ending.status

    @property
    def duration_s(self) -> int:
        """Seconds of talk so far, or in all; 0 when nobody answered."""
        if self.answered_at is None:
            return 0
        return round(((self.ended_at or clock.now()) - self.answered_at).total_seconds())

    # --- the climb ---

    def begin(self) -> None:
        self._tell("initiated")

    def rang(self) -> None:
        if self.state == "new":
            self.state = "ringing"
            self._tell("ringing")

    def begins_to_say(self, text: str) -> Utterance:
        """The party says something: whoever writes a recording of it down knows the words."""
        self.said.append(Utterance(text, clock.now()))
        return self.said[-1]

    def answer_by_party(self) -> None:
        """The party picked up; a leg that somebody else won is ended instead (its loser hook does that)."""
        if self.is_live and self.state != "answered" and self.may_answer(self):
            self.answer()

    def answer(self) -> None:
        """Connect. A second call does nothing."""
        if self.state in ("answered", "ended"):
            return
        self.rang()
        self.state = "answered"
        self.answered_at = clock.now()
        self._tell("answered")
        self.settled.set()
        self.endpoint.answered(self)
        for begin in self.when_answered:
            begin()

    def press(self, digit: str) -> None:
        """The party pressed a key."""
        if not self.is_live:
            return
        self.digits.put_nowait(digit)
        for other in self.circle.listeners(self) if self.circle is not None else ():
            other.hear_digit(digit)
        self._tell("dtmf", {"Digit": digit})

    def hear_digit(self, digit: str) -> None:
        """A key of the other side, or one that the API sent, reaches this party."""
        self.heard_digits = (self.heard_digits + digit)[-MOST_DIGITS:]
        self.world.journal.touch()

    def end(self, ending: Ending) -> None:
        """End with this reason; the first one counts."""
        if self.state == "ended":
            return
        self.state, self.ending, self.ended_at = "ended", ending, clock.now()
        self.hears, self.circle = "nothing", None
        self._stop_recordings()
        self.settled.set()
        self.ended.set()
        self.world.switch.silence(self.port)
        self.port.close()
        self.world.spawn(self.endpoint.bye(ending))
        self._tell("completed", self._ending_fields(ending))
        self.call.leg_ended(self)

    def _stop_recordings(self) -> None:
        for running in self.recordings:
            row = self.world.recordings.stop(running)
            self.recording_facts = {
                "RecordingUrl": self.world.recordings.fresh_url(row),
                "RecordingDuration": str(round(row["duration_millis"] / 1000)),
            }

    async def wait_for(self, future: asyncio.Future[None], *, timeout_s: float | None = None) -> None:
        """Wait for what is done for this leg. Raises LegGone when the party leaves first, TimeoutError when late."""
        gone = asyncio.ensure_future(self.ended.wait())
        try:
            done, _ = await asyncio.wait((future, gone), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if self.ended.is_set():
            raise LegGone
        if not done:
            raise TimeoutError

    # --- words ---

    def identity(self) -> Fields:
        """What stands in every request about this leg; all values are texts."""
        fields = {
            "AccountSid": self.world.account.account_sid,
            "CallSid": self.call_control_id,
            "CallSidLegacy": self.call_control_id,
            "From": self.from_,
            "To": self.to,
            "ConnectionId": self.connection_id,
        }
        if self.parent is not None:
            fields["ParentCallSid"] = fields["ParentCallSidLegacy"] = self.parent.call_control_id
        return fields

    def instruction_fields(self) -> Fields:
        """The parameters of an instruction request (webhooks.md section 2). `Direction` is not among them."""
        is_pstn = self.endpoint.kind == "pstn"
        status = "in-progress" if self.is_live else self.final_status
        return self.identity() | {
            "CallerId": self.caller_name or self.from_,
            "CallingPartyType": "pstn" if is_pstn else "sip",
            "FromSipUri": f"{self.from_}@10.239.182.10"
            if is_pstn
            else f"{self.sip_username or self.from_}@sip.telnyx.com",
            "ToSipUri": f"{self.to.removeprefix('sip:').partition('@')[0]}@sip.telnyx.com",
            # What the documents' own example carries, though the leg may not be answered yet (texml.md section 9).
            "CallStatus": status,
        }

    def _ending_fields(self, ending: Ending) -> Fields:
        fields = {"HangupSource": ending.hangup_source, "SipHangupCause": str(ending.sip_code), **self.recording_facts}
        if self.answered_at:
            fields["CallDuration"] = str(self.duration_s)
        if ending.error:
            fields |= {"ErrorCode": ending.error_code or "10015", "ErrorMessage": ending.error}
        if self.final_status != "completed":
            return fields
        assert self.ended_at is not None
        ended = clock.iso(self.ended_at)
        return fields | {
            "AnsweredTime": clock.iso(self.answered_at or self.ended_at),
            "StartTime": clock.iso(self.initiated_at),
            "EndTime": ended,
            "OccurredAt": ended,
            "CallControlId": self.call_control_id,
            "CallLegId": self.call_leg_id,
            "CallSessionId": self.call.session_id,
            **({"CallQualityStats": call_quality_stats(self.duration_s)} if self.endpoint.kind == "sip" else {}),
            "HangupCause": ending.hangup_cause,
            "OrganizationId": self.world.account.account_sid,
            "UserId": self.world.account.account_sid,
        }

    def _tell(self, event: str, extra: Fields | None = None) -> None:
        """Send one progress event. The number counts every event of the leg, asked for or not: 0 is `initiated`."""
        self.world.journal.touch()
        fields = self.identity() | {
            "CallbackSource": "call-progress-events",
            "CallInitiatedAt": clock.iso(self.initiated_at),
            "CallStatus": PROGRESS_STATUS.get(event) or self.final_status,
            "CallerId": self.caller_name or self.from_,
            "SequenceNumber": str(self._sequence),
            "Timestamp": clock.iso(clock.now()),
            **(
                {"Codec": "OPUS", "SamplingRate": "48000"}
                if event == "answered" and self.endpoint.kind != "pstn"
                else {}
            ),
            **(extra or {}),
        }
        self._sequence += 1
        for callback in self.callbacks:
            if event in callback.events:
                self.world.webhooks.notify(
                    callback.url, fields, kind="status", method=callback.method, store=self.call.exchanges.append
                )


async def first_of(*events: asyncio.Event, timeout_s: float | None = None) -> bool:
    """Wait until one of the events is set; False when the time ran out first."""
    waiters = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        done, _ = await asyncio.wait(waiters, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for waiter in waiters:
            waiter.cancel()


async def ended(task: asyncio.Future[None]) -> None:
    """Cancel the task and wait until it has tidied up; how it ended does not matter."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()
