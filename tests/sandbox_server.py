"""The pretend Telnyx on a free port of this process, for tests of what asks it: a thread with a loop of its own.

Use the ``house`` fixture (tests/conftest.py imports it) and ``house.client()``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from telephony.sandbox.app import make_app
from telephony.sandbox.config import Config
from telephony.sandbox.world import World
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.transport import Transport
from tests.sandbox.house import QUICK
from tests.telnyx import judge, number_rules


class SandboxServer:
    """A running sandbox; ``url`` is its origin."""

    def __init__(self, folder: Path, **timing: float) -> None:
        self._config = Config(data=folder, port=0, media=False, timing=replace(QUICK, **timing))
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)
        self.url = ""

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the sandbox did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        world = World(self._config)
        runner = web.AppRunner(make_app(world), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = world.origin = f"http://127.0.0.1:{port}"
        self._ready.set()
        await self._stopping.wait()
        await runner.cleanup()

    def client(self) -> TelnyxClient:
        return TelnyxClient(Transport(api_key="KEY_test", base_url=f"{self.url}/v2", sleep=lambda seconds: None))

    def control(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def trouble(self, **switches: Any) -> None:
        self.control("trouble", **switches)

    def api(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": "Bearer KEY_test"}
        answer = requests.request(method, f"{self.url}/v2{path}", headers=headers, timeout=10, **options)
        return answer.json()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A running sandbox; whatever is said to its API, and answered, is held against Telnyx's own types."""
    monkeypatch.setattr(judge, "RULES", (*judge.RULES, *number_rules.RULES))
    monkeypatch.setattr(judge, "_check", number_rules.check)
    server = SandboxServer(tmp_path)
    server.start()
    with judge.judging(server.url):
        yield server
    server.stop()
