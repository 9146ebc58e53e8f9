"""What the templates of voicemail ask of messages and texts."""

from __future__ import annotations

from django import template

from curbe.lib.phone import is_e164
from recordings.models import Message, Recording, Transcript

register = template.Library()


@register.filter
def is_dialled(number: str) -> bool:
    """Say whether somebody can be called back at this number."""
    return is_e164(number)


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
