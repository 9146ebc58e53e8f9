"""A contact centre for a benchmark: the product's own processes, the pretend Telnyx, and agents who need no browser.

Their telephones are scripted in the sandbox; their presence is real heartbeats, sent from here.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
import requests

from curbe.dev import ports
from curbe.dev.run import start
from curbe.dev.stack import Stack
from curbe.dev.steps import environment_of_tests

T = TypeVar("T")
#: Well within the 30 s after which a silent phone is offline.
BEAT_EVERY_S: Final = 8.0
#: The control API is asked by so many at once.
HANDS: Final = 8


class TookTooLong(AssertionError):
    """What was waited for did not come."""


def wait_for(what: str, ask: Callable[[], T | None | bool], *, within_s: float, every_s: float = 0.2) -> T:
    """Ask until there is an answer, and return it. Raises TookTooLong with the last one."""
    until_s = time.monotonic() + within_s
    while True:
        answer = ask()
        if answer:
            return answer  # type: ignore[return-value]
        if time.monotonic() > until_s:
            raise TookTooLong(f"waited {within_s:g} s for {what}; the last answer was {answer!r}")
        time.sleep(every_s)


@dataclass
class Agent:
    id: int
    ticket: str
    sip_username: str = ""
    #: With it a program acts as he, where the company was furnished so.
    key: str = ""
    #: What the phone says of itself in its heartbeats.
    ready: bool = True


class Sandbox:
    """The control API of the pretend Telnyx."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._here = threading.local()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        if not hasattr(self._here, "session"):
            self._here.session = requests.Session()
            self._here.session.trust_env = False
        answer = self._here.session.request(method, f"{self.url}/_sandbox/{path}", json=body, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    def call(self, to: str, caller: str, **more: Any) -> str:
        """Let somebody without sound call a number; return the sandbox's id of the call."""
        return str(self.ask("POST", "calls", {"to": to, "from": caller, "media": False, **more})["call_id"])

    def see(self, call_ids: Sequence[str]) -> list[Any]:
        with ThreadPoolExecutor(HANDS) as hands:
            return list(hands.map(lambda call_id: self.ask("GET", f"calls/{call_id}"), call_ids))


@dataclass
class Centre:
    """One company with its numbers and agents."""

    stack: Stack
    company_id: int
    company: str
    numbers: list[str]
    agents: list[Agent]
    sandbox: Sandbox
    database: psycopg.Connection
    _stopped: threading.Event = field(default_factory=threading.Event)

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """Return the rows of a query; ``%(company)s`` is this one."""
        return self.database.execute(sql, {"company": self.company_id, **values}).fetchall()  # type: ignore[call-overload]

    def count(self, sql: str, **values: Any) -> int:
        return int(self.rows(sql, **values)[0][0])

    def waiting(self) -> int:
        return self.count(
            "SELECT count(*) FROM telephony_queuevisit WHERE company_id = %(company)s AND outcome = 'waiting'"
        )

    def script(self, agent: Agent, **script: Any) -> None:
        self.sandbox.ask("POST", f"agents/{agent.sip_username}", script)

    def tally(self, agent: Agent) -> dict[str, int]:
        """Return what his telephone has seen: ``rung``, ``answered``, ``legs``, ``most_legs_at_once``."""
        return dict(self.sandbox.ask("GET", "agents")[agent.sip_username])

    def beat(self, agents: Sequence[Agent]) -> None:
        """Send one heartbeat of each of these agents, one after the other."""
        connection = http.client.HTTPConnection(self.stack.host, self.stack.ports["PORT"], timeout=10)
        try:
            for agent in agents:
                connection.request("POST", "/api/agents/heartbeat", self._body(agent), _headers(agent))
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status == 200, f"{answer.status} {text!r}"
        finally:
            connection.close()

    def _body(self, agent: Agent) -> bytes:
        beat = {"agentId": agent.id, "companyId": self.company, "timestamp": 0, "phoneId": "bench"}
        return json.dumps({**beat, "ready": agent.ready, "microphone": True}).encode()

    def keep_beating(self) -> None:
        """Send everybody's heartbeats until the centre closes; a slow server gets them later, not more often."""
        while not self._stopped.wait(BEAT_EVERY_S):
            try:
                self.beat(self.agents)
            except (OSError, AssertionError, http.client.HTTPException) as err:
                print(f"  !! a heartbeat failed: {err}", file=sys.stderr)

    def close(self) -> None:
        self._stopped.set()


def _headers(agent: Agent) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": f"Phone {agent.ticket}"}


@contextmanager
def house(folder: Path) -> Iterator[Stack]:
    """Every process of `make run`, the pretend Telnyx too, on data of their own."""
    taken: dict[str, int] = {}
    for name in ("PORT", "LIVE_PORT", "SANDBOX_PORT"):
        taken[name] = ports.choose(remembered=None, taken=taken.values())
    env = environment_of_tests(os.environ)
    for name in ("DATABASE_URL", "REDIS_URL"):
        # Never somebody's own database.
        env.pop(name, None)
    env |= {"DEBUG": "1", "LOG_LEVEL": "WARNING", "CURBE_IGNORE_DOTENV": "1"}
    with Stack(data=folder, ports=taken, env=env, throwaway=True) as stack:
        start(stack, sandbox=True)
        yield stack


@contextmanager
def opened(stack: Stack, kind: str, *, agents: int, ready: bool = True) -> Iterator[Centre]:
    """Make a company of this kind (``furnish.KINDS``) in a running stack, its agents alive until the block ends."""
    made = json.loads(
        stack.run([sys.executable, "-m", "benchmarks.furnish", kind, str(agents)], capture=True).splitlines()[-1]
    )
    stack.manage("sandbox_numbers", capture=True)
    people = [Agent(**one, ready=ready) for one in made.pop("agents")]
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        centre = Centre(stack=stack, agents=people, sandbox=Sandbox(stack.url("sandbox")), database=database, **made)
        _name_telephones(centre)
        centre.beat(people)
        beating = threading.Thread(target=centre.keep_beating, daemon=True)
        beating.start()
        try:
            yield centre
        finally:
            centre.sandbox.ask("POST", "calls/end_all")
            for agent in people:
                centre.sandbox.ask("DELETE", f"agents/{agent.sip_username}")
            centre.close()
            beating.join()


def _name_telephones(centre: Centre) -> None:
    """The worker makes the credentials, as it does for every new agent."""

    def made() -> dict[int, str] | None:
        rows = dict(
            centre.rows("SELECT agent_id, sip_username FROM telephony_sipendpoint WHERE company_id = %(company)s")
        )
        return rows if len(rows) == len(centre.agents) else None

    names = wait_for("the agents' credentials", made, within_s=120)
    for agent in centre.agents:
        agent.sip_username = names[agent.id]


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many per cent of them do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0.0
