"""How a moment is written where no template says it: in the operator's console, in both languages alike.

Seconds are shown, because events of one call lie seconds apart. Neither the hyphens nor the space break, so that a
narrow column of a list keeps a moment on one line. What is not said here is as Django has it.
"""

from __future__ import annotations

from typing import Final

MOMENT: Final = "Y\u2011m\u2011d\u00a0H:i:s"
