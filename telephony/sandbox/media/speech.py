"""Text to speech: espeak-ng if the machine has it, else a run of tones that differs by language.

Either way a test can tell who spoke which language: by ear, or by the pitch in `SPEECH_TONE_HZ`.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import shutil
import wave
import zlib
from collections import OrderedDict

import numpy as np

from telephony.sandbox.media.clips import Clip, Later
from telephony.sandbox.media.frames import FULL_SCALE, RATE_HZ, AudioSource, Samples

logger = logging.getLogger(__name__)

WORDS_PER_MINUTE = 165
WORD_SAMPLES = RATE_HZ * 60 // WORDS_PER_MINUTE
# TeXML's Say takes at most 4096 characters; nothing longer is ever spoken.
MAX_CHARACTERS = 4096
SYNTHESIS_TIMEOUT_S = 10
PHRASES_KEPT = 64

# The exact language tag first, then its first part; None is everything else.
VOICES: dict[str | None, str] = {
    "en-gb": "en-gb", "en": "en-us", "es-es": "es", "es": "es-419", "pt-br": "pt-br", "pt": "pt", "fr": "fr-fr",
    "de": "de", "it": "it", None: "en-us",
}  # fmt: skip
SPEECH_TONE_HZ: dict[str | None, float] = {"en": 520.0, "es": 620.0, None: 720.0}

# Phrases are repeated all day ("all our agents are busy"); a phrase is synthesised once per process.
_spoken: OrderedDict[tuple[str, str], Samples] = OrderedDict()


async def speech(text: str, language: str = "en-US", *, real: bool = True) -> AudioSource:
    """Return the spoken text, ready to play.

    With `real=False`, or without espeak-ng, or when it fails, the result is a tone per language of about the same
    length. Never raises for any text or language and never blocks the loop.
    """
    text = text.strip()[:MAX_CHARACTERS]
    if not real:
        return Later(lambda: Clip(toned_speech(text, language)), duration_s=_word_count(text) * WORD_SAMPLES / RATE_HZ)
    return Clip(await _samples(text, language))


async def _samples(text: str, language: str) -> Samples:
    espeak = shutil.which("espeak-ng")
    if espeak is None or not text:
        return toned_speech(text, language)
    key = (voice_of(language), text)
    if key in _spoken:
        _spoken.move_to_end(key)
        return _spoken[key]
    try:
        samples = await _synthesise(espeak, key[0], text)
    except (OSError, TimeoutError, wave.Error, EOFError, ValueError) as err:
        logger.warning("espeak-ng could not speak %d characters in %s: %r", len(text), language[:20], err)
        return toned_speech(text, language)
    _spoken[key] = samples
    if len(_spoken) > PHRASES_KEPT:
        _spoken.popitem(last=False)
    return samples


async def _synthesise(espeak: str, voice: str, text: str) -> Samples:
    process = await asyncio.create_subprocess_exec(
        espeak, "--stdin", "--stdout", "-b", "1", "-v", voice, "-s", str(WORDS_PER_MINUTE),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        # By standard input: a text that begins with "-" is then no option.
        wav, _ = await asyncio.wait_for(process.communicate(text.encode()), SYNTHESIS_TIMEOUT_S)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    # Minutes of speech take a tenth of a second to resample: not on the loop that ticks.
    return await asyncio.to_thread(wav_samples, wav)


def wav_samples(wav: bytes) -> Samples:
    """Return a mono 16-bit WAV at `RATE_HZ`; ValueError, EOFError or wave.Error if it is not one."""
    with wave.open(io.BytesIO(wav)) as sound:
        if (sound.getnchannels(), sound.getsampwidth()) != (1, 2):
            raise ValueError("expected a mono 16-bit WAV")
        rate_hz, samples = sound.getframerate(), np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    if not samples.size:
        raise ValueError("the WAV is empty")
    # Linear interpolation: 22 kHz speech to 16 kHz loses nothing that a telephone would carry.
    at = np.arange(int(samples.size * RATE_HZ / rate_hz)) * rate_hz / RATE_HZ
    resampled: Samples = np.interp(at, np.arange(samples.size), samples).astype(np.int16)
    return resampled


def voice_of(language: str) -> str:
    """Return espeak-ng's voice for a tag such as "es-MX"; English if it is unknown."""
    tag = language.lower()
    return VOICES.get(tag) or VOICES.get(tag.split("-")[0]) or VOICES[None]


def toned_speech(text: str, language: str) -> Samples:
    """Return one short tone per word, at the pitch of the language, as long as the words would take."""
    words = text.split() or [""]
    hz = SPEECH_TONE_HZ.get(language.lower().split("-")[0], SPEECH_TONE_HZ[None])
    at_s = np.arange(WORD_SAMPLES) / RATE_HZ
    # The last fifth of each word is the gap to the next; its loudness differs, so that texts can be told apart.
    is_sounding = at_s < 0.8 * WORD_SAMPLES / RATE_HZ
    word = np.sin(2 * np.pi * hz * at_s) * is_sounding * FULL_SCALE
    loudness = (0.2 + 0.2 * (zlib.crc32(w.encode()) % 100) / 100 for w in words)
    return np.concatenate([(word * amplitude).astype(np.int16) for amplitude in loudness])


def _word_count(text: str) -> int:
    return max(1, len(text.split()))
