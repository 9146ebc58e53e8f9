"""Ends of a conversation that are not browsers: the pretend caller, and nobody."""

from __future__ import annotations

import numpy as np

from telephony.sandbox.media.frames import (
    FRAME_SAMPLES,
    RATE_HZ,
    SILENCE,
    AudioPort,
    AudioSource,
    Frame,
    Samples,
    peak_hz,
    rms,
)

EAR_S = 10
"""How much of what it heard a party remembers."""
JUDGED_S = 0.5
"""Over how much of the recent past loudness and pitch are measured."""


class SilentPort:
    """A party without media: says nothing, hears nothing, costs nothing. One per leg."""

    def __init__(self) -> None:
        self.is_closed = False

    def read(self) -> Frame:
        return SILENCE

    def write(self, frame: Frame) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


class Ear:
    """What a port hears, as somebody to record: a recorder's right. It says nothing itself, and nobody hears it."""

    def __init__(self, of: AudioPort) -> None:
        self.of = of

    @property
    def is_closed(self) -> bool:
        return self.of.is_closed

    def read(self) -> Frame:
        return SILENCE

    def write(self, frame: Frame) -> None:
        pass

    def close(self) -> None:
        """The port is closed by whoever has it."""


class VirtualParty:
    """The pretend caller on the PSTN: says what it is told to say, and remembers what it hears."""

    def __init__(self) -> None:
        self._saying: AudioSource | None = None
        self._ear = np.zeros(EAR_S * RATE_HZ, np.int16)
        self._heard_samples = 0
        self.is_closed = False

    def say(self, source: AudioSource | None) -> None:
        """Begin to say this, in place of what was being said; None falls silent."""
        self._saying = None if self.is_closed else source

    @property
    def is_saying(self) -> bool:
        """Whether a source is still being said; it moves only while the switch knows this party."""
        return self._saying is not None

    def read(self) -> Frame:
        if self._saying is None:
            return SILENCE
        frame = self._saying.next()
        if frame is None:
            self._saying = None
            return SILENCE
        return frame

    def write(self, frame: Frame) -> None:
        at = self._heard_samples % self._ear.size
        self._ear[at : at + FRAME_SAMPLES] = frame
        self._heard_samples += FRAME_SAMPLES

    def close(self) -> None:
        self.is_closed = True
        self._saying = None

    @property
    def heard_s(self) -> float:
        """For how long this party has been listening."""
        return self._heard_samples / RATE_HZ

    @property
    def heard(self) -> Samples:
        """What was heard, oldest first, at most the last `EAR_S` seconds."""
        return self._last(self._ear.size)

    @property
    def heard_rms(self) -> float:
        """Loudness of about the last half second, as a fraction of full scale."""
        return rms(self._last(int(JUDGED_S * RATE_HZ)))

    @property
    def heard_peak_hz(self) -> float:
        """The strongest frequency of about the last half second, to within 2 Hz; 0.0 for silence."""
        return peak_hz(self._last(int(JUDGED_S * RATE_HZ)))

    def _last(self, samples: int) -> Samples:
        samples = min(samples, self._heard_samples, self._ear.size)
        # The ring is a whole number of frames, so its end is where the next frame will be written.
        end = self._heard_samples % self._ear.size
        return np.take(self._ear, np.arange(end - samples, end), mode="wrap")
