"""A small load generator: keep-alive connections in one asyncio process, requests built before the clock starts.

Bounded twice, by count and by time, and on loopback only. It shares the machine with what it measures, so figures of
one run are to be compared with each other (the floor stands beside them), not with other machines.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LONGEST_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run measured; times in milliseconds."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    #: HTTP status → how many.
    statuses: dict[int, int]
    #: What the run cost the processes that were measured, in words.
    work: str = ""

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


def http(method: str, path: str, host: str, body: bytes = b"", **headers: str) -> bytes:
    """Return a whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(host: str, port: int, requests: Sequence[bytes], *, connections: int) -> Figures:
    """Send every request once over so many connections, in a process of its own; return the figures."""
    if host not in {"127.0.0.1", "localhost"}:
        raise ValueError("load goes to this machine only")
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.Process(target=_child, args=(sender, host, port, list(requests), connections))
    child.start()
    sender.close()
    figures: Figures = receiver.recv()
    child.join()
    return figures


def _child(sender: object, host: str, port: int, requests: list[bytes], connections: int) -> None:
    sender.send(asyncio.run(_all(host, port, requests, connections)))  # type: ignore[attr-defined]


async def _all(host: str, port: int, requests: list[bytes], connections: int) -> Figures:
    loop = asyncio.get_running_loop()
    queue = iter(requests)
    clients = [_Client(queue, loop.create_future()) for _ in range(min(connections, len(requests)))]
    for client in clients:
        await loop.create_connection(lambda client=client: client, host, port)  # type: ignore[misc]
    started = time.perf_counter()
    for client in clients:
        client.next()
    await asyncio.wait([client.done for client in clients], timeout=LONGEST_S)
    seconds = time.perf_counter() - started
    times = sorted(taken for client in clients for taken in client.times_s)
    statuses = Counter(status for client in clients for status in client.statuses)
    for client in clients:
        client.close()
    if not times:
        return Figures(0, seconds, 0.0, 0.0, dict(statuses))
    return Figures(
        requests=len(times),
        seconds=seconds,
        p50_ms=statistics.median(times) * 1000,
        p99_ms=times[min(len(times) - 1, int(len(times) * 0.99))] * 1000,
        statuses=dict(statuses),
    )


class _Client(asyncio.Protocol):
    """One connection: sends a request, reads its answer (Content-Length), sends the next."""

    def __init__(self, queue: object, done: asyncio.Future[None]) -> None:
        self.queue = queue
        self.done = done
        self.times_s: list[float] = []
        self.statuses: list[int] = []
        self._buffer = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def next(self) -> None:
        request = next(self.queue, None)  # type: ignore[call-overload]
        if request is None or self._transport is None:
            self._finish()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : head.find(b"\r", at) if head.find(b"\r", at) > 0 else None]) if at >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        self.times_s.append(time.perf_counter() - self._sent_at)
        self.statuses.append(int(head[9:12]))
        self._buffer = self._buffer[end + 4 + length :]
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)
