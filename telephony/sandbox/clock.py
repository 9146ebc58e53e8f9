"""The only place of the sandbox that asks for the time of day."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime


def now() -> datetime:
    return datetime.now(UTC)


def iso(at: datetime) -> str:
    """ISO 8601 with microseconds and Z, as in Telnyx's JSON and in the TeXML callbacks of the OpenAPI document."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rfc2822(at: datetime) -> str:
    """The form of times in TeXML REST resources (rest-api.md section 1)."""
    return format_datetime(at.astimezone(UTC))


def parse_iso(text: str) -> datetime:
    """Return an aware datetime; a date or time without zone counts as UTC. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
