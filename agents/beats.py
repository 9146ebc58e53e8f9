"""What a heartbeat says, read from the body by hand: it is the request that comes most often. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

#: Made by the page (a UUID); other phones may name themselves as they like within this.
PHONE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
LONGEST_TEXT: Final = 64


class BadBeat(ValueError):
    """The body is no heartbeat: ``field`` is wrong (empty: the whole of it)."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(f"{field}: {text}" if field else text)


@dataclass(frozen=True, slots=True)
class BeatBody:
    #: None: the browser did not say, and who asks tells.
    agent_id: int | None
    #: Public id.
    company: str
    phone_id: str
    ready: bool
    microphone: bool
    #: The page runs, but no sound would come through.
    degraded: bool = False


def parse(body: bytes) -> BeatBody:
    """Return the heartbeat in a JSON body. Raises BadBeat."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise BadBeat("", "The body is not JSON.") from err
    return read(data)


def read(data: object) -> BeatBody:
    """Return the heartbeat in parsed JSON. Raises BadBeat, which names the first field that is wrong."""
    if not isinstance(data, Mapping):
        raise BadBeat("", "The body is not a JSON object.")
    values = {name: _value(data, name, check) for name, check in FIELDS.items()}
    return BeatBody(
        agent_id=values["agentId"],
        company=values["companyId"],
        phone_id=values["phoneId"],
        ready=values["ready"],
        microphone=values["microphone"],
        degraded=values["degraded"],
    )


def _value(data: Mapping[str, Any], name: str, check: Callable[[Any], Any]) -> Any:
    if name not in data and name not in OPTIONAL:
        raise BadBeat(name, "This field is required.")
    try:
        return check(data.get(name))
    except ValueError as err:
        raise BadBeat(name, str(err)) from None


def _agent_id(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 18:
        return int(value)
    raise ValueError("This is not the id of an agent.")


def _company(value: object) -> str:
    if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT:
        return value
    raise ValueError("This is not the public id of a company.")


def _phone_id(value: object) -> str:
    if isinstance(value, str) and PHONE_ID.fullmatch(value):
        return value
    raise ValueError("Use 1 to 36 letters, digits, hyphens or underscores.")


def _moment(value: object) -> object:
    """Accept ISO 8601 or milliseconds. Nothing is made of it: the server's clock is the only one that counts."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("Write the time as ISO 8601 or in milliseconds since 1970.")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("This must be true or false.")


def _flag_if_said(value: object) -> bool:
    return False if value is None else _flag(value)


OPTIONAL: Final = frozenset({"agentId", "degraded"})
FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "agentId": _agent_id,
    "companyId": _company,
    "timestamp": _moment,
    "phoneId": _phone_id,
    "ready": _flag,
    "microphone": _flag,
    "degraded": _flag_if_said,
}
