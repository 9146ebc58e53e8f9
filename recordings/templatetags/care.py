"""What the pages of who listened say in words."""

from __future__ import annotations

from django import template

from recordings import audit, troubles

register = template.Library()


@register.filter
def reason_words(reason: str) -> str:
    """Return the reason of a line in the reader's language: what a person wrote stands as he wrote it."""
    return audit.reason_words(reason)


@register.filter
def trouble_words(error: str) -> str:
    """Return why a recording is not here, in the reader's language."""
    return troubles.trouble_words(error)
