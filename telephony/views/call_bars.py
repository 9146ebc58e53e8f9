"""A call's picture as its page draws it: places in percent as SVG writes them, and a word for every colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from telephony.core.call_bar import Picture, Span, Went

WORDS: Final[dict[Went, Promise]] = {
    Went.WAITING: _("Waiting"),
    Went.RINGING: _("Ringing"),
    Went.TALK: _("Talk"),
    Went.HOLD: _("On hold"),
    Went.CONSULT: _("Consult"),
    Went.MESSAGE: _("Message"),
}


@dataclass(frozen=True, slots=True)
class Rect:
    went: str
    word: Promise
    x: str
    width: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Line:
    who: str
    rects: tuple[Rect, ...]


@dataclass(frozen=True, slots=True)
class Total:
    went: str
    word: Promise
    seconds: int


@dataclass(frozen=True, slots=True)
class Bar:
    seconds: int
    rects: tuple[Rect, ...]
    lines: tuple[Line, ...]
    totals: tuple[Total, ...]


def bar_of(picture: Picture) -> Bar:
    return Bar(
        seconds=picture.seconds,
        rects=_rects(picture.spans),
        lines=tuple(Line(row.who, _rects(row.spans)) for row in picture.rows),
        totals=tuple(Total(str(went), WORDS[went], seconds) for went, seconds in picture.totals),
    )


def _rects(spans: Sequence[Span]) -> tuple[Rect, ...]:
    # Written here: a template would put a comma into the numbers of a Spanish page.
    return tuple(
        Rect(str(span.went), WORDS[span.went], f"{span.left}%", f"{span.width}%", span.seconds) for span in spans
    )
