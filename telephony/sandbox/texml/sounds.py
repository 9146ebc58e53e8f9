"""Audio that a document names by its address: fetched over HTTP, kept a minute, played by whoever asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp

from telephony.sandbox.bodies import read_whole
from telephony.sandbox.media import sources
from telephony.sandbox.media.clips import Later
from telephony.sandbox.media.frames import AudioSource

if TYPE_CHECKING:
    from telephony.sandbox.calls.legs import Leg
    from telephony.sandbox.texml.run import Runner
    from telephony.sandbox.world import World

LARGEST_AUDIO = 20_000_000
DOWNLOAD_TIMEOUT_S = 10
# A queue plays one file to everybody in it, over and over: Telnyx keeps such files too (assumption S-54).
KEPT_S = 60.0
MOST_KEPT = 8


class Sound:
    """A sound file that can be decoded, as often as it is wanted."""

    def __init__(self, content: bytes) -> None:
        """Raises UnreadableSound."""
        self._content = content
        self.duration_s = sources.file(content).duration_s

    def source(self) -> AudioSource:
        """The whole of it, once."""
        return Later(lambda: sources.file(self._content), duration_s=self.duration_s)


class Sounds:
    """The sounds that documents named lately, by their address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, Sound]] = {}

    async def fetch(self, url: str) -> Sound:
        """Return the sound. Raises CannotFetch, or UnreadableSound for what is no sound file."""
        fetched_at_s, sound = self._kept.get(url, (0.0, None))
        if sound is not None and self._clock() - fetched_at_s < KEPT_S:
            return sound
        sound = Sound(await _download(url))
        self._kept.pop(url, None)
        self._kept[url] = (self._clock(), sound)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return sound

    def clear(self) -> None:
        self._kept.clear()


class CannotFetch(Exception):
    """The address gave no file; the text says why."""


async def sound_at(runner: Runner, address: str, what: str) -> Sound | None:
    """The sound, or None after noting what is wrong: audio that cannot be had is skipped (assumption S-17)."""
    return await sound_for(runner.world, runner.leg, runner.absolute(address), what)


async def sound_for(world: World, leg: Leg, url: str, what: str) -> Sound | None:
    """As `sound_at`, for a leg whose document did not name it."""
    try:
        return await world.sounds.fetch(url)
    except CannotFetch as error:
        leg.call.fail(f"{what} cannot fetch {url}: {error}")
    except sources.UnreadableSound as error:
        leg.call.fail(f"{what} is not a sound (TeXML is documented there, but this sandbox does not play it): {error}")
    return None


async def _download(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=DOWNLOAD_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            content = await read_whole(response, most_bytes=LARGEST_AUDIO)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise CannotFetch(str(error) or type(error).__name__) from error
    if response.status != 200:
        raise CannotFetch(f"answered {response.status}")
    return content
