"""Means for the tests of the sandbox's sound: microphones, ears, a gateway that listens, browsers."""

from __future__ import annotations

import asyncio
import contextlib
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from playwright.async_api import Browser, Page

from telephony.sandbox.media.clips import Frames
from telephony.sandbox.media.frames import FRAME_SAMPLES, RATE_HZ, AudioSource, Frame, Samples, peak_hz, rms
from telephony.sandbox.media.switch import MediaSwitch
from telephony.sandbox.verto.gateway import LoginAttempt, OutboundInvite, Registration, VertoGateway

PAGE = Path(__file__).parent / "page"
SDK = Path(__file__).parents[2] / "static/vendor/telnyx-webrtc/bundle.js"
MIC_HZ = 1000


def level(value: int) -> Frame:
    """Return a frame that is one number throughout: easy to recognise where it arrives."""
    return np.full(FRAME_SAMPLES, value, np.int16)


def levels(*values: int) -> Frames:
    """Return a source of such frames."""
    return Frames(iter([level(value) for value in values]), duration_s=None)


def collected(source: AudioSource, *, frames: int) -> Samples:
    """Return at most that many frames of a source as one piece of sound."""
    taken = []
    for _ in range(frames):
        frame = source.next()
        if frame is None:
            break
        taken.append(frame)
    return np.concatenate(taken) if taken else np.zeros(0, np.int16)


def wav_channels(path: Path) -> list[Samples]:
    """Return each channel of a 16 kHz WAV."""
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getsampwidth()) == (RATE_HZ, 2)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        return [samples[i :: sound.getnchannels()] for i in range(sound.getnchannels())]


def loud_peak_hz(samples: Samples) -> float:
    """Return the median pitch of the loud quarter seconds: a microphone that beeps is silent in between."""
    window = RATE_HZ // 4
    pieces = [samples[i : i + window] for i in range(0, samples.size - window, window)]
    peaks = sorted(peak_hz(piece) for piece in pieces if rms(piece) > 0.02)
    return peaks[len(peaks) // 2] if peaks else 0.0


def write_mic(path: Path) -> Path:
    """Write the fake microphone: beeps of `MIC_HZ` (a steady tone would be taken for noise and removed)."""
    at_s = np.arange(2 * 48_000) / 48_000
    sound = 0.5 * np.sin(2 * np.pi * MIC_HZ * at_s) * (at_s % 0.6 < 0.4)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((sound * 32_767).astype(np.int16).tobytes())
    return path


def open_sockets() -> set[str]:
    """The sockets this process holds, each by the name Linux gives it.

    By name, since the count also falls when a socket that an earlier test left is collected meanwhile.
    """
    held = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            held.add(str(descriptor.readlink()))
    return {name for name in held if name.startswith("socket:")}


async def until(condition: Callable[[], object], *, what: str, timeout_s: float = 5) -> None:
    """Wait for a condition of our own process, looking every 10 ms."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(asyncio.timeout(timeout_s))
            while not condition():
                await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"waited {timeout_s} s in vain: {what}") from None


class Exchange:
    """A gateway and a switch behind a real port; `agent-…` may log in, with any token that is their name."""

    def __init__(self, *, ping_every_s: float = 15, grace_s: float = 31, rings_out: bool = False) -> None:
        self.switch = MediaSwitch()
        self.registered: list[Registration] = []
        self.unregistered: list[Registration] = []
        self.attempts: list[LoginAttempt] = []
        self.invites: list[OutboundInvite] = []
        self.gateway = VertoGateway(
            switch=self.switch,
            authenticate=self._authenticate,
            on_registered=self.registered.append,
            on_unregistered=self.unregistered.append,
            on_invite=self.invites.append if rings_out else None,
            ping_every_s=ping_every_s,
            grace_s=grace_s,
        )
        self.port = 0

    def _authenticate(self, attempt: LoginAttempt) -> str | None:
        self.attempts.append(attempt)
        name = attempt.login or attempt.login_token or ""
        return name if name.startswith("agent-") else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Exchange]:
        app = web.Application()
        app.router.add_get("/verto", self.gateway.handle)
        app.router.add_get("/", _serving(PAGE / "index.html"))
        app.router.add_get("/phone.js", _serving(PAGE / "phone.js"))
        app.router.add_get("/sdk.js", _serving(SDK))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        await self.switch.start()
        try:
            yield self
        finally:
            await self.gateway.close()
            await self.switch.stop()
            await runner.cleanup()

    async def invite(self, sip_username: str, **facts: Any) -> Any:
        defaults = {
            "call_control_id": "v3:leg-1",
            "call_session_id": "session-1",
            "call_leg_id": "leg-1",
            "caller_name": "Jane Caller",
            "caller_number": "+13125550123",
            "callee_number": "+13125550100",
            "headers": [("X-Curbe-Call", "42")],
        }
        return await self.gateway.invite(sip_username, **(defaults | facts))


def _serving(path: Path) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    async def serve(request: web.Request) -> web.FileResponse:
        return web.FileResponse(path)

    return serve


CHROMIUM_ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream", "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
)  # fmt: skip


class Softphone:
    """A tab with the real SDK."""

    def __init__(self, page: Page, exchange: Exchange) -> None:
        self.page, self._exchange = page, exchange

    @classmethod
    async def opened(cls, browser: Browser, exchange: Exchange, token: str) -> Softphone:
        phone = cls(await browser.new_page(), exchange)
        await phone.page.goto(exchange.url)
        await phone.log_in(token)
        return phone

    async def log_in(self, token: str) -> None:
        options = {"host": f"ws://127.0.0.1:{self._exchange.port}/verto", "login_token": token}
        await self.page.evaluate("options => phone.connect(options)", options)
        await self.sees("ready")

    async def sees(self, event: str, *, timeout_s: float = 10) -> None:
        """Wait until the page has seen this event since it was loaded."""
        await self.page.wait_for_function("event => phone.seen.includes(event)", arg=event, timeout=timeout_s * 1000)

    async def is_in(self, state: str, *, timeout_s: float = 10) -> None:
        await self.page.wait_for_function(
            "state => phone.last && phone.last.state === state", arg=state, timeout=timeout_s * 1000
        )

    async def answer(self) -> None:
        await self.page.evaluate("phone.last.answer(); 1")

    async def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = await self.page.evaluate("phone.facts()")
        return facts

    async def hears(self, ms: int = 500) -> dict[str, float]:
        heard: dict[str, float] = await self.page.evaluate("ms => phone.listen(ms)", ms)
        return heard
