"""What somebody answered, read whole."""

from __future__ import annotations

import aiohttp


class TooLong(aiohttp.ClientPayloadError):
    """The answer is longer than whoever asked will read."""


async def read_whole(response: aiohttp.ClientResponse, *, most_bytes: int) -> bytes:
    """Return the whole body. Raises TooLong past the limit.

    `StreamReader.read(n)` returns what has arrived so far: an answer sent in two writes would be cut in the middle.
    """
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_chunked(65_536):
        length += len(part)
        if length > most_bytes:
            raise TooLong(f"the answer is longer than {most_bytes} bytes")
        parts.append(part)
    return b"".join(parts)
