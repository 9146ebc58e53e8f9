"""`make run`: serve Curbe Voice on this machine, with a demo company and a pretend Telnyx, until Ctrl-C."""

from __future__ import annotations

import hashlib
import os
import sys
import time

from curbe.dev import config, console, setup
from curbe.dev.errors import UnableToStart
from curbe.dev.stack import Stack

PROCESSES = ("web", "live", "worker", "beat")


def main() -> int:
    began = time.monotonic()
    setup.end_as_asked()
    try:
        os.chdir(config.ROOT)
        environment = config.environment(os.environ)
        chosen = config.read(environment)
        setup.prepare()
        with Stack(data=chosen.data, ports=chosen.ports, host=chosen.host, env=environment) as stack:
            logins = start(stack, sandbox=not environment.get("TELNYX_API_KEY"))
            stack.echo = True
            _greet(stack, logins, seconds=time.monotonic() - began)
            return _serve(stack)
    except UnableToStart as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.say("\nStopped.")
        return 0


def start(stack: Stack, *, sandbox: bool) -> str:
    """Start everything and return the text of the demo's log-ins. Without `sandbox` Telnyx itself is used."""
    processes = (*(["sandbox"] if sandbox else []), *PROCESSES)
    console.step("Starting PostgreSQL and Redis")
    stack.start_servers()
    if stack.servers.ended_orphans:
        console.step(f"Ended what a killed run had left: {', '.join(stack.servers.ended_orphans)}")
    stack.check_ports(*processes)  # after that: an orphan may have held one
    if sandbox:
        stack.run([sys.executable, "-m", "telephony.sandbox", "--prepare", "--data", str(stack.data)])
        stack.launch("sandbox")
    console.step("Preparing the database")
    stack.manage("migrate", "--verbosity", "0", "--skip-checks")
    logins = load_demo(stack)
    console.step("Starting the processes")
    stack.launch(*PROCESSES)
    if sandbox:
        stack.wait("sandbox")
        stack.manage("telnyx_setup", capture=True)
        stack.manage("sandbox_numbers", capture=True)
    stack.wait(*PROCESSES)
    return logins


def load_demo(stack: Stack) -> str:
    """Load the demo company into a database that has not seen it, and return the text of its log-ins.

    Once only: what people then change in it is theirs. The note of it names the database, which may be another
    tomorrow.
    """
    note = stack.data / "demo.txt"
    database = hashlib.sha256(stack.env["DATABASE_URL"].encode()).hexdigest()[:16]
    known = note.read_text(encoding="utf-8") if note.is_file() else ""
    heading, _, logins = known.partition("\n")
    if heading == database:
        return logins
    console.step("Loading the demo company")
    logins = stack.manage("demo_setup", capture=True).strip()
    note.write_text(f"{database}\n{logins}\n", encoding="utf-8")
    note.chmod(0o600)
    return logins


def _greet(stack: Stack, logins: str, *, seconds: float) -> None:
    sandbox = stack.is_running("sandbox")
    rows = [("Curbe Voice", stack.url("web") + "/"), ("Admin", stack.url("web") + "/admin/")]
    rows += [("API", stack.url("web") + "/api/docs")]
    rows += [("Pretend Telnyx", stack.url("sandbox") + "/")] if sandbox else []
    width = max(len(name) for name, _ in rows)
    console.say()
    console.say(console.paint(f"  Curbe Voice is ready ({seconds:.1f} s)", "1;32"))
    console.say()
    for name, address in rows:
        console.say(f"  {name:<{width}}  {console.paint(address, '4')}")
    console.say()
    for line in logins.splitlines():
        console.say(f"  {line}")
    console.say()
    console.say(console.paint(f"  Logs: {stack.logs}   Stop: Ctrl-C", "2"))
    console.say()


def _serve(stack: Stack) -> int:
    """Wait until Ctrl-C, or until a process ends that should not: then say which and end the others."""
    while True:
        ended = stack.first_ended()
        if ended is not None:
            console.say(stack.explain(ended))
            return 1
        time.sleep(0.5)


if __name__ == "__main__":
    raise SystemExit(main())
