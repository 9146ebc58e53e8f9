"""From "Telnyx says there is a recording" to a Play button that a person can press, in Chromium."""

from __future__ import annotations

import http.client
import io
import math
import os
import statistics
import threading
import time
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import urlencode
from uuid import uuid4

from playwright.sync_api import Page, sync_playwright

from benchmarks import telnyx
from benchmarks.inside import django_of
from curbe.dev import chromium
from curbe.dev.stack import Stack

ROUNDS: Final = 10
CALL_S: Final = 60
PASSWORD: Final = "curbe-bench"
NUMBER: Final = "+13050000001"


def report(stack: Stack) -> None:
    """Print how long Play took to appear, for one-minute calls, over the socket."""
    username = _somebody(stack.env)
    with one_minute() as audio_url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or chromium.ensure(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(base_url=stack.url("web"))
        page.goto("/login/")
        page.locator("input[name=username]").fill(username)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/login/" not in url)
        # Today's list takes new calls in by itself; the history only announces them.
        page.goto("/")
        page.wait_for_load_state("networkidle")
        taken = sorted(_round(stack, page, audio_url) for _ in range(ROUNDS))
        browser.close()
    p95 = taken[min(len(taken) - 1, math.ceil(len(taken) * 0.95) - 1)]
    print(
        f"Recording webhook → Play visible in Chromium, {ROUNDS} calls of {CALL_S} s: "
        f"p50 {statistics.median(taken) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms\n"
    )


def _somebody(env: Mapping[str, str]) -> str:
    """Give the first company's first agent a password, and let him hear everybody; he watches today's calls."""
    django_of(env)
    from django.contrib.auth.hashers import make_password

    from curbe.companies.models import Membership, Role, User

    user = User.objects.get(username="agent-1")
    user.password = make_password(PASSWORD)
    user.save(update_fields=["password"])
    Membership.objects.filter(user=user).update(role=Role.OWNER)
    return user.username


def _round(stack: Stack, page: Page, audio_url: str) -> float:
    sid, recording = f"v3:{uuid4().hex}", str(uuid4())
    rows_before = page.locator("main tr[data-call]").count()
    _post(stack, "inbound", CallSid=sid, AccountSid="bench", From="+13055551234", To=NUMBER, ConnectionId="1")
    # Its row is long there when a call of a minute ends; lists are asked for once a second at the most.
    rows = page.locator("main tr[data-call]")
    rows.nth(rows_before).wait_for()
    _post(
        stack, "status", CallSid=sid, CallStatus="completed", SequenceNumber="3", CallbackSource="call-progress-events"
    )
    before = page.locator("[data-play]").count()
    started = time.perf_counter()
    _post(
        stack,
        "recording",
        CallSid=sid,
        RecordingSid=recording,
        RecordingStatus="completed",
        RecordingUrl=audio_url,
        RecordingDuration=str(CALL_S),
        RecordingChannels="2",
        RecordingSource="DialVerb",
    )
    page.locator("[data-play]").nth(before).wait_for(timeout=30_000)
    return time.perf_counter() - started


def _post(stack: Stack, what: str, **fields: str) -> None:
    host = f"{stack.host}:{stack.ports['PORT']}"
    raw = telnyx.signed(f"/webhooks/telnyx/{what}", host, urlencode(fields).encode())
    head, body = raw.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    connection = http.client.HTTPConnection(stack.host, stack.ports["PORT"], timeout=10)
    headers = dict(line.split(": ", 1) for line in lines[1:])
    connection.request("POST", lines[0].split(" ")[1], body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status < 300, f"{what}: {answer.status}"


@contextmanager
def one_minute() -> Iterator[str]:
    """Serve a minute of two-channel sound on loopback; yield its address."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(os.urandom(8_000 * 2 * 2) * CALL_S)
    audio = buffer.getvalue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "audio/wav")
            self.send_header("Content-Length", str(len(audio)))
            self.end_headers()
            self.wfile.write(audio)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/minute.wav"
    finally:
        server.shutdown()
