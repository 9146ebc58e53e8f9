"""Who did what with which recording: one line each, written beside the deed and never changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curbe.companies.models import User
from recordings.models import Recording, RecordingAudit

#: The reasons that are ours, as they are kept; pages say them in the reader's language.
ASKED_FOR: Final = "asked for"
_KEPT_FOR: Final = re.compile(r"kept for (\d+) days")

#: A player asks for a file part by part: for so long it is the same listening.
ONE_LISTENING: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Who:
    """A person, and from where; nobody: the clock."""

    user: User | None = None
    ip: str | None = None
    agent: str = ""


CLOCK: Final = Who()


def who_asks(request: HttpRequest) -> Who:
    """Return who asks. Behind a proxy the first server of ours has put the address in place (``BEHIND_PROXY``)."""
    user = request.user if isinstance(request.user, User) else None
    return Who(user, _address(request), request.headers.get("User-Agent", "")[:200])


def _address(request: HttpRequest) -> str | None:
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    # The last entry is our proxy's word; those before it are whatever the client said.
    found = forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(found))
    except ValueError:
        return None


def kept_for(days: int) -> str:
    """Return the reason of a deletion by the clock."""
    return f"kept for {days} days"


def reason_words(reason: str) -> str:
    """Return a reason in the language that is active; what a person wrote stays as it is."""
    if reason == ASKED_FOR:
        return _("asked for")
    kept = _KEPT_FOR.fullmatch(reason)
    if kept is None:
        return reason
    days = int(kept[1])
    return ngettext("kept for %(days)d day", "kept for %(days)d days", days) % {"days": days}


def note(
    action: RecordingAudit.Action, recording: Recording, *, who: Who, now: datetime, reason: str = ""
) -> RecordingAudit | None:
    """Write one line; None for a recording of no company, which no company's audit could have."""
    if recording.company_id is None:
        return None
    return _write(action, recording.company_id, who, now, reason, recording=recording)


def note_company(action: RecordingAudit.Action, company_id: int, *, who: Who, now: datetime, reason: str = "") -> None:
    """Write one line about all recordings of a company."""
    _write(action, company_id, who, now, reason)


def note_heard(recording: Recording, *, who: Who, now: datetime, downloaded: bool) -> None:
    """Write that somebody listened or downloaded; the parts of one listening are one line."""
    action = RecordingAudit.Action.DOWNLOADED if downloaded else RecordingAudit.Action.LISTENED
    lines = RecordingAudit.objects.filter(
        recording_id=recording.pk, action=action, by=who.user, ip=who.ip, at__gt=now - ONE_LISTENING
    )
    if not lines.exists():
        note(action, recording, who=who, now=now)


def _write(
    action: RecordingAudit.Action,
    company_id: int,
    who: Who,
    now: datetime,
    reason: str,
    *,
    recording: Recording | None = None,
) -> RecordingAudit:
    return RecordingAudit.objects.create(
        company_id=company_id,
        recording_id=recording.pk if recording else None,
        call_id=recording.call_id if recording else None,
        action=action,
        by=who.user,
        by_name=str(who.user)[:120] if who.user else "",
        at=now,
        ip=who.ip,
        agent=who.agent,
        reason=reason[:200],
    )
