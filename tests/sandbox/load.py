"""How many calls the sandbox's one event loop can play: `python -m tests.sandbox.load --help`.

Callers without sound wait in a queue (words, music, redirect) of a tiny application in this process. Whenever an agent
is free, the caller who waits longest is moved to a `<Dial>` of that agent by a REST update; the agents are scripted:
they answer, talk, hang up. The sandbox is a process of its own, as in `make run`. Printed: what it cost, how late its
answers were, and whether the sums are right.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import signal
import statistics
import sys
import tempfile
import time
import wave
from collections import Counter, deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NUMBER = "+13055550100"
MUSIC_S = 20
ANSWER_AFTER_MS, TALK_MS = 500, 3000
EVENTS = 'statusCallbackEvent="initiated ringing answered completed"'


@dataclass
class Queue:
    """The application: who waits, who is free, what came."""

    origin: str = ""
    sandbox: str = ""
    account_sid: str = ""
    waiting: deque[str] = field(default_factory=deque)
    free: deque[str] = field(default_factory=deque)
    offered: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    move_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    session: aiohttp.ClientSession = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.Response:
        what = request.path.strip("/")
        self.requests[what] += 1
        form = dict(parse_qsl((await request.read()).decode()))
        sid = form.get("CallSid", "")
        match what:
            case "music.wav":
                return web.Response(body=_music(), content_type="audio/wav")
            case "voice" | "wait":
                if what == "voice" and sid not in self.seen:
                    self.seen.add(sid)
                    self.waiting.append(sid)
                    self.match()
                words = "<Say language='es-ES'>Usted es el número uno.</Say>"
                return _texml(f"{words}<Play>{self.origin}/music.wav</Play><Redirect>{self.origin}/wait</Redirect>")
            case "offer":
                leg = f'statusCallback="{self.origin}/leg" {EVENTS}'
                sip = f"<Sip {leg}>sip:{self.offered[sid]}@sip.telnyx.com?X-Curbe-Call=42</Sip>"
                recorded = f'record="record-from-answer-dual" recordingStatusCallback="{self.origin}/recording"'
                return _texml(f'<Dial timeout="25" {recorded} action="{self.origin}/done">{sip}</Dial>')
            case "done":
                if sid in self.offered:  # a question that got no answer in time is asked again
                    self.outcomes[form["DialCallStatus"]] += 1
                    self.free.append(self.offered.pop(sid))
                    self.match()
                return _texml("<Hangup/>")
            case "app" if form.get("CallStatus") not in ("initiated", "ringing", "in-progress"):
                self.ended.add(sid)
        return web.Response()

    def match(self) -> None:
        while self.waiting and self.free:
            sid = self.waiting.popleft()
            self.offered[sid] = self.free.popleft()
            task = asyncio.ensure_future(self.move(sid))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, f"{self.sandbox}/_sandbox{path}", json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def move(self, sid: str) -> None:
        began_s = time.monotonic()
        url = f"{self.sandbox}/v2/texml/Accounts/{self.account_sid}/Calls/{sid}"
        form = {"Url": f"{self.origin}/offer", "Method": "POST"}
        async with self.session.post(url, data=form, headers={"Authorization": "Bearer KEY"}) as response:
            assert response.status == 200, await response.text()
        self.move_s.append(time.monotonic() - began_s)


def _texml(verbs: str) -> web.Response:
    return web.Response(text=f"<Response>{verbs}</Response>", content_type="application/xml")


def _music() -> bytes:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * 8000 * MUSIC_S))
    return sound.getvalue()


async def measure(options: argparse.Namespace) -> None:
    queue = Queue()
    async with (
        _served(queue) as queue.origin,
        _sandbox(options) as (queue.sandbox, pid),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as queue.session,
    ):
        await _furnish(queue, options.agents)
        late = asyncio.ensure_future(_late_answers(queue))
        cpu_s, began_s = _cpu_s(pid), time.monotonic()
        for number in range(options.calls):
            await asyncio.sleep(max(0.0, began_s + number * options.seconds / options.calls - time.monotonic()))
            caller = {"to": NUMBER, "from": f"+1212555{number:04d}", "media": False}
            await queue.control("POST", "/calls", caller)
        placed_s = time.monotonic() - began_s
        while len(queue.ended) < options.calls:
            await asyncio.sleep(0.1)
        took_s, cpu_s = time.monotonic() - began_s, _cpu_s(pid) - cpu_s
        late.cancel()
        errors = [line["text"] for line in (await queue.control("GET", "/state"))["errors"]]
        agents = (await queue.control("GET", "/agents")).values()
    late_ms, move_ms = [1000 * s for s in queue.late_s], [1000 * s for s in queue.move_s]
    print(
        f"{options.calls} calls placed in {placed_s:.1f} s, over after {took_s:.1f} s; {options.agents} agents, "
        f"at most {max(agent['most_legs_at_once'] for agent in agents)} leg each at a time\n"
        f"  outcomes {dict(queue.outcomes)}, requests {dict(queue.requests)}, errors {errors[:3]}\n"
        f"  the sandbox used {cpu_s:.1f} s of processor: {100 * cpu_s / took_s:.0f} % of one core, "
        f"{1000 * cpu_s / options.calls:.1f} ms a call; load of the machine {os.getloadavg()[0]:.1f}\n"
        f"  its answers: p50 {statistics.median(late_ms):.1f} ms, p99 {_p(late_ms, 99):.1f} ms, slowest "
        f"{max(late_ms):.0f} ms; updates: p50 {statistics.median(move_ms):.1f} ms, p99 {_p(move_ms, 99):.1f} ms"
    )


async def _late_answers(queue: Queue) -> None:
    """How long the simplest address takes: that is how late the event loop is."""
    while True:
        began_s = time.monotonic()
        async with queue.session.get(f"{queue.sandbox}/healthz") as response:
            await response.read()
        queue.late_s.append(time.monotonic() - began_s)
        await asyncio.sleep(0.05)


def _p(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


async def _furnish(queue: Queue, agents: int) -> None:
    async def post(path: str, body: Any) -> Any:
        headers = {"Authorization": "Bearer KEY"}
        async with queue.session.post(queue.sandbox + path, json=body, headers=headers) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    profile = (await post("/v2/outbound_voice_profiles", {"name": "load"}))["data"]["id"]
    application = {
        "friendly_name": "load",
        "voice_url": f"{queue.origin}/voice",
        "status_callback": f"{queue.origin}/app",
        "outbound": {"outbound_voice_profile_id": profile},
    }
    application_id = (await post("/v2/texml_applications", application))["data"]["id"]
    connection = {
        "connection_name": "load",
        "user_name": "loadagents",
        "password": "long-enough",
        "sip_uri_calling_preference": "internal",
    }
    connection_id = (await post("/v2/credential_connections", connection))["data"]["id"]
    for number in range(agents):
        credential = {"connection_id": connection_id, "name": f"agent {number}"}
        name = (await post("/v2/telephony_credentials", credential))["data"]["sip_username"]
        script = {"answer_after_ms": ANSWER_AFTER_MS, "hangup_after_ms": TALK_MS}
        await queue.control("POST", f"/agents/{name}", script)
        queue.free.append(name)
    await queue.control("POST", "/numbers", {"e164": NUMBER, "connection_id": application_id})
    queue.account_sid = (await queue.control("GET", "/state"))["account_sid"]


@asynccontextmanager
async def _served(queue: Queue) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", queue.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _sandbox(options: argparse.Namespace) -> AsyncIterator[tuple[str, int]]:
    with tempfile.TemporaryDirectory() as data, open(os.devnull, "w") as nowhere:
        profiled = ["-m", "cProfile", "-o", options.profile] if options.profile else []
        command = [sys.executable, *profiled, "-m", "telephony.sandbox", "--data", data, "--port", str(options.port)]
        command += ["--no-media"] if options.no_media else []
        process = await asyncio.create_subprocess_exec(*command, stdout=nowhere, stderr=nowhere)
        url = f"http://127.0.0.1:{options.port}"
        try:
            async with asyncio.timeout(20), aiohttp.ClientSession() as session:
                while not await _is_up(session, url):
                    await asyncio.sleep(0.05)
            yield url, process.pid
        finally:
            process.send_signal(signal.SIGINT)
            await process.wait()


async def _is_up(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/healthz") as response:
            return bool(json.loads(await response.text())["ok"])
    except aiohttp.ClientError:
        return False


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description="Load for the sandbox.")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--port", type=int, default=8909)
    parser.add_argument("--no-media", action="store_true", help="start the sandbox without sound for anybody")
    parser.add_argument("--profile", default="", help="write a cProfile of the sandbox here")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
