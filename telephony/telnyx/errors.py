"""What can go wrong when we ask Telnyx for something, by whose fault. ``str(error)`` is a full report, no secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Complaint:
    """One entry of Telnyx's ``errors`` list."""

    code: str
    title: str = ""
    detail: str = ""
    #: The field that is wrong, as a JSON pointer; empty when it is about none.
    pointer: str = ""

    def __str__(self) -> str:
        text = ": ".join(part for part in (self.title, self.detail) if part)
        place = f" ({self.pointer})" if self.pointer else ""
        return f"{self.code} {text}{place}".strip()


class TelnyxError(Exception):
    """We did not get what we asked for. Catch one of the two below when only one of them can be answered."""


class TelnyxRefused(TelnyxError):
    """Telnyx understood and said no: asking the same again gives the same."""

    def __init__(self, request: str, status: int, complaints: Sequence[Complaint] = ()) -> None:
        self.request = request
        self.status = status
        self.complaints = tuple(complaints)
        lines = [f"Telnyx refused {request} with {status}.", *map(str, self.complaints)]
        super().__init__("\n  ".join(lines))

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(complaint.code for complaint in self.complaints)


class TelnyxUnreachable(TelnyxError):
    """No answer, or one that says *later* (408, 429, 5xx): try again after a while.

    ``status`` is None when nothing came back at all; then the request may have been carried out all the same.
    """

    def __init__(
        self,
        request: str,
        reason: str,
        *,
        status: int | None = None,
        complaints: Sequence[Complaint] = (),
        retry_after_s: float | None = None,
    ) -> None:
        self.request = request
        self.status = status
        self.complaints = tuple(complaints)
        self.retry_after_s = retry_after_s
        lines = [f"Telnyx did not answer {request}: {reason}.", *map(str, self.complaints)]
        super().__init__("\n  ".join(lines))
