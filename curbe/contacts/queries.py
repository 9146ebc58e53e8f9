"""Reads about contacts."""

from __future__ import annotations

from curbe.contacts.models import Contact


def contact_with(company_id: int, e164: str) -> Contact | None:
    """Return the company's contact who has this number; None if nobody has."""
    return Contact.objects.filter(company=company_id, numbers__e164=e164).order_by("id").first()
