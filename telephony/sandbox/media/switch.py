"""Who hears what. One task moves a frame per port every 20 ms; with nobody connected it sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from telephony.sandbox.media.frames import SILENCE, AudioPort, AudioSource, Frame
from telephony.sandbox.media.hearing import NOTHING, Hearing, Opposite, Playing, Room
from telephony.sandbox.media.pace import Pace
from telephony.sandbox.media.parties import Ear, SilentPort, VirtualParty
from telephony.sandbox.media.recorder import QuietRecorder, Recorder, RecordingFormat

logger = logging.getLogger(__name__)


class MediaSwitch:
    """The sound of all calls.

    A port hears exactly one thing at a time: a source (`play`), one other party (`bridge`) or a room (`join`); the
    last word wins. What a port says is heard by whoever was bridged or joined with it, whatever the port itself hears.
    A port is connected from its first mention here until `silence` or its own `close`; meanwhile it is read and written
    every tick, with silence if there is nothing else.

    A `SilentPort` is not moved at all: what it hears ends by the clock, and costs one timer. `time_scale` is how long a
    second of such a sound lasts.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.time_scale = 1.0
        self._hearings: dict[AudioPort, Hearing] = {}
        self._unheard: dict[AudioPort, Playing] = {}
        self._rooms: dict[str, Room] = {}
        self._recorders: list[Recorder] = []
        self._quiet_recorders: list[Recorder] = []
        self._read: tuple[AudioPort, ...] | None = ()
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="media-switch")

    async def stop(self) -> None:
        """End every sound and complete every recording."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for recorder in (*self._recorders, *self._quiet_recorders):
            recorder.stop()
        for port in (*self._hearings, *self._unheard):
            self.silence(port)

    def party(self) -> VirtualParty:
        """Return a new pretend caller."""
        return VirtualParty()

    def is_silent(self, port: AudioPort) -> bool:
        """Whether nobody speaks or listens there, so that time is all that a sound takes."""
        return isinstance(port.of if isinstance(port, Ear) else port, SilentPort)

    # --- who hears what ---

    def play(self, port: AudioPort, source: AudioSource, *, loop: bool = False) -> Playing:
        """Let the port hear the source, from the next tick on; afterwards it hears nothing."""
        playing = Playing(source, loop=loop)
        self._let_hear(port, playing)
        if self.is_silent(port) and source.duration_s is not None and not loop:
            timer = asyncio.get_running_loop().call_later(source.duration_s * self.time_scale, playing.stop)
            playing.done.add_done_callback(lambda _: timer.cancel())
        return playing

    def bridge(self, a: AudioPort, b: AudioPort) -> None:
        """Let the two hear each other, in place of whatever they heard."""
        for port in (a, b):
            self._leave_rooms(port)
            self._stop_being_heard(port)
        self._let_hear(a, Opposite(b))
        self._let_hear(b, Opposite(a))

    def join(self, room: str, port: AudioPort, *, muted: bool = False) -> None:
        """Let the port hear, and be heard by, everybody in the room; it leaves any other room. Muted, it only hears."""
        self._leave_rooms(port)
        self._stop_being_heard(port)
        members = self._rooms.setdefault(room, Room())
        members.members.append(port)
        if muted:
            members.muted.add(port)
        self._let_hear(port, members)

    def mute(self, room: str, port: AudioPort, is_muted: bool) -> None:
        """Let a member be heard no more, or again."""
        members = self._rooms.get(room)
        if members is not None and port in members.members:
            (members.muted.add if is_muted else members.muted.discard)(port)

    def leave(self, room: str, port: AudioPort) -> None:
        """Take the port out of the room; not being in it is no error."""
        members = self._rooms.get(room)
        if members is None or port not in members.members:
            return
        members.members.remove(port)
        members.muted.discard(port)
        if self._hearings.get(port) is members:
            self._hearings[port] = NOTHING
        if not members.members:
            del self._rooms[room]
        self._changed()

    def silence(self, port: AudioPort) -> None:
        """Let the port hear nothing and be heard by nobody, and forget it. A recording of it goes on."""
        self._leave_rooms(port)
        self._end(self._hearings.pop(port, None))
        self._end(self._unheard.pop(port, None))
        self._stop_being_heard(port)
        self._changed()

    # --- recordings ---

    def record(
        self,
        path: Path,
        *,
        left: AudioPort,
        right: AudioPort | None = None,
        fmt: RecordingFormat = "wav",
        mixed: bool = False,
    ) -> Recorder:
        """Record what these parties say, until `stop` of the recorder.

        Two channels; one when there is no right, or when both are to be mixed. Where both are silent nothing is fed:
        the file gets its length on `stop`.
        """
        if self.is_silent(left) and (right is None or self.is_silent(right)):
            quiet = QuietRecorder(
                path,
                left=left,
                right=right,
                fmt=fmt,
                mixed=mixed,
                on_stop=self._quiet_recorders.remove,
                clock=self._clock,
            )
            self._quiet_recorders.append(quiet)
            return quiet
        recorder = Recorder(path, left=left, right=right, fmt=fmt, mixed=mixed, on_stop=self._forget_recorder)
        self._recorders.append(recorder)
        self._changed()
        return recorder

    def _forget_recorder(self, recorder: Recorder) -> None:
        if recorder in self._recorders:
            self._recorders.remove(recorder)
            self._changed()

    # --- the clockwork ---

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            pace = Pace(self._clock())
            while self._wanted.is_set():
                await asyncio.sleep(pace.wait_s(self._clock()))
                for _ in range(pace.take(self._clock())):
                    self._tick_safely()

    def _tick_safely(self) -> None:
        try:
            self.tick()
        except Exception:
            # A clockwork that stands still would silence every call, and nobody would know why.
            logger.exception("A tick of the media switch failed")

    def tick(self) -> None:
        """Move one frame in every direction. Called by the switch's own task."""
        self._forget_closed()
        said = {port: _read(port) for port in self._ports_read()}
        heard: dict[AudioPort, Frame] = {}
        for port, hearing in tuple(self._hearings.items()):
            frame = hearing.frame(port, said)
            if frame is None:
                self._let_hear_nothing(port, hearing)
            heard[port] = SILENCE if frame is None else frame
            _write(port, heard[port])
        for recorder in tuple(self._recorders):
            if not recorder.is_paused:
                self._feed(recorder, said, heard)

    def _feed(self, recorder: Recorder, said: dict[AudioPort, Frame], heard: dict[AudioPort, Frame]) -> None:
        right = None if recorder.right is None else _recorded(recorder.right, said, heard)
        try:
            recorder.feed(said.get(recorder.left, SILENCE), right)
        except Exception:
            logger.exception("Recording %s cannot be written; it ends here", recorder.path.name)
            self._forget_recorder(recorder)

    def _ports_read(self) -> tuple[AudioPort, ...]:
        """Return each port that must be read once per tick: all that listen (their scripts go on), and all heard."""
        if self._read is None:
            ports = dict.fromkeys(self._hearings)
            for hearing in self._hearings.values():
                ports.update(dict.fromkeys(hearing.speakers()))
            for recorder in self._recorders:
                ports[recorder.left] = None
                if recorder.right is not None and not isinstance(recorder.right, Ear):
                    ports[recorder.right] = None
            self._read = tuple(ports)
        return self._read

    def _forget_closed(self) -> None:
        for port in [port for port in self._hearings if port.is_closed]:
            self.silence(port)

    def _let_hear(self, port: AudioPort, hearing: Hearing) -> None:
        if self.is_silent(port):
            self._end(self._unheard.pop(port, None))
            if isinstance(hearing, Playing):
                self._unheard[port] = hearing
            return
        self._forget_closed()
        self._end(self._hearings.get(port))
        self._hearings[port] = hearing
        self._changed()

    def _let_hear_nothing(self, port: AudioPort, hearing: Hearing) -> None:
        # Unless the end of one sound was the beginning of another already.
        if self._hearings.get(port) is hearing:
            self._hearings[port] = NOTHING

    def _leave_rooms(self, port: AudioPort) -> None:
        for room in [name for name, members in self._rooms.items() if port in members.members]:
            self.leave(room, port)

    def _stop_being_heard(self, port: AudioPort) -> None:
        for listener, hearing in tuple(self._hearings.items()):
            if isinstance(hearing, Opposite) and port in hearing.speakers():
                self._hearings[listener] = NOTHING

    @staticmethod
    def _end(hearing: Hearing | None) -> None:
        if isinstance(hearing, Playing):
            hearing.stop()

    def _changed(self) -> None:
        self._read = None
        if self._hearings or self._recorders:
            self._wanted.set()
        else:
            self._wanted.clear()


def _recorded(port: AudioPort, said: dict[AudioPort, Frame], heard: dict[AudioPort, Frame]) -> Frame:
    """What a recorder takes of this port: what it says, or with an Ear what it hears."""
    return heard.get(port.of, SILENCE) if isinstance(port, Ear) else said.get(port, SILENCE)


def _read(port: AudioPort) -> Frame:
    try:
        return port.read()
    except Exception:
        logger.exception("A party cannot be read")
        return SILENCE


def _write(port: AudioPort, frame: Frame) -> None:
    try:
        port.write(frame)
    except Exception:
        logger.exception("A party cannot be written to")
