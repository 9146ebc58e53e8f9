"""Around every address of the API: key, trouble, errors in Telnyx's form, envelopes, the journal."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import web

from telephony.sandbox.rest.errors import ApiError, Problem, not_found
from telephony.sandbox.trouble import Refusal

if TYPE_CHECKING:
    from telephony.sandbox.world import World

WORLD: web.AppKey[World] = web.AppKey("world")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
DEFAULT_PAGE_SIZE = 20


def world_of(request: web.Request) -> World:
    return request.app[WORLD]


@web.middleware
async def api_v2(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything under /v2 passes here; other addresses pass untouched."""
    if not request.path.startswith("/v2/"):
        return await handler(request)
    world = world_of(request)
    raw = await request.read()
    exchange = world.journal.exchange(
        direction="in", kind="rest", method=request.method, url=request.path_qs, body=raw.decode("utf-8", "replace")
    )
    started = time.monotonic()
    response = await _answer(world, request, handler)
    text = response.text if isinstance(response, web.Response) and response.text else ""
    exchange.close(
        outcome="answered" if response.status < 400 else "failed",
        status=response.status,
        answer=text,
        took_s=time.monotonic() - started,
    )
    # What names a call stands with that call; the rest would only push it out of sight.
    call = world.calls.call_named_in(request.path)
    (call.exchanges if call else world.journal.loose_exchanges).append(exchange)
    world.journal.touch()
    if response.status in (400, 403, 404, 422):
        world.journal.info(
            f"API: {request.method} {request.path} answered {response.status}", call_id=call.id if call else None
        )
    return response


async def _answer(world: World, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        switches = world.trouble.switches
        await trouble(request, slow_ms=switches.slow_api_ms, refusal=switches.refuse_api)
        _authenticate(request)
        return await world.repeats.answer(request, handler)
    except ApiError as error:
        return _error(error)
    except web.HTTPNotFound:
        return _error(not_found(f"{request.method} {request.path}"))
    except web.HTTPMethodNotAllowed:
        return _error(ApiError(405, Problem("10015", f"{request.method} is not allowed on {request.path}.")))


def _error(error: ApiError) -> web.Response:
    # The header names are documented, the limits are not (rest-api.md section 3).
    limits = {"x-ratelimit-limit": "20", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}
    headers = limits if error.status == 429 else None
    return web.json_response(error.body(), status=error.status, headers=headers)


async def trouble(request: web.Request, *, slow_ms: int, refusal: Refusal) -> None:
    """Let the request wait, and then fail it in this way. Raises ApiError."""
    if slow_ms:
        await asyncio.sleep(slow_ms / 1000)
    match refusal:
        case "429":
            raise ApiError(429, Problem("10011", "You have exceeded the maximum number of allowed requests."))
        case "500":
            raise ApiError(500, Problem("10007", "An unexpected error occurred (trouble switch)."))
        case "disconnect":
            if request.transport is not None:
                request.transport.abort()
            raise ApiError(503, Problem("10007", "The connection was cut (trouble switch)."))
        case "no":
            return


def _authenticate(request: web.Request) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not key.strip() or key.strip() == "wrong":
        raise ApiError(401, Problem("10009", "Could not understand the provided credentials. Is the API key right?"))


async def json_body(request: web.Request) -> Any:
    """Return the JSON body; an empty one counts as `{}`, as DELETE and some POSTs have none. Raises ApiError 400."""
    raw = await request.read()
    if not raw:
        return {}
    try:
        return json.loads(raw)
    except ValueError as error:
        raise ApiError(400, Problem("10015", f"The body is not JSON: {error}.")) from error


async def form_or_json_body(request: web.Request) -> dict[str, Any]:
    """TeXML REST takes forms (Telnyx's curl samples) and JSON; both become a dict. A repeated field is refused."""
    if request.content_type == "application/x-www-form-urlencoded":
        form = await request.post()
        doubled = sorted(name for name in form if len(form.getall(name)) > 1)
        if doubled:
            raise ApiError(422, Problem("10015", f"Given more than once: {', '.join(doubled)}.", f"/{doubled[0]}"))
        return {name: str(value) for name, value in form.items()}
    body = await json_body(request)
    if not isinstance(body, dict):
        raise ApiError(422, Problem("10026", "The body must be an object.", "/"))
    return body


def data(row: Any, *, status: int = 200) -> web.Response:
    return web.json_response({"data": row}, status=status)


def paged(rows: Sequence[Any], query: dict[str, Any]) -> web.Response:
    """Envelope of a list: `page[number]` counts from 1."""
    number, size = query.get("page[number]", 1), query.get("page[size]", DEFAULT_PAGE_SIZE)
    meta = {
        "page_number": number,
        "page_size": size,
        "total_pages": math.ceil(len(rows) / size),
        "total_results": len(rows),
    }
    return web.json_response({"data": list(rows[(number - 1) * size : number * size]), "meta": meta})
