"""Recorded greetings of voicemail boxes: made in a browser or sent as a file, checked, and turned into an MP3.

Telnyx plays them from an address of ours that nobody can guess. A new recording has a new address, so that nobody's
cache plays the old one.
"""

from __future__ import annotations

import io
from array import array
from fractions import Fraction
from functools import partial
from typing import Any, BinaryIO, Final

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction

from recordings import loudness
from telephony.models import VoicemailBox
from telephony.models.voicemail import new_greeting_key

LONGEST_S: Final = 120
LARGEST_BYTES: Final = 10 * 1024**2
#: What a telephone carries, twice over.
RATE_HZ: Final = 16_000
BITS_PER_S: Final = 48_000


class UnusableGreeting(ValueError):
    """The audio cannot be a greeting. ``code``: empty, large, unknown, long, short, silent."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def keep_greeting(box: VoicemailBox, file: BinaryIO, size_bytes: int) -> VoicemailBox:
    """Make the audio the box's greeting, and return the box. Raises UnusableGreeting, and then changes nothing.

    1. check and convert; 2. store it under its new name; 3. write the row, by which the plan is published; 4. when that
    is committed, delete the greeting before it.
    """
    audio, duration_s = to_mp3(file, size_bytes)
    before, storage = box.greeting.name, box.greeting.storage
    box.greeting_key = new_greeting_key()
    box.greeting.save("greeting.mp3", ContentFile(audio), save=False)
    box.greeting_s = max(1, round(duration_s))
    try:
        with transaction.atomic():
            box.save()
            if before:
                transaction.on_commit(partial(storage.delete, before), robust=True)
    except Exception:
        storage.delete(str(box.greeting.name))
        raise
    return box


def forget_greeting(box: VoicemailBox) -> None:
    """Take the recorded greeting away; callers hear the box's text again."""
    name, storage = box.greeting.name, box.greeting.storage
    if not name:
        return
    box.greeting, box.greeting_key, box.greeting_s = "", "", 0
    with transaction.atomic():
        box.save(update_fields=["greeting", "greeting_key", "greeting_s"])
        transaction.on_commit(partial(_delete, storage, name), robust=True)


def _delete(storage: Storage, name: str) -> None:
    storage.delete(name)


def to_mp3(file: BinaryIO, size_bytes: int) -> tuple[bytes, float]:
    """Return the audio as an MP3 of one channel, and its length in seconds. Raises UnusableGreeting."""
    import av

    if size_bytes == 0:
        raise UnusableGreeting("empty")
    if size_bytes > LARGEST_BYTES:
        raise UnusableGreeting("large")
    made = io.BytesIO()
    try:
        with av.open(made, "w", format="mp3") as out:
            stream = out.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
            stream.bit_rate = BITS_PER_S
            to_stream = av.AudioResampler(format=stream.format.name, layout="mono", rate=RATE_HZ)
            heard = _Heard()
            for piece in loudness.decoded(file):
                heard.add(piece)
                for resampled in to_stream.resample(_frame(piece, at=heard.samples - len(piece))):
                    out.mux(stream.encode(resampled))
            for resampled in to_stream.resample(None):
                out.mux(stream.encode(resampled))
            out.mux(stream.encode(None))
    except loudness.Unreadable as err:
        raise UnusableGreeting("unknown") from err
    heard.check()
    return made.getvalue(), heard.duration_s


class _Heard:
    """What has been decoded so far: how long it is, and whether any of it can be heard."""

    def __init__(self) -> None:
        self.samples = 0
        self._loudest = 0

    def add(self, piece: array[int]) -> None:
        self.samples += len(piece)
        if piece:
            self._loudest = max(self._loudest, max(piece), -min(piece))
        # The rest of an endless file is not decoded.
        if self.duration_s > LONGEST_S + 0.5:
            raise UnusableGreeting("long")

    @property
    def duration_s(self) -> float:
        return self.samples / loudness.RATE_HZ

    def check(self) -> None:
        if self.duration_s < 1:
            raise UnusableGreeting("short")
        if self._loudest < loudness.AUDIBLE_RMS:
            raise UnusableGreeting("silent")


def _frame(piece: array[int], *, at: int) -> Any:
    import av

    frame = av.AudioFrame(format="s16", layout="mono", samples=len(piece))
    frame.planes[0].update(piece.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.rate = loudness.RATE_HZ
    frame.time_base = Fraction(1, loudness.RATE_HZ)
    frame.pts = at
    return frame
