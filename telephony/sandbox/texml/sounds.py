"""Audio that a document names by its address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from telephony.sandbox.bodies import read_whole
from telephony.sandbox.media import sources
from telephony.sandbox.media.frames import AudioSource

if TYPE_CHECKING:
    from telephony.sandbox.texml.run import Runner

LARGEST_AUDIO = 20_000_000
DOWNLOAD_TIMEOUT_S = 10


async def download(runner: Runner, address: str, what: str) -> bytes | None:
    """The bytes, or None after noting what is wrong: audio that cannot be fetched is skipped (assumption S-17)."""
    url = runner.absolute(address)
    timeout = aiohttp.ClientTimeout(total=DOWNLOAD_TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            sound = await read_whole(response, most_bytes=LARGEST_AUDIO)
            if response.status == 200:
                return sound
            problem = f"answered {response.status}"
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        problem = str(error) or type(error).__name__
    runner.leg.call.fail(f"{what} cannot fetch {url}: {problem}")
    return None


def decode(runner: Runner, sound: bytes, what: str) -> AudioSource | None:
    """A source that plays these bytes once, or None after noting that they are no sound."""
    try:
        return sources.file(sound)
    except sources.UnreadableSound as error:
        runner.leg.call.fail(f"{what} is not a sound: {error}")
        return None
