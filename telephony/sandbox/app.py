"""The addresses of the sandbox, wired."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from telephony.sandbox.page import control
from telephony.sandbox.rest import (
    account,
    account_calls,
    calls,
    collections,
    conferences,
    credentials,
    leg_recordings,
    number_settings,
    numbers,
    orders,
    texml_calls,
)
from telephony.sandbox.rest.http import WORLD, api_v2
from telephony.sandbox.world import World

STATIC = Path(__file__).parent / "page" / "static"
LARGEST_REQUEST = 2_000_000


def make_app(world: World) -> web.Application:
    app = web.Application(middlewares=[control.control_errors, api_v2], client_max_size=LARGEST_REQUEST)
    app[WORLD] = world
    app.add_routes(collections.all_routes())
    for module in (
        account,
        account_calls,
        calls,
        conferences,
        credentials,
        leg_recordings,
        number_settings,
        numbers,
        orders,
        texml_calls,
        control,
    ):
        app.add_routes(module.ROUTES)
    app.add_routes(
        [
            web.get("/", _page),
            web.get("/healthz", _healthz),
            web.get("/verto", world.gateway.handle),
            web.get("/_files/recordings/{name}", world.recordings.serve),
            web.static("/static", STATIC),
        ]
    )
    app.cleanup_ctx.append(_living)
    return app


async def _living(app: web.Application) -> AsyncIterator[None]:
    world = app[WORLD]
    await world.start()
    yield
    await world.stop()


async def _page(request: web.Request) -> web.StreamResponse:
    # The page is for people on this machine: nothing foreign is loaded, and nothing is kept.
    headers = {"Content-Security-Policy": "default-src 'self'", "Cache-Control": "no-store"}
    return web.FileResponse(STATIC / "index.html", headers=headers)


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"ok": True})
