"""A sandbox on a free port, and a tiny application that plays Curbe's part: scenarios told in requests and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from telephony.sandbox.app import make_app
from telephony.sandbox.calls.legs import Leg
from telephony.sandbox.config import Config, Timing
from telephony.sandbox.world import World

NUMBER, CALLER = "+13055550100", "+12125550142"
QUICK = Timing(
    backoff_first_s=0.02,
    notification_attempts=4,
    shuffle_most_s=0.3,
    order_pending_s=0.05,
    recording_ready_s=0.02,
    pstn_answers_after_s=0.05,
    second_s=0.1,
)
Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def texml(verbs: str) -> web.Response:
    return web.Response(text=f"<Response>{verbs}</Response>", content_type="application/xml")


@dataclass
class Heard:
    """One request that the application got."""

    path: str
    fields: dict[str, str]
    headers: dict[str, str]
    raw: bytes


@dataclass
class Application:
    """Plays Curbe. `answers` by path are used up one by one, the last one stays; other paths get 200 and nothing."""

    origin: str = ""
    answers: dict[str, list[Any]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fields = {name: str(value) for name, value in (await request.post()).items()}
        self.heard.append(Heard(request.path, fields, dict(request.headers), raw))
        waiting = self.answers.get(request.path, [])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0] if waiting else ""
        if callable(answer):
            answer = await answer(request)
        if isinstance(answer, int):
            return web.Response(status=answer)
        if isinstance(answer, web.StreamResponse):
            return answer
        return texml(answer.replace("{origin}", self.origin)) if answer else web.Response()

    def at(self, path: str) -> list[dict[str, str]]:
        """The forms that came to this path, in order."""
        return [heard.fields for heard in self.heard if heard.path == path]


class House:
    """The sandbox, its account with one application, one credential per agent, and one number."""

    def __init__(self, world: World, application: Application, session: aiohttp.ClientSession) -> None:
        self.world, self.curbe, self._session = world, application, session
        self.application_id = self.connection_id = ""
        self.agents: dict[str, str] = {}

    async def api(self, method: str, path: str, *, status: int | None = None, **options: Any) -> Any:
        """One request to /v2 with a key; the JSON that came back. `status`: what it must be, else a success."""
        headers = {"Authorization": "Bearer KEY_test"} | options.pop("headers", {})
        async with self._session.request(
            method, f"{self.world.origin}/v2{path}", headers=headers, **options
        ) as response:
            body = await response.json() if response.content_type == "application/json" else await response.text()
            assert response.status == status if status else response.status < 300, (response.status, body)
            return body

    async def control(
        self, method: str, path: str, body: Any = None, *, status: int | None = None, origin: str | None = None
    ) -> Any:
        headers = {"Origin": origin} if origin else {}
        url = f"{self.world.origin}/_sandbox{path}"
        async with self._session.request(method, url, json=body, headers=headers) as response:
            answer = await response.json() if response.content_type == "application/json" else None
            assert response.status == status if status else response.status < 300, (response.status, answer)
            return answer

    async def get(self, url: str) -> tuple[int, bytes]:
        async with self._session.get(url) as response:
            return response.status, await response.read()

    async def furnish(self, *agents: str, status_callback: str = "", parked: bool = False) -> None:
        """`parked`: calls that a browser places are parked, and their documents asked for at `/parked`."""
        profile = (await self.api("POST", "/outbound_voice_profiles", json={"name": "test"}))["data"]
        application = {
            "friendly_name": "Curbe",
            "voice_url": f"{self.curbe.origin}/voice",
            "voice_fallback_url": f"{self.curbe.origin}/fallback",
            "voice_method": "post",
            "status_callback": status_callback and self.curbe.origin + status_callback,
            "outbound": {"outbound_voice_profile_id": profile["id"]},
        }
        self.application_id = (await self.api("POST", "/texml_applications", json=application))["data"]["id"]
        connection: dict[str, Any] = {
            "connection_name": "browsers",
            "user_name": "curbesandbox",
            "password": "a-long-password",
            "sip_uri_calling_preference": "internal",
        }
        if parked:
            connection |= {
                "webhook_api_version": "texml",
                "webhook_event_url": f"{self.curbe.origin}/parked",
                "webhook_event_failover_url": f"{self.curbe.origin}/parked-fallback",
                "outbound": {"call_parking_enabled": True, "outbound_voice_profile_id": profile["id"]},
            }
        connection_id = (await self.api("POST", "/credential_connections", json=connection))["data"]["id"]
        self.connection_id = connection_id
        for name in agents:
            credential = {"connection_id": connection_id, "name": name}
            self.agents[name] = (await self.api("POST", "/telephony_credentials", json=credential))["data"][
                "sip_username"
            ]
        await self.control("POST", "/numbers", {"e164": NUMBER, "connection_id": self.application_id})

    async def script(self, agent: str, **script: Any) -> None:
        await self.control("POST", f"/agents/{self.agents[agent]}", script)

    async def call(self, **options: Any) -> str:
        body = {"to": NUMBER, "from": CALLER} | options
        return str((await self.control("POST", "/calls", body))["call_id"])

    @property
    def account_path(self) -> str:
        return f"/texml/Accounts/{self.world.account.account_sid}"

    def newest(self) -> Leg:
        """The root of the newest call."""
        return list(self.world.calls.by_id.values())[-1].root

    def root(self, call_id: str) -> Leg:
        """The caller's leg, seen from inside."""
        return self.world.calls.by_id[call_id].root

    async def hang_up(self, call_id: str, *, when: Callable[[Leg], bool] = lambda root: True) -> None:
        """Let the caller hang up as soon as this is true of his leg, and wait until all is over."""
        await self.until(lambda: when(self.root(call_id)), "the moment to hang up")
        await self.control("POST", f"/calls/{call_id}/hangup")
        await self.until_quiet()

    async def whole(self, call_id: str) -> dict[str, Any]:
        return dict(await self.control("GET", f"/calls/{call_id}"))

    async def until(self, condition: Callable[[], bool], what: str = "the condition", timeout_s: float = 10) -> None:
        """Wait for something that the sandbox or the application will do; there is no event for it from outside."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"waited {timeout_s:g} s in vain for {what}") from None

    async def until_quiet(self, timeout_s: float = 10) -> None:
        await self.until(lambda: self.world.is_quiet, "quiet", timeout_s)

    def sip(self, agent: str, *, attributes: str = "", headers: str = "") -> str:
        return f"<Sip{attributes and ' ' + attributes}>sip:{self.agents[agent]}@sip.telnyx.com{headers}</Sip>"


@asynccontextmanager
async def house(data: Path, *, timing: Timing = QUICK, media: bool = False) -> AsyncIterator[House]:
    curbe = Application()
    curbe_app = web.Application()
    curbe_app.router.add_route("*", "/{rest:.*}", curbe.handle)
    curbe.origin, curbe_runner = await _serve(curbe_app)
    world = World(Config(data=data, timing=timing, media=media))
    world.origin, runner = await _serve(make_app(world))
    async with aiohttp.ClientSession() as session:
        try:
            yield House(world, curbe, session)
        finally:
            await runner.cleanup()
            await curbe_runner.cleanup()


async def _serve(app: web.Application) -> tuple[str, web.AppRunner]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    return f"http://127.0.0.1:{port}", runner


def told(data: Path, story: Callable[[House], Awaitable[None]], **options: Any) -> None:
    """Run a story in a house of its own."""

    async def run() -> None:
        async with house(data, **options) as home:
            await story(home)

    asyncio.run(run())
