"""Tells the company's pages what became of a recording; the row of the call refetches itself."""

from __future__ import annotations

from typing import Literal

from curbe.lib import push
from recordings.models import Recording


def tell(recording: Recording, what: Literal["pending", "stored", "failed", "deleted"]) -> None:
    if recording.company_id is None or recording.call_id is None:
        # Nobody's page has a row for it.
        return
    push.send(
        f"recording.{what}",
        groups=[push.company_group(recording.company_id)],
        call_id=str(recording.call_id),
        recording_id=str(recording.pk),
    )
