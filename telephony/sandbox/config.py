"""What the sandbox is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    """Durations in seconds. Tests shorten them; nobody else should.

    Telnyx sends a webhook again when 2000 ms passed without an answer (developers.telnyx.com, webhook fundamentals,
    2026-04). The number of attempts and the first back-off are not published: see docs/telnyx-assumptions.md, S-03.
    """

    webhook_timeout_s: float = 2.0
    backoff_first_s: float = 0.5
    notification_attempts: int = 5
    shuffle_most_s: float = 3.0
    order_pending_s: float = 1.0
    recording_ready_s: float = 0.3
    transcription_ready_s: float = 1.0
    link_lives_s: float = 600.0
    pstn_answers_after_s: float = 1.5
    second_s: float = 1.0  # how long a second of a document lasts: its time-outs, pauses, limits


@dataclass(frozen=True)
class Config:
    """`data` is CURBE_DATA; everything of the sandbox lies in its folder `sandbox/`."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8002
    media: bool = True
    timing: Timing = field(default_factory=Timing)

    @property
    def folder(self) -> Path:
        return self.data / "sandbox"

    @property
    def recordings(self) -> Path:
        return self.folder / "recordings"

    @property
    def origin(self) -> str:
        """Where Curbe fetches recordings; a wildcard host is reached by loopback."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}"
