"""The operator's console in Spanish: no column, label or button is left in English, and moments have their seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import unfold
from django.contrib import admin
from django.db.models import Field, Model
from django.test import Client
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext, override

from curbe.lib.console_words import UNFOLD_WORDS
from telephony.models import TelnyxEvent
from tests.admin.test_pages import OURS

#: Words that are the same in both languages, and names of others.
SAME = {"id", "ID", "CallSid", "SHA-256", "audio", "error", "General"}


def fields_shown() -> Iterator[tuple[str, Field[object, object]]]:
    """Yield every column of each model that has a page, or stands on one."""
    models: set[type[Model]] = set()
    for model, page in admin.site._registry.items():
        if model._meta.app_label in OURS:
            models |= {model, *(inline.model for inline in page.inlines)}
    for model in sorted(models, key=lambda model: model._meta.label):
        for field in model._meta.concrete_fields:
            yield f"{model.__name__}.{field.name}", field


@pytest.mark.parametrize("field", [pytest.param(field, id=name) for name, field in fields_shown()])
def test_a_column_has_a_spanish_name(field: Field[object, object]) -> None:
    with override("en"):
        english = str(field.verbose_name)
    with override("es"):
        spanish = str(field.verbose_name)

    assert spanish != english or english in SAME


@pytest.mark.parametrize("word", UNFOLD_WORDS)
def test_what_unfold_says_in_english_only_is_said_in_spanish(word: str) -> None:
    with override("es"):
        assert gettext(word) != word or word in SAME


def test_unfold_still_says_each_of_these_words() -> None:
    folder = Path(unfold.__file__).parent
    files = [*folder.rglob("*.html"), *folder.rglob("*.py")]
    said = re.sub(r"\s+", " ", " ".join(file.read_text() for file in files))

    assert [word for word in UNFOLD_WORDS if f'"{word}"' not in said and f"'{word}'" not in said] == []


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_moment_has_its_seconds_and_stays_on_one_line(language: str) -> None:
    with override(language):
        assert formats.localize(datetime(2026, 11, 21, 9, 5, 7, tzinfo=UTC)) == "2026\u201111\u201121\u00a009:05:07"


def test_the_list_of_events_is_spanish_with_seconds(console: Client) -> None:
    TelnyxEvent.objects.create(
        dedupe_key="one",
        kind="status.ringing",
        occurred_at=datetime(2026, 11, 21, 9, 5, 6, tzinfo=UTC),
        received_at=datetime(2026, 11, 21, 9, 5, 7, tzinfo=UTC),
    )

    page = console.get(reverse("admin:telephony_telnyxevent_changelist"), headers={"accept-language": "es"})

    text = page.content.decode()
    assert "2026\u201111\u201121\u00a009:05:07" in text
    assert "Escriba para buscar" in text
    assert "Elija una acción" in text
    assert not re.search(r">\s*(Received at|Kind|Source|Attempts|Type to search|Select action)\s*<", text)
