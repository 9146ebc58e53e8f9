"""Audio on its way out, so that nobody who listens slowly holds what a call needs.

A thread of the web process is free as soon as it has handed its last byte to the server, which it does at once when
there is only one piece. Of several pieces, each waits until the listener took the one before: such answers are few at
a time, and calls keep the other threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import IO, Any, Final

from django.conf import settings

from recordings.ranges import Part

#: A minute of two uncompressed channels; the most that is handed over in one piece.
PIECE_BYTES: Final = 1024 * 1024


class TooManyStreams(Exception):
    """As many whole files are on their way as threads can be spared."""


_seats: Final = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


class Stream(Iterator[bytes]):
    """A part of a file, piece by piece. Raises TooManyStreams. Closes the file when it is closed or dropped."""

    def __init__(self, file: IO[bytes], part: Part) -> None:
        self._file = file
        self._next, self._last = part.first, part.last
        self._has_seat = _seats.acquire(blocking=False)
        if not self._has_seat:
            raise TooManyStreams

    def __next__(self) -> bytes:
        if self._next > self._last:
            raise StopIteration
        piece = read(self._file, Part(self._next, min(self._next + PIECE_BYTES - 1, self._last)))
        if not piece:
            raise StopIteration
        self._next += len(piece)
        return piece

    def close(self) -> None:
        if self._has_seat:
            self._has_seat = False
            _seats.release()
        self._file.close()

    def __del__(self) -> None:
        # An answer that an error replaces is never closed by the server.
        self.close()


def clipped(part: Part) -> Part:
    """Return the beginning of the part, as much as is handed over in one piece. Players ask for the rest by themselves.

    A server may send less than it was asked for: Content-Range says what it is (RFC 9110, section 15.3.7).
    """
    return Part(part.first, min(part.last, part.first + PIECE_BYTES - 1))


def read(file: IO[bytes], part: Part) -> bytes:
    """Return the bytes of a part of a file that a storage opened."""
    # django-storages would fetch all of an object of S3 to read a piece of it.
    remote: Any = getattr(file, "obj", None)
    if remote is not None:
        return bytes(remote.get(Range=f"bytes={part.first}-{part.last}")["Body"].read())
    file.seek(part.first)
    return file.read(part.length)
