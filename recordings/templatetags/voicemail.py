"""What the templates of voicemail ask of messages and texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django import template

from curbe.companies.access import membership_of
from curbe.companies.models import Membership
from curbe.lib.phone import is_e164
from recordings.access import audible
from recordings.models import Message, Recording, Transcript
from recordings.queries.messages import may_delete
from recordings.queries.transcripts import Told, told
from telephony.models import Call

register = template.Library()


@register.filter
def is_dialled(number: str) -> bool:
    """Say whether somebody can be called back at this number."""
    return is_e164(number)


@register.filter
def may_be_deleted_by(message: Message, membership: Membership) -> bool:
    return may_delete(membership, message)


@register.filter
def conversation(transcripts: Iterable[Transcript]) -> Told:
    """Return what was said, line by line."""
    return told(transcripts)


@register.filter
def is_playable(message: Message) -> bool:
    return is_stored(message.recording.state)


@register.filter
def is_stored(state: str) -> bool:
    return state == Recording.State.STORED


@register.filter
def is_message(kind: str) -> bool:
    """Say whether the text of such a recording is surely on its way; of conversations nobody knows."""
    return kind == Recording.Kind.VOICEMAIL


@register.filter
def at_clock(seconds: float) -> str:
    """Return where in the audio something is said: ``0:00``, ``1:07``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


@register.filter
def party_word(party: str) -> str:
    return str(Transcript.Party(party).label)


@register.simple_tag(takes_context=True)
def audible_of(context: Any, call: Call) -> Collection[UUID]:
    """Return the ids of the call's recordings that who asks may hear, and with that read. No query for who may all."""
    rows, his = call.recordings.all(), audible(membership_of(context["request"]))
    if not his or not rows:
        return {row.pk for row in rows}
    return set(Recording.objects.filter(his, call=call).values_list("pk", flat=True))
