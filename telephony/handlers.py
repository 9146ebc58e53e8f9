"""Who acts on which kind of event. Apps above telephony register theirs when they are ready; the ledger asks here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from telephony.models import Call, TelnyxEvent

#: Gets the event and its call, whose row is locked, inside the transaction that marks the event as processed. It may
#: be called again for an event that was processed before, so it must be a join: twice is as good as once.
Handler = Callable[[TelnyxEvent, Call, datetime], None]

#: Gets an event that has waited for its call for a minute, inside a transaction, and again at each later look.
Unclaimed = Callable[[TelnyxEvent, datetime], None]

_HANDLERS: Final[dict[str, Handler]] = {}

#: Gets an event that is about no call, inside the transaction that marks it as processed. Twice is as good as once.
AccountHandler = Callable[[TelnyxEvent, datetime], None]

_OF_THE_ACCOUNT: Final[dict[str, AccountHandler]] = {}


_UNCLAIMED: Final[dict[str, Unclaimed]] = {}


def register_unclaimed(kind: str, handler: Unclaimed) -> None:
    """Have ``handler`` see events of ``kind`` (or ``kind.*``) whose call does not come, while they wait for it."""
    _UNCLAIMED[kind] = handler


def find_unclaimed(kind: str) -> Unclaimed | None:
    return _UNCLAIMED.get(kind) or _UNCLAIMED.get(f"{kind.rpartition('.')[0]}.*")


def register(kind: str, handler: Handler) -> None:
    """Have ``handler`` act on events of ``kind``; ``status.*`` takes every kind of that family without its own."""
    _HANDLERS[kind] = handler


def register_for_account(kind: str, handler: AccountHandler) -> None:
    """Have ``handler`` act on events of ``kind``, which are about the account and never about a call."""
    _OF_THE_ACCOUNT[kind] = handler


def find_for_account(kind: str) -> AccountHandler | None:
    return _OF_THE_ACCOUNT.get(kind)


def find(kind: str) -> Handler | None:
    """Return who acts on ``kind``; None when nobody does, which is right for events that are only kept."""
    family = f"{kind.rpartition('.')[0]}.*"
    return _HANDLERS.get(kind) or _HANDLERS.get(family)
