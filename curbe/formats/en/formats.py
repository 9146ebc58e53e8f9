"""English."""

from __future__ import annotations

from curbe.formats import MOMENT

DATETIME_FORMAT = SHORT_DATETIME_FORMAT = MOMENT
