"""What every list of calls agrees on: how a parameter is refused, and how far ids and moments may lie apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

#: The id of a call carries our clock when its row was made, its start Telnyx's: they differ by seconds. A day is
#: plenty, and still spares the rows of all the years before.
ID_SKEW: Final = timedelta(days=1)
#: No call of ours began outside of these years.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100


class BadFilter(ValueError):
    """A parameter of the query cannot be understood; ``field`` names it."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(f"{field}: {text}")
