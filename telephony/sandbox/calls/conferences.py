"""Rooms: a conference begins with the first who joins its name, and ends with its last member, or one that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from telephony.sandbox import clock, ids
from telephony.sandbox.calls.legs import Fields, Leg, StatusCallback
from telephony.sandbox.media import sources
from telephony.sandbox.media.frames import AudioSource
from telephony.sandbox.webhooks import form_message

if TYPE_CHECKING:
    from telephony.sandbox.world import World

ENDER_LEFT = "participant-with-end-conference-on-exit-left"
LAST_LEFT = "last-participant-left"
ENDED_BY_API = "conference-ended-via-api"


@dataclass(frozen=True)
class Tune:
    """What somebody hears who is not in the talk, and how it is called."""

    sound: Callable[[], AudioSource] = sources.music
    words: str = "music"


@dataclass(eq=False)
class Member:
    leg: Leg
    label: str
    is_muted: bool
    is_starter: bool
    is_ender: bool
    wait: Tune
    callback: StatusCallback | None
    hold: Tune | None = None  # heard instead of the room; None: not on hold
    hears: Tune | str = ""  # what the switch was told last; the room's name stands for the room

    def __post_init__(self) -> None:
        self.joined_at = self.updated_at = clock.now()

    @property
    def is_heard(self) -> bool:
        return not self.is_muted and self.hold is None


class Conference:
    def __init__(self, world: World, name: str) -> None:
        self.sid, self.name = ids.new_uuid(), name
        self.members: list[Member] = []
        self.has_started = False
        self.ended = asyncio.Event()
        self.why_ended: str | None = None
        self.ended_by = ""  # the CallSid of the member whose leaving ended it
        self.created_at = self.updated_at = clock.now()
        self._world = world
        self._sequence = 0
        self._callback: StatusCallback | None = None

    @property
    def status(self) -> str:
        if self.ended.is_set():
            return "completed"
        return "in-progress" if self.has_started else "init"

    def member(self, name: str) -> Member | None:
        """The member of that CallSid, or label."""
        return next((member for member in self.members if name in (member.leg.call_control_id, member.label)), None)

    def enter(self, member: Member) -> None:
        self.members.append(member)
        member.leg.circle = self
        self._callback = self._callback or member.callback
        self._tell("participant-join", member)
        if member.is_starter and not self.has_started:
            self.has_started = True
            self._tell("conference-start", member)
        self._arrange()

    def leave(self, member: Member) -> None:
        """Take the member out; the conference ends with a member that ends it, or with its last one."""
        if member not in self.members:
            return
        self.members.remove(member)
        self._world.switch.leave(self.sid, member.leg.port)
        if member.leg.circle is self:  # else it is in another company already
            member.leg.circle = None
        self._tell("participant-leave", member)
        if member.is_ender or not self.members:
            self._end(ENDER_LEFT if member.is_ender else LAST_LEFT, member.leg.call_control_id)
        if not self.members:
            self._tell("conference-end", member)
        if not self.ended.is_set():
            self._arrange()

    def end_by_api(self) -> None:
        """From now on nobody may join; whoever is in it is hung up by the caller of this."""
        self._end(ENDED_BY_API, "")

    def mute(self, member: Member, is_muted: bool) -> None:
        member.is_muted = is_muted
        self._world.switch.mute(self.sid, member.leg.port, is_muted)
        self._changed(member)

    def put_on_hold(self, member: Member, tune: Tune) -> None:
        """From now on the member hears this, nobody hears the member, and the member hears nobody."""
        member.hold = tune
        self._changed(member)

    def take_off_hold(self, member: Member) -> None:
        member.hold = None
        self._changed(member)

    def set_wait(self, member: Member, tune: Tune) -> None:
        member.wait = tune
        self._changed(member)

    def listeners(self, leg: Leg) -> tuple[Leg, ...]:
        """Whom a key of this leg reaches: as its voice would (assumption S-64)."""
        speaker = self.member(leg.call_control_id)
        if speaker is None or not speaker.is_heard or not self._is_talking:
            return ()
        return tuple(other.leg for other in self.members if other is not speaker and other.hold is None)

    @property
    def _is_talking(self) -> bool:
        return self.has_started and len(self.members) > 1

    def _end(self, why: str, ended_by: str) -> None:
        if not self.ended.is_set():
            self.why_ended, self.ended_by, self.updated_at = why, ended_by, clock.now()
            self.ended.set()  # whoever is still there now leaves by himself

    def _changed(self, member: Member) -> None:
        member.updated_at = clock.now()
        self._arrange()

    def _arrange(self) -> None:
        """Two or more in a started conference hear each other; whoever is alone hears the waiting sound (S-51)."""
        self.updated_at = clock.now()
        for member in self.members:
            wanted = member.hold or (self.name if self._is_talking else member.wait)
            if wanted is member.hears:
                continue  # what sounds already would begin anew
            member.hears = wanted
            self._place(member, wanted)
        self._world.journal.touch()

    def _place(self, member: Member, wanted: Tune | str) -> None:
        switch, leg = self._world.switch, member.leg
        switch.leave(self.sid, leg.port)
        if isinstance(wanted, Tune):
            switch.play(leg.port, wanted.sound(), loop=True)
            leg.hears = f"on hold: {wanted.words}" if wanted is member.hold else wanted.words
            return
        switch.join(self.sid, leg.port, muted=member.is_muted)
        leg.hears = f"the room {self.name}"

    def _tell(self, event: str, member: Member) -> None:
        """Field names are not published: those of Twilio, which Telnyx follows elsewhere (assumption S-50)."""
        callback = self._callback
        if callback is None or event.rpartition("-")[2] not in callback.events:
            return
        fields: Fields = {
            "AccountSid": self._world.account.account_sid,
            "ConferenceSid": self.sid,
            "FriendlyName": self.name,
            "StatusCallbackEvent": event,
            "CallSid": member.leg.call_control_id,
            "CallSidLegacy": member.leg.call_control_id,
            "ConnectionId": member.leg.connection_id,
            "SequenceNumber": str(self._sequence),
            "Timestamp": clock.iso(clock.now()),
        }
        if member.label:
            fields["ParticipantLabel"] = member.label
        self._sequence += 1
        store = member.leg.call.exchanges.append
        if self._world.trouble.switches.lose_conference_callbacks:
            message = form_message("conference", callback.url, fields, method=callback.method, store=store)
            self._world.webhooks.drop(message)
            return
        self._world.webhooks.notify(callback.url, fields, kind="conference", method=callback.method, store=store)


class Conferences:
    """All conferences since the start, newest last; those that are up also by name."""

    KEPT = 500

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_name: dict[str, Conference] = {}
        self._by_sid: dict[str, Conference] = {}

    def named(self, name: str) -> Conference:
        """The conference of that name; a new one when there is none, or the last one has ended."""
        conference = self._by_name.get(name)
        if conference is None or conference.ended.is_set():
            conference = self._by_name[name] = Conference(self._world, name)
            self._by_sid[conference.sid] = conference
            self._forget_oldest()
        return conference

    def of_sid(self, sid: str) -> Conference | None:
        return self._by_sid.get(sid)

    def newest_first(self) -> Iterator[Conference]:
        return reversed(self._by_sid.values())

    def clear(self) -> None:
        self._by_name.clear()
        self._by_sid.clear()

    def _forget_oldest(self) -> None:
        too_many = len(self._by_sid) - self.KEPT
        if too_many <= 0:
            return
        over = (conference for conference in self._by_sid.values() if conference.ended.is_set())
        for conference in list(islice(over, too_many)):
            del self._by_sid[conference.sid]
            if self._by_name.get(conference.name) is conference:
                del self._by_name[conference.name]
