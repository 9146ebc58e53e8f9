"""Names as people look for them: without regard to capitals and accents. Pure."""

from __future__ import annotations

from typing import Final

#: What is taken off the letters, in the same order there. ``telephony_call_grams`` (migration 0011) does the same.
ACCENTED: Final = "áàäâãåéèëêíìïîóòöôõúùüûñç"
PLAIN: Final = "aaaaaaeeeeiiiiooooouuuunc"

_PLAINLY: Final = str.maketrans(ACCENTED, PLAIN)


def plain(text: str) -> str:
    """Return the text as names are compared: small letters, no accents."""
    return text.lower().translate(_PLAINLY)
