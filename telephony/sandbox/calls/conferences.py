"""Rooms: a conference begins with the first who joins its name, and ends with its last member, or one that ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telephony.sandbox import clock, ids
from telephony.sandbox.calls.legs import Fields, Leg, StatusCallback
from telephony.sandbox.media.frames import SILENCE, AudioPort, AudioSource, Frame

if TYPE_CHECKING:
    from telephony.sandbox.world import World


class MutedPort:
    """A party that hears the room and is not heard in it."""

    def __init__(self, port: AudioPort) -> None:
        self._port = port

    @property
    def is_closed(self) -> bool:
        return self._port.is_closed

    def read(self) -> Frame:
        self._port.read()  # what was said is spent, so that nothing old is heard after the mute
        return SILENCE

    def write(self, frame: Frame) -> None:
        self._port.write(frame)

    def close(self) -> None:
        """The leg closes its own port."""


@dataclass(eq=False)
class Member:
    leg: Leg
    label: str
    is_muted: bool
    is_starter: bool
    is_ender: bool
    wait_sound: Callable[[], AudioSource]
    wait_words: str
    callback: StatusCallback | None
    port: AudioPort = field(init=False)

    def __post_init__(self) -> None:
        self.port = MutedPort(self.leg.port) if self.is_muted else self.leg.port


class Conference:
    def __init__(self, world: World, name: str) -> None:
        self.sid, self.name = ids.new_uuid(), name
        self.members: list[Member] = []
        self.has_started = False
        self.ended = asyncio.Event()
        self._world = world
        self._sequence = 0
        self._callback: StatusCallback | None = None

    def enter(self, member: Member) -> None:
        self.members.append(member)
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
        self._world.switch.leave(self.sid, member.port)
        self._tell("participant-leave", member)
        if not self.members:
            self._tell("conference-end", member)
        if member.is_ender or not self.members:
            self.ended.set()  # whoever is still there now leaves by himself
        else:
            self._arrange()

    def _arrange(self) -> None:
        """Two or more in a started conference hear each other; whoever is alone hears the waiting sound (S-51)."""
        is_talking = self.has_started and len(self.members) > 1
        for member in self.members:
            if member.is_muted:
                # Two ports of one ear: only one of them may be connected.
                self._world.switch.silence(member.leg.port if is_talking else member.port)
            if is_talking:
                self._world.switch.join(self.sid, member.port)
            else:
                self._world.switch.play(member.leg.port, member.wait_sound(), loop=True)
            member.leg.hears = f"the room {self.name}" if is_talking else member.wait_words
        self._world.journal.touch()

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
        self._world.webhooks.notify(
            callback.url, fields, kind="conference", method=callback.method, store=member.leg.call.exchanges.append
        )


class Conferences:
    """The conferences that are up, by name."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_name: dict[str, Conference] = {}

    def named(self, name: str) -> Conference:
        """The conference of that name; a new one when there is none, or the last one has ended."""
        conference = self._by_name.get(name)
        if conference is None or conference.ended.is_set():
            conference = self._by_name[name] = Conference(self._world, name)
        return conference
