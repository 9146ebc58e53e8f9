"""What recordings tell whoever stands above them."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

#: A recording was deleted, in the transaction of its tombstone. ``recording_id``: whatever was made of it goes now.
recording_deleted: Final = Signal()
