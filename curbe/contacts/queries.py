"""Reads about contacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, Func, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Lower

from curbe.contacts.models import Contact, ContactNumber
from curbe.lib.names import ACCENTED, PLAIN, plain

PAGE_SIZE: Final = 50

_NAME: Final = Func(Lower("name"), Value(ACCENTED), Value(PLAIN), function="translate", output_field=TextField())


@dataclass(frozen=True, slots=True)
class Page:
    contacts: tuple[Contact, ...]
    #: Name and id of the last one, where there are more.
    after: tuple[str, int] | None


def contact_with(company_id: int, e164: str) -> Contact | None:
    """Return the company's contact who has this number; None if nobody has."""
    return Contact.objects.filter(company=company_id, numbers__e164=e164).order_by("id").first()


def page(contacts: QuerySet[Contact], *, text: str, after: tuple[str, int] | None, size: int = PAGE_SIZE) -> Page:
    """Return the contacts by name whose name or number has what was typed, from the one after ``after`` on."""
    if text:
        contacts = contacts.alias(plain_name=_NAME).filter(_with(text))
    if after is not None:
        name, pk = after
        # The first condition is where the index begins; with the second alone it would be read from the letter A on.
        contacts = contacts.filter(Q(name__gte=name), Q(name__gt=name) | Q(id__gt=pk))
    rows = tuple(contacts.prefetch_related("numbers").order_by("name", "id")[: size + 1])
    last = rows[size - 1] if len(rows) > size else None
    return Page(rows[:size], None if last is None else (last.name, last.pk))


def _with(text: str) -> Q:
    """Return the condition that the name has each of the words, or a number has the digits."""
    condition = Q()
    for word in plain(text).split():
        condition &= Q(plain_name__contains=word)
    digits = "".join(character for character in text if character in "0123456789")
    if digits and not any(character.isalpha() for character in text):
        condition |= Q(Exists(ContactNumber.objects.filter(contact=OuterRef("pk"), e164__contains=digits)))
    return condition
