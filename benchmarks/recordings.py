"""Recordings by the hundred: webhooks while fetches run, two processes that bring 500 in, and memory."""

from __future__ import annotations

import http.client
import math
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import psycopg

from benchmarks import play, telnyx
from benchmarks.inside import django_of
from benchmarks.weigh import cpu_s, resident_mb
from curbe.dev.stack import Stack

FETCHES: Final = 50
MANY: Final = 500
#: Two of the worker's processes fetch; two are left to the calls.
CONCURRENCY: Final = 4
LONGEST_S: Final = 120


def report(stack: Stack, connection: psycopg.Connection) -> None:
    """Print what recordings cost: one-minute calls of two channels, 1.9 MB each, from loopback."""
    _one_number(stack)
    stack.env["WORKER_CONCURRENCY"] = str(CONCURRENCY)
    stack.start("worker", "beat")
    with play.one_minute() as audio_url:
        _warm(stack, connection, audio_url)
        _while_fetches_run(stack, connection, audio_url)
        _by_the_hundred(stack, connection, audio_url)


def _one_number(stack: Stack) -> None:
    """Make a company with a number that leads to voicemail: all that recordings need."""
    django_of(stack.env)
    from curbe.companies.models import Company
    from telephony.models import PhoneNumber

    company, _made = Company.objects.get_or_create(slug="bench-recordings", defaults={"name": "Bench"})
    PhoneNumber.objects.get_or_create(
        e164=play.NUMBER, defaults={"company": company, "destination": PhoneNumber.Destination.VOICEMAIL}
    )


def _warm(stack: Stack, connection: psycopg.Connection, audio_url: str) -> None:
    for sid in _calls(stack, 4):
        _tell(stack, sid, audio_url)
    _wait(connection, 4)


def _while_fetches_run(stack: Stack, connection: psycopg.Connection, audio_url: str) -> None:
    before = _stored(connection)
    taken = []
    for sid in _calls(stack, FETCHES):
        started = time.perf_counter()
        _tell(stack, sid, audio_url)
        taken.append(time.perf_counter() - started)
    print(f"Recording webhook while {FETCHES} fetches run: {_figures(taken)}")
    _wait(connection, before + FETCHES)


def _by_the_hundred(stack: Stack, connection: psycopg.Connection, audio_url: str) -> None:
    sids, before = _calls(stack, MANY), _stored(connection)
    worker = stack.process("worker").pid
    memory, is_over = [resident_mb(worker)], threading.Event()

    def weigh() -> None:
        while not is_over.wait(2):
            memory.append(resident_mb(worker))

    scale = threading.Thread(target=weigh, daemon=True)
    scale.start()
    web = stack.process("web").pid
    started, worked_s = time.perf_counter(), cpu_s(web)
    taken = []
    for sid in sids:
        asked = time.perf_counter()
        _tell(stack, sid, audio_url)
        taken.append(time.perf_counter() - asked)
    told_s, worked_s = time.perf_counter() - started, cpu_s(web) - worked_s
    _wait(connection, before + MANY)
    lasted_s = time.perf_counter() - started
    is_over.set()
    scale.join()
    print(
        f"{MANY} recordings told in {told_s:.1f} s, all stored after {lasted_s:.1f} s by {CONCURRENCY - 2} processes "
        f"({MANY / lasted_s * 60:,.0f} a minute); webhooks {_figures(taken)}, "
        f"{1000 * worked_s / MANY:.1f} ms of the web process each"
    )
    print(f"worker and its {CONCURRENCY} processes: {memory[0]:.0f} MB before, at most {max(memory):.0f} MB\n")


def _figures(taken: Sequence[float]) -> str:
    ordered = sorted(taken)
    p95 = ordered[math.ceil(len(ordered) * 0.95) - 1]
    return f"p50 {statistics.median(ordered) * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms"


def _calls(stack: Stack, amount: int) -> list[str]:
    """Make calls that are over; return their CallSids."""
    sids = [f"v3:{uuid4().hex}" for _ in range(amount)]
    with _line(stack) as line:
        for sid in sids:
            _post(line, "inbound", CallSid=sid, AccountSid="b", From="+13055551234", To=play.NUMBER, ConnectionId="1")
            source = {"SequenceNumber": "3", "CallbackSource": "call-progress-events"}
            _post(line, "status", CallSid=sid, CallStatus="completed", **source)
    return sids


def _tell(stack: Stack, sid: str, audio_url: str) -> None:
    with _line(stack) as line:
        _post(
            line,
            "recording",
            CallSid=sid,
            RecordingSid=str(uuid4()),
            RecordingStatus="completed",
            RecordingUrl=audio_url,
            RecordingDuration=str(play.CALL_S),
            RecordingChannels="2",
            RecordingSource="DialVerb",
        )


@contextmanager
def _line(stack: Stack) -> Iterator[http.client.HTTPConnection]:
    line = http.client.HTTPConnection(stack.host, stack.ports["PORT"], timeout=10)
    try:
        yield line
    finally:
        line.close()


def _post(line: http.client.HTTPConnection, what: str, **fields: str) -> None:
    body = urlencode(fields).encode()
    path = f"/webhooks/telnyx/{what}"
    head = telnyx.signed(path, f"{line.host}:{line.port}", body).split(b"\r\n\r\n", 1)[0].decode().split("\r\n")[1:]
    line.request("POST", urlsplit(path).path, body, dict(one.split(": ", 1) for one in head))
    answer = line.getresponse()
    answer.read()
    assert answer.status < 300, f"{what}: {answer.status}"


def _stored(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM recordings_recording WHERE state = 'stored'").fetchone()
    return int(row[0]) if row else 0


def _wait(connection: psycopg.Connection, amount: int) -> None:
    until = time.monotonic() + LONGEST_S
    while (there := _stored(connection)) < amount:
        assert time.monotonic() < until, f"{there} of {amount} recordings are stored after {LONGEST_S} s"
        time.sleep(0.1)
