"""How calls are written on pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from curbe.lib.phone import for_people
from telephony.models import Call, CallLeg, Offer, QueueVisit

register = template.Library()

#: Telnyx tells of a recording seconds after the call; past a minute the page stops asking.
AUDIO_EXPECTED_FOR_S = 60
#: How a call ends that is recorded; a forwarded one is, too.
_RECORDED = frozenset({Call.Outcome.ANSWERED, Call.Outcome.FORWARDED, Call.Outcome.VOICEMAIL})
#: What networks put where the number would be (RFC 3323, RFC 3325, and old switches).
WITHHELD = frozenset({"anonymous", "restricted", "unavailable", "unknown", "private"})


@register.filter
def phone(number: str) -> str:
    """Return ``+1 305-555-0100`` for ``+13055550100``; nothing for a number that the caller keeps to himself."""
    return "" if number.lower() in WITHHELD else for_people(number)


@register.filter
def customer(call: Call) -> str:
    """Return the customer's name, else his number as people write it; words for one that he keeps to himself."""
    return call.caller_name or phone(call.customer_number) or str(_("Number withheld"))


@register.filter
def clock(seconds: int | None) -> str:
    """Return ``1:05`` or ``1:02:05``; nothing for nothing."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def talked_s(call: Call) -> int | None:
    """Return how long two people were connected, in whole seconds; None when nobody was, or they still are."""
    return seconds_between(call.answered_at, call.ended_at)


@register.filter
def lasted_s(begin: datetime | None, end: datetime | None) -> int | None:
    return seconds_between(begin, end)


def seconds_between(begin: datetime | None, end: datetime | None) -> int | None:
    if begin is None or end is None:
        return None
    return max(0, round((end - begin).total_seconds()))


#: What a row says at first glance; the colours of components/badge.css.
_TONES = {
    Call.Outcome.ANSWERED: "good",
    Call.Outcome.FORWARDED: "good",
    Call.Outcome.VOICEMAIL: "note",
    Call.Outcome.MISSED: "bad",
    Call.Outcome.ABANDONED: "bad",
    Call.Outcome.FAILED: "bad",
    Call.Outcome.UNASSIGNED: "quiet",
    Call.Outcome.BLOCKED: "quiet",
}


@register.filter
def tone(call: Call) -> str:
    """Return the tone of the call's badge: live, good, note, bad or quiet."""
    if call.status != Call.Status.COMPLETED:
        return "live"
    return _TONES.get(Call.Outcome(call.outcome), "quiet")


@register.filter
def word(call: Call) -> str:
    """Return the one word for how the call stands: its outcome once it is over, until then its status.

    A caller in a queue waits until somebody's phone rings (``queries.history.with_waits``).
    """
    if call.status == Call.Status.COMPLETED and call.outcome:
        return str(call.get_outcome_display())
    if call.status == Call.Status.RINGING and getattr(call, "waits", False):
        return str(QueueVisit.Outcome.WAITING.label)
    return str(call.get_status_display())


@register.filter
def waited_s(call: Call) -> int | None:
    """Return how long the caller waited for an answer, or until giving up."""
    return seconds_between(call.started_at, call.answered_at or call.ended_at)


@register.filter
def unsettled(call: Call) -> bool:
    """Say whether the row is expected to change by itself: not over, its audio on its way, or just about to be told.

    A page whose socket is down asks for such rows by the clock (static/js/behaviors/live_regions.js).
    """
    recordings = call.recordings.all()  # the reverse relation of an app above
    if call.status != Call.Status.COMPLETED or any(recording.state == "pending" for recording in recordings):
        return True
    expects_audio = call.outcome in _RECORDED and not recordings
    if not expects_audio or call.ended_at is None:
        return False
    return (timezone.now() - call.ended_at).total_seconds() < AUDIO_EXPECTED_FOR_S


@register.filter
def awaits_audio(call: Call) -> bool:
    """Say whether a Play button is due: just ended, talked or left a message, and nothing to hear yet.

    The push makes it appear; the page also asks by the clock for these few, socket or no socket, because a push may be
    lost (static/js/lib/audio_wait.js).
    """
    if call.ended_at is None or call.outcome not in _RECORDED:
        return False
    if any(recording.state != "pending" for recording in call.recordings.all()):  # the reverse relation of an app above
        return False
    return (timezone.now() - call.ended_at).total_seconds() < AUDIO_EXPECTED_FOR_S


@dataclass(frozen=True, slots=True)
class Heard:
    """The recordings of a call that are heard as one."""

    kind: str
    #: The first that can be played by who asks; None while there is none.
    first: Any
    #: There is something to hear, and not for who asks.
    is_private: bool
    duration_s: int | None
    is_pending: bool
    #: All that there was is gone by somebody's wish, or by the clock's.
    is_deleted: bool
    #: Why it was lost, in words; empty if it was not.
    error: str


@register.filter
def heard(call: Call) -> list[Heard]:
    """Return what there is to hear of a call of a list: its segments as one, its message as another."""
    rows = sorted(call.recordings.all(), key=lambda one: (one.started_at or one.created_at, one.pk))
    return [_heard([one for one in rows if one.kind == kind]) for kind in dict.fromkeys(one.kind for one in rows)]


def _heard(rows: list[Any]) -> Heard:
    kept = [one for one in rows if one.state == "stored"]
    # Whoever read the rows knows for whom (queries.hearing); of rows that nobody asked about nothing is offered.
    stored = [one for one in kept if getattr(one, "is_audible", False)]
    known = [one.duration_s for one in stored if one.duration_s]
    lost = [one.error or "failed" for one in rows if one.state == "failed"]
    return Heard(
        kind=rows[0].get_kind_display(),
        first=next(iter(stored), None),
        is_private=bool(kept) and not stored,
        duration_s=sum(known) if known else None,
        is_pending=any(one.state == "pending" for one in rows),
        is_deleted=all(one.state == "deleted" for one in rows),
        error=next(iter(lost), ""),
    )


_OFFER_TONES = {
    Offer.Outcome.PENDING: "live",
    Offer.Outcome.ANSWERED: "good",
    Offer.Outcome.MISSED: "bad",
    Offer.Outcome.DEVICE_LOST: "bad",
}


@register.filter
def offer_tone(offer: Offer) -> str:
    return _OFFER_TONES.get(Offer.Outcome(offer.outcome), "quiet")


_VISIT_TONES = {
    QueueVisit.Outcome.WAITING: "live",
    QueueVisit.Outcome.ANSWERED: "good",
    QueueVisit.Outcome.ABANDONED: "bad",
    QueueVisit.Outcome.FAILED: "bad",
}


@register.filter
def visit_tone(visit: QueueVisit) -> str:
    return _VISIT_TONES.get(QueueVisit.Outcome(visit.outcome), "quiet")


#: The provider's final words of a leg, as people say them.
_ENDS = {
    "completed": _("Ended normally"),
    "busy": _("Declined or busy"),
    "no-answer": _("Did not answer"),
    "canceled": _("Stopped ringing"),
    "failed": _("Failed"),
}


@register.filter
def how_it_ended(leg: CallLeg) -> str:
    """Return the end in words; a word of the provider that nobody translated is shown as it is."""
    return str(_ENDS.get(leg.end_status, leg.end_status))
