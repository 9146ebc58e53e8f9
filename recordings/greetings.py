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

from curbe.lib.uploads import LARGEST_BYTES
from recordings import loudness, storage
from recordings.messages import box_for
from telephony.models import VoicemailBox
from telephony.models.voicemail import new_greeting_key
from telephony.queries.plans import owner_of

LONGEST_S: Final = 120
#: What a telephone carries, twice over.
RATE_HZ: Final = 16_000
BITS_PER_S: Final = 48_000


class UnusableGreeting(ValueError):
    """The audio cannot be a greeting. ``code``: empty, large, unknown, long, short, silent."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def keep_greeting(box: VoicemailBox, file: BinaryIO, size_bytes: int) -> VoicemailBox:
    """Make the audio the box's greeting, and return the box as it is then.

    Raises UnusableGreeting, and UnableToKeep while the storage does not take it; both change nothing.

    1. check and convert; 2. store it under its new name; 3. write the row, by which the plan is published; 4. when that
    is committed, delete the greeting before it.
    """
    audio, duration_s = to_mp3(file, size_bytes)
    key = new_greeting_key()
    # What is said in the row may change while this is converted and stored: the row is read, and locked, after it.
    stored = VoicemailBox(company=box.company, greeting_key=key)
    try:
        stored.greeting.save("greeting.mp3", ContentFile(audio), save=False)
    except Exception as err:
        raise storage.said(err) from err
    try:
        return _take_over(box, stored, max(1, round(duration_s)))
    except Exception:
        stored.greeting.storage.delete(str(stored.greeting.name))
        raise


def _take_over(box: VoicemailBox, stored: VoicemailBox, length_s: int) -> VoicemailBox:
    with transaction.atomic():
        known = box if box.pk else box_for(box.company_id, owner_of(box))
        row = VoicemailBox.objects.select_for_update().get(pk=known.pk)
        delete_after_commit(row)
        row.greeting, row.greeting_key, row.greeting_s = stored.greeting.name, stored.greeting_key, length_s
        row.save(update_fields=_COLUMNS)
    return row


_COLUMNS: Final = ("greeting", "greeting_key", "greeting_s")


def forget_greeting(box: VoicemailBox) -> None:
    """Take the recorded greeting away; callers hear the box's text again."""
    with transaction.atomic():
        row = VoicemailBox.objects.select_for_update().filter(pk=box.pk).first()
        if row is None or not row.greeting:
            return
        delete_after_commit(row)
        row.greeting, row.greeting_key, row.greeting_s = "", "", 0
        row.save(update_fields=_COLUMNS)


def delete_after_commit(box: VoicemailBox) -> None:
    """Have the storage delete a box's recorded greeting once this transaction is committed."""
    if box.greeting.name:
        transaction.on_commit(partial(_delete, box.greeting.storage, box.greeting.name), robust=True)


def _delete(kept_in: Storage, name: str) -> None:
    kept_in.delete(name)


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
