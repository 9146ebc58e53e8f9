"""Is this audio, whole, and how long? Judged by the bytes themselves, never by what anybody calls them. Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final


class NotAudio(ValueError):
    """The bytes are not a whole recording; ``str()`` says in words what they are."""


@dataclass(frozen=True, slots=True)
class Audio:
    content_type: str
    extension: str
    #: Whole seconds, at least 1; None where the bytes do not say.
    duration_s: int | None
    channels: int


def judge(file: BinaryIO, size_bytes: int) -> Audio:
    """Return what the file holds. Raises NotAudio for a page, an error document, nothing, or half a recording."""
    if size_bytes == 0:
        raise NotAudio("the file is empty")
    file.seek(0)
    head = file.read(64)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _wav(file, size_bytes)
    if head[:3] == b"ID3" or _mp3_frame(head) is not None:
        return _mp3(file, size_bytes)
    raise NotAudio(_what_else(head))


def _what_else(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head")):
        return "the link led to a web page instead of audio"
    if start.startswith(b"<"):
        return "the link led to an XML document (usually: the link has expired) instead of audio"
    if start.startswith((b"{", b"[")):
        return "the link led to JSON instead of audio"
    return "the file is neither WAV nor MP3"


# --- WAV: RIFF chunks, little-endian ------------------------------------------------------------------------------


def _wav(file: BinaryIO, size_bytes: int) -> Audio:
    position, channels, bytes_per_s = 12, 0, 0
    while position + 8 <= size_bytes:
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            break
        name, length = struct.unpack("<4sI", header)
        if name == b"fmt ":
            fields = file.read(16)
            if len(fields) < 16:
                break
            _, channels, _, bytes_per_s = struct.unpack("<HHII", fields[:12])
        if name == b"data":
            return _wav_data(length, size_bytes - position - 8, channels, bytes_per_s)
        # Chunks are padded to an even length.
        position += 8 + length + length % 2
    raise NotAudio("the WAV file has no sound in it")


def _wav_data(declared: int, present: int, channels: int, bytes_per_s: int) -> Audio:
    if not channels or not bytes_per_s:
        raise NotAudio("the WAV file does not say what its sound is")
    # A stream that did not know its length writes 0 or all ones.
    known = declared not in {0, 0xFFFF_FFFF}
    if known and present < declared:
        raise NotAudio(f"the WAV file was cut short: {present} of {declared} bytes of sound")
    length = declared if known else present
    if length == 0:
        raise NotAudio("the WAV file has no sound in it")
    return Audio("audio/wav", "wav", max(1, round(length / bytes_per_s)), min(channels, 2))


# --- MP3: frames of MPEG 1, 2 and 2.5, layer III (ISO 11172-3, 13818-3) -------------------------------------------

_KBPS_MPEG1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_MPEG2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HZ: Final = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
#: Reading frames of a whole night of talk takes a second; longer is not worth knowing.
_MOST_FRAMES: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class _Frame:
    length_bytes: int
    samples: int
    hz: int
    channels: int


def _mp3_frame(header: bytes) -> _Frame | None:
    """Read the four bytes that begin a frame; None if they do not."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = (header[1] >> 3) & 3, (header[1] >> 1) & 3
    rate, sampling = header[2] >> 4, (header[2] >> 2) & 3
    if version == 1 or layer != 1 or rate in {0, 15} or sampling == 3:
        return None
    kbps = (_KBPS_MPEG1 if version == 3 else _KBPS_MPEG2)[rate]
    hz = _HZ[version][sampling]
    samples = 1152 if version == 3 else 576
    padding = (header[2] >> 1) & 1
    return _Frame(samples // 8 * kbps * 1000 // hz + padding, samples, hz, 1 if header[3] >> 6 == 3 else 2)


def _mp3(file: BinaryIO, size_bytes: int) -> Audio:
    position = _after_id3(file)
    frames, seconds, channels = 0, 0.0, 0
    while position + 4 <= size_bytes and frames < _MOST_FRAMES:
        file.seek(position)
        frame = _mp3_frame(file.read(4))
        if frame is None or frame.length_bytes < 4:
            # Tags of other kinds may follow the sound.
            break
        frames += 1
        seconds += frame.samples / frame.hz
        channels = max(channels, frame.channels)
        position += frame.length_bytes
    if frames < 2:
        raise NotAudio("the MP3 file has no sound in it")
    return Audio("audio/mpeg", "mp3", max(1, round(seconds)), channels)


def _after_id3(file: BinaryIO) -> int:
    file.seek(0)
    head = file.read(10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    # Four bytes of seven bits each; a footer of ten bytes if the flag says so.
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return 10 + size + (10 if head[5] & 0x10 else 0)
