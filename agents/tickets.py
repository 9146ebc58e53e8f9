"""The phone ticket: what a heartbeat shows instead of a session, so that being alive costs one statement.

It names agent, company and phone, is signed with the project's secret, and opens nothing but the heartbeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core import signing

#: As long as the registration token that it comes with (webrtc.md section 5).
TICKET_LIFE: Final = timedelta(hours=24)
SALT: Final = "curbe.phone"


@dataclass(frozen=True, slots=True)
class PhoneTicket:
    agent_id: int
    #: Public id.
    company: str
    phone_id: str
    expires_at: datetime


class BadTicket(Exception):
    """The ticket was not made by us, or its time is over: the browser must ask for a token anew."""


def issue(*, agent_id: int, company: str, phone_id: str, now: datetime) -> str:
    """Return a ticket that is good for 24 h, as text for ``Authorization: Phone …``."""
    until_s = int((now + TICKET_LIFE).timestamp())
    return _signer().sign(f"{agent_id}.{company}.{until_s}.{phone_id}")


def read(text: str, now: datetime) -> PhoneTicket:
    """Return what a ticket says. Raises BadTicket."""
    try:
        agent_id, company, until_s, phone_id = _signer().unsign(text).split(".", 3)
    except signing.BadSignature as err:
        raise BadTicket("The ticket is not one of ours.") from err
    expires_at = datetime.fromtimestamp(int(until_s), tz=now.tzinfo)
    if now >= expires_at:
        raise BadTicket("The ticket is older than a day.")
    return PhoneTicket(int(agent_id), company, phone_id, expires_at)


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT)
