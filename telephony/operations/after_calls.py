"""The lists that agents choose from: a row that a call already names is switched off, not deleted."""

from __future__ import annotations

from django.db import transaction
from django.db.models import RestrictedError

from telephony.models import Disposition


def delete_disposition(row: Disposition) -> bool:
    """Delete a disposition; return whether it is gone. One that calls have is switched off: their history keeps it."""
    try:
        with transaction.atomic():
            row.delete()
    except RestrictedError:
        Disposition.objects.filter(pk=row.pk).update(is_active=False)
        return False
    return True
