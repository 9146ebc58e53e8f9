"""The pretend Telnyx on a free port, in a thread of the test: what our client says to it travels over HTTP."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
from aiohttp import web
from pytest_django import Settings

from telephony.sandbox.app import make_app
from telephony.sandbox.config import Config
from telephony.sandbox.world import World
from telephony.telnyx import key
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests.sandbox.house import QUICK
from tests.telnyx.judge import judging

T = TypeVar("T")


class Sandbox:
    """A running sandbox, seen from outside; ``world`` is its inside, to be touched only through ``inside``."""

    def __init__(self, data: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.data = data
        self.world, self._runner = self.inside(self._start(data))

    async def _start(self, data: Path) -> tuple[World, web.AppRunner]:
        world = World(Config(data=data, timing=QUICK, media=False))
        runner = web.AppRunner(make_app(world), shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        world.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return world, runner

    def inside(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the sandbox's own loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def stop(self) -> None:
        self.inside(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    @property
    def url(self) -> str:
        return self.world.origin

    def control(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, (path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def refused(self, path: str, **body: Any) -> str:
        """Return why the sandbox does not do it."""
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == 422, (path, answer.status_code, answer.text)
        return str(answer.json()["error"])

    def see(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/_sandbox/{path}", timeout=10)
        assert answer.ok, (path, answer.status_code, answer.text)
        return answer.json()

    def table(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the rows of a table of the account, by id."""
        return dict(self.world.account.table(name))

    def row(self, name: str, row_id: str) -> dict[str, Any]:
        return self.table(name)[row_id]

    def spoil(self, name: str, row_id: str, **fields: Any) -> None:
        """Change a row as somebody in the portal does, who is not asked whether it makes sense."""
        self.table(name)[row_id].update(fields)

    def client(self) -> TelnyxClient:
        return TelnyxClient(Transport(api_key="KEY_test", base_url=f"{self.url}/v2"))


@pytest.fixture
def sandbox(tmp_path: Path, settings: Settings) -> Iterator[Sandbox]:
    """A sandbox that Curbe's settings lead to."""
    running = Sandbox(tmp_path / "data")
    settings.TELNYX_SANDBOX = True
    settings.TELNYX_API_URL = f"{running.url}/v2"
    settings.SANDBOX_URL = running.url
    settings.TELNYX_PUBLIC_KEY = ""
    settings.TELNYX_PUBLIC_KEY_FILE = running.data / "sandbox" / "public_key"
    key._key_of_sandbox.cache_clear()
    # Whatever a test has our client say and hear is held against the types of Telnyx's own package.
    with judging(running.url):
        yield running
    running.stop()
    key._key_of_sandbox.cache_clear()
