"""What recordings tell whoever stands above them."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

#: A recording was deleted, in the transaction of its tombstone. ``recording_id``, ``now``: what was made of it goes.
recording_deleted: Final = Signal()
#: A recording was given up after its last try, in the transaction that says so; its call's row is locked.
#: ``recording``, ``now``.
recording_given_up: Final = Signal()
#: A recording was stored and measured, after the commit. ``recording``, ``now``.
recording_stored: Final = Signal()
