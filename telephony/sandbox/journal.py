"""What happened, for the page, the log address and the console; bounded, in memory."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from telephony.sandbox import clock

logger = logging.getLogger("telephony.sandbox")

Level = Literal["info", "error"]
KEPT_LINES = 2000
SHOWN_BODY_CHARS = 20_000


@dataclass(frozen=True)
class Line:
    seq: int
    at: str
    level: Level
    text: str
    call_id: str | None


@dataclass
class Exchange:
    """One HTTP request with its answer. `direction` "out": we asked Curbe; "in": Curbe asked our API."""

    seq: int
    at: str
    direction: Literal["out", "in"]
    kind: str  # instruction, status, recording, event, rest
    method: str
    url: str
    body: str
    attempt: int = 1
    status: int | None = None
    answer: str = ""
    took_ms: int | None = None
    outcome: str = "waiting"  # answered, failed, dropped, waiting
    error: str = ""

    def close(
        self, *, outcome: str, status: int | None = None, answer: str = "", took_s: float = 0, error: str = ""
    ) -> None:
        self.outcome, self.status, self.answer = outcome, status, answer[:SHOWN_BODY_CHARS]
        self.took_ms, self.error = round(took_s * 1000), error

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Journal:
    """`version` climbs with every change that the page could show, so that polling costs nothing while all is quiet."""

    version: int = 1
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    loose_exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=200))

    def info(self, text: str, *, call_id: str | None = None) -> None:
        self._add("info", text, call_id)
        logger.info("%s%s", text, f" [call {call_id}]" if call_id else "")

    def error(self, text: str, *, call_id: str | None = None) -> None:
        self._add("error", text, call_id)
        logger.error("%s%s", text, f" [call {call_id}]" if call_id else "")

    def touch(self) -> None:
        self.version += 1

    def exchange(self, **facts: Any) -> Exchange:
        """Return a new exchange, numbered by the same counter as everything else."""
        self.touch()
        body = str(facts.pop("body", ""))[:SHOWN_BODY_CHARS]
        return Exchange(seq=self.version, at=clock.iso(clock.now()), body=body, **facts)

    def errors(self, most: int = 20) -> list[Line]:
        return [line for line in self.lines if line.level == "error"][-most:]

    def since(self, seq: int) -> list[Line]:
        return [line for line in self.lines if line.seq > seq]

    def clear(self) -> None:
        self.lines.clear()
        self.loose_exchanges.clear()
        self.touch()

    def _add(self, level: Level, text: str, call_id: str | None) -> None:
        self.touch()
        self.lines.append(Line(seq=self.version, at=clock.iso(clock.now()), level=level, text=text, call_id=call_id))
