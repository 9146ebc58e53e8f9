"""An answer that comes in pieces is read whole; one that never ends is not."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web

from telephony.sandbox.bodies import TooLong, read_whole

PIECES = (b"<Response><Say>Hello", b" world</Say>", b"</Response>")


async def slowly(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for piece in PIECES:
        await response.write(piece)
        await asyncio.sleep(0.02)  # each piece is a packet of its own: that is what is tried
    return response


def read(most_bytes: int) -> bytes:
    async def ask() -> bytes:
        app = web.Application()
        app.router.add_get("/", slowly)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://{host}:{port}/") as response:
                return await read_whole(response, most_bytes=most_bytes)
        finally:
            await runner.cleanup()

    return asyncio.run(ask())


def test_an_answer_in_several_writes_is_one_document() -> None:
    assert read(10_000) == b"".join(PIECES)


def test_an_answer_without_an_end_is_refused() -> None:
    with pytest.raises(TooLong):
        read(25)
