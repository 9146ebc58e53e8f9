"""`make bench`: the product's own processes, measured on this machine, with the framework's floor beside each figure.

`python -m benchmarks inbound heartbeats inside decide play history recordings freeing calls talks account` runs the
parts that are named, all without a name. The last four run the whole house, the pretend Telnyx too.
Every run is bounded in count and time and stays on loopback. `CURBE_BENCH_COMPANIES` makes the large data set smaller.
"""

from __future__ import annotations

import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import psycopg

from benchmarks import data, history, load, telnyx
from benchmarks.centre import house
from benchmarks.weigh import cpu_s, resident_mb
from curbe.dev import ports, setup
from curbe.dev.stack import Stack

SMALL: Final = data.Size(companies=10)
LARGE: Final = data.Size(companies=int(os.environ.get("CURBE_BENCH_COMPANIES", "10000")))
CONNECTIONS: Final = (1, 16, 64)
#: Long enough for a stable median, short enough for a machine that others use.
REQUESTS: Final = {1: 2_000, 16: 8_000, 64: 8_000}


#: Measured with a load generator of our own …
PARTS: Final = ("inbound", "heartbeats", "inside", "decide", "play", "history", "recordings")
#: … and with the pretend Telnyx.
HOUSE_PARTS: Final = ("freeing", "calls", "talks", "account")


def main() -> None:
    wanted = sys.argv[1:] or [*PARTS, *HOUSE_PARTS]
    if unknown := set(wanted) - {*PARTS, *HOUSE_PARTS}:
        known = ", ".join([*PARTS, *HOUSE_PARTS])
        raise SystemExit(f"There is no part {', '.join(sorted(unknown))}: choose of {known}.")
    # The pages that are measured want their browser packages; on a new machine nobody has fetched them yet.
    setup.prepare()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("One web process (4 threads); PostgreSQL and the load generator share the machine.\n")
    if set(wanted) & set(PARTS):
        with (
            tempfile.TemporaryDirectory(prefix="curbe-bench-") as folder,
            _stack(Path(folder)) as stack,
            psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as connection,
        ):
            _measure(stack, connection, wanted)
    if set(wanted) & set(HOUSE_PARTS):
        with tempfile.TemporaryDirectory(prefix="curbe-bench-") as folder, house(Path(folder)) as stack:
            _measure_house(stack, wanted)


def _measure(stack: Stack, connection: psycopg.Connection, wanted: Sequence[str]) -> None:
    if "inbound" in wanted:
        _floor(stack)
    stack.start("web")
    if "inbound" in wanted:
        _inbound(stack, connection, SMALL)
        _inbound(stack, connection, LARGE)
    elif {"heartbeats", "inside"} & set(wanted):
        data.fill(connection, LARGE)
    if "heartbeats" in wanted:
        _heartbeats(stack, connection, LARGE)
    print(f"web process: {resident_mb(stack.process('web').pid):.0f} MB resident")
    if "inside" in wanted:
        _inside(stack)
    if "decide" in wanted:
        _decide(stack)
    if "play" in wanted:
        data.fill(connection, SMALL)
        _play(stack)
    if "history" in wanted:
        data.fill(connection, SMALL)
        history.fill(connection)
        history.report(stack)
    if "recordings" in wanted:
        from benchmarks import recordings

        recordings.report(stack, connection)


def _measure_house(stack: Stack, wanted: Sequence[str]) -> None:
    from benchmarks import account, freeing, many_calls, talks

    if "freeing" in wanted:
        freeing.report(stack)
    if "calls" in wanted:
        many_calls.report(stack)
    if "talks" in wanted:
        talks.report(stack)
    if "account" in wanted:
        account.report(stack)


@contextmanager
def _stack(folder: Path) -> Iterator[Stack]:
    taken: dict[str, int] = {}
    for name in ("PORT", "LIVE_PORT", "SANDBOX_PORT"):
        taken[name] = ports.choose(remembered=None, taken=taken.values())
    env = {**os.environ, "TELNYX_PUBLIC_KEY": telnyx.PUBLIC_KEY, "LOG_LEVEL": "ERROR", "CURBE_IGNORE_DOTENV": "1"}
    for name in ("DATABASE_URL", "REDIS_URL"):
        # Never somebody's own database: it is emptied here.
        env.pop(name, None)
    with Stack(data=folder, ports=taken, env=env, throwaway=True) as stack:
        stack.start_servers()
        stack.manage("migrate", "--verbosity", "0")
        yield stack


def _row(what: str, figures: load.Figures, note: str = "") -> None:
    bad = {status: count for status, count in figures.statuses.items() if status >= 300}
    trouble = f"  !! {bad}" if bad else ""
    speed = f"{figures.per_second:>8,.0f}/s   p50 {figures.p50_ms:6.2f}   p99 {figures.p99_ms:6.2f} ms"
    print(f"  {what:<44} {speed}  {note}{trouble}")
    if figures.work:
        print(f"  {'':<44} {figures.work}")


FLOOR: dict[int, load.Figures] = {}


def _floor(stack: Stack) -> None:
    print("Framework's floor: a static XML view in the same server")
    stack.env["DJANGO_SETTINGS_MODULE"] = "benchmarks.floor_settings"
    stack.start("web")
    host, port = stack.host, stack.ports["PORT"]
    request = load.http("POST", "/webhooks/floor", f"{host}:{port}")
    load.run(host, port, [request] * 1_000, connections=4)
    for connections in CONNECTIONS:
        FLOOR[connections] = load.run(host, port, [request] * REQUESTS[connections] * 2, connections=connections)
        _row(f"{connections} connections", FLOOR[connections])
    stack.stop("web")
    stack.env["DJANGO_SETTINGS_MODULE"] = "curbe.settings"
    print()


def _inbound(stack: Stack, connection: psycopg.Connection, size: data.Size) -> None:
    data.fill(connection, size)
    chance = random.Random(size.numbers)
    host, port = stack.host, stack.ports["PORT"]
    print(f"Inbound webhook, {size.numbers:,} numbers, {size.companies:,} companies, {size.agents:,} agents")

    def call(connections: int, count: int) -> load.Figures:
        requests = [telnyx.voice(f"{host}:{port}", numbers=size.numbers, chance=chance) for _ in range(count)]
        before = _worked(stack)
        figures = load.run(host, port, requests, connections=connections)
        web_s, database_s = (after - was for after, was in zip(_worked(stack), before, strict=True))
        share = f"{1000 * web_s / count:.2f} ms web + {1000 * database_s / count:.2f} ms database"
        return replace(figures, work=f"CPU per call: {share}")

    data.everybody_on_a_break(connection)
    call(4, 500)
    for connections in CONNECTIONS:
        figures = call(connections, REQUESTS[connections])
        share = figures.per_second / FLOOR[connections].per_second
        _row(f"{connections} connections, nobody free", figures, f"{share:.2f} of the floor")
    if size.companies >= 1_000:
        data.everybody_available(connection)
        # Each call reserves five agents for half a minute: fewer calls than queues, so that most find somebody.
        figures = call(16, min(4_000, size.companies // 2))
        share = figures.per_second / FLOOR[16].per_second
        _row("16 connections, five agents claimed", figures, f"{share:.2f} of the floor")
    print()


def _worked(stack: Stack) -> tuple[float, float]:
    """Return the processor seconds that web and database have used: steadier than the clock on a shared machine."""
    servers = stack.servers.processes()
    database = next(child for name, child in servers.items() if "postgres" in name.lower())
    return cpu_s(stack.process("web").pid), cpu_s(database.pid)


def _heartbeats(stack: Stack, connection: psycopg.Connection, size: data.Size) -> None:
    from benchmarks.inside import tickets

    data.everybody_available(connection)
    host, port = stack.host, stack.ports["PORT"]
    chance = random.Random(1)
    some = [chance.randint(1, size.agents) for _ in range(10_000)]
    requests = [
        load.http(
            "POST",
            "/api/agents/heartbeat",
            f"{host}:{port}",
            body,
            Content_Type="application/json",
            Authorization=f"Phone {ticket}",
        )
        for ticket, body in tickets(stack.env, some)
    ]
    load.run(host, port, requests[:500], connections=4)
    print(f"Heartbeats with a ticket, {size.agents:,} agents")
    _row("16 connections", load.run(host, port, requests, connections=16))
    print()


def _inside(stack: Stack) -> None:
    from benchmarks import inside

    inside.report(stack.env)


def _decide(stack: Stack) -> None:
    """Show the medians of pytest-benchmark for the pure decision; the one that counts is to be under 1,000 µs."""
    shown = ("--benchmark-columns=median,iqr,rounds", "--benchmark-sort=name", "--benchmark-disable-gc")
    options = ("-q", "-p", "no:randomly", "-p", "no:cacheprovider", *shown)
    said = stack.run([sys.executable, "-m", "pytest", "benchmarks/test_decide.py", *options], capture=True)
    print("decide, 200 candidates with skills")
    print("".join(f"  {line}\n" for line in said.splitlines() if line.startswith(("Name", "test_"))))


def _play(stack: Stack) -> None:
    from benchmarks import play

    stack.start("live", "worker", "beat")
    play.report(stack)
    for name in ("web", "live", "worker", "beat"):
        print(f"{name}: {resident_mb(stack.process(name).pid):.0f} MB resident, with its children")


if __name__ == "__main__":
    main()
