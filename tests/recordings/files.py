"""Small recordings, made byte by byte, and the storage that pretends to serve them."""

from __future__ import annotations

import io
import math
import struct
import wave

URL = "http://127.0.0.1:9/recordings/a.mp3"


def wav(seconds: float = 2, *, channels: int = 2, hz: int = 8000) -> bytes:
    """Return a tone: 440 Hz in the first channel, 880 Hz in the second."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(hz)
        tones = (440, 880)[:channels]
        frames = range(int(seconds * hz))
        file.writeframes(
            b"".join(
                struct.pack("<h", int(9000 * math.sin(2 * math.pi * tone * frame / hz)))
                for frame in frames
                for tone in tones
            )
        )
    return buffer.getvalue()


def mp3(frames: int = 100, *, id3: bool = True) -> bytes:
    """Return MPEG 1 layer III at 32 kbit/s, 32 kHz, two channels: 144 bytes and 36 ms a frame."""
    frame = bytes((0xFF, 0xFB, 0x18, 0x00)) + bytes(140)
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x14" + bytes(20) if id3 else b""
    return tag + frame * frames
