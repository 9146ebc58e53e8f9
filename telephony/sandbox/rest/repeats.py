"""`Idempotency-Key`: a request that is sent again gets the answer of the first one, and makes nothing twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from telephony.sandbox.rest.errors import ApiError, Problem

HEADER = "Idempotency-Key"
# The addresses among ours at which PyPI telnyx 4.189.0 knows the header (rest-api.md section 3).
DOCUMENTED = {
    ("POST", "/v2/telephony_credentials"),
    ("POST", "/v2/telephony_credentials/{id}/token"),
}
KEPT_S = 24 * 3600.0  # not published (assumption S-57)


@dataclass
class _Seen:
    body: bytes
    at_s: float
    answer: tuple[int, str, str] | None = None  # status, text, content type
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Repeats:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[tuple[str, str], _Seen] = {}

    async def answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Run the handler, or give its earlier answer. Raises ApiError, as the handler does.

        Only successes are kept: after a failure the same key tries again. Two at once take turns.
        """
        key = request.headers.get(HEADER)
        if key is None:
            return await handler(request)
        resource = request.match_info.route.resource
        if resource is None or (request.method, resource.canonical) not in DOCUMENTED:
            # To ignore it would be to promise that a repetition does no harm.
            raise ApiError(422, Problem("10015", f"{HEADER} is not documented for {request.method} {request.path}."))
        body = await request.read()
        at_s = self._clock()
        self._seen = {name: seen for name, seen in self._seen.items() if at_s - seen.at_s < KEPT_S}
        seen = self._seen.setdefault((request.path, key), _Seen(body, at_s))
        if seen.body != body:
            raise ApiError(422, Problem("10027", f"This {HEADER} came with another body before."))
        async with seen.turn:
            if seen.answer is None:
                response = await handler(request)
                if isinstance(response, web.Response) and response.status < 300:
                    seen.answer = (response.status, response.text or "", response.content_type)
                return response
            status, text, content_type = seen.answer
            return web.Response(status=status, text=text, content_type=content_type)

    def clear(self) -> None:
        self._seen.clear()
