"""What telephony tells those who can act outside of the transaction in which it happened."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

#: Telnyx is to be asked for something on behalf of a call. Sent after the commit, with ``call_id``.
commands_wanted: Final = Signal()
