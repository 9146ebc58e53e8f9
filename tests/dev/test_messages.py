from __future__ import annotations

import gettext
import os
from pathlib import Path

import pytest

from curbe.dev import messages
from curbe.dev.errors import UnableToStart

HEADER = """\
msgid ""
msgstr ""
"Language: es\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
GOOD = (
    HEADER
    + """\
msgid "Answer"
msgstr "Contestar"

msgctxt "of a call"
msgid "Open"
msgstr "Abierta"

msgid "%(n)s call"
msgid_plural "%(n)s calls"
msgstr[0] "%(n)s llamada"
msgstr[1] "%(n)s llamadas"
"""
)


def write(root: Path, text: str, *, language: str = "es") -> Path:
    source = root / "curbe" / "locale" / language / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text, encoding="utf-8")
    return source


def test_pythons_own_gettext_reads_what_was_compiled(tmp_path: Path) -> None:
    write(tmp_path, GOOD)

    assert messages.compile_all(tmp_path) == 1

    spanish = gettext.translation("django", tmp_path / "curbe" / "locale", languages=["es"])
    assert spanish.gettext("Answer") == "Contestar"
    assert spanish.pgettext("of a call", "Open") == "Abierta"
    assert spanish.ngettext("%(n)s call", "%(n)s calls", 2) == "%(n)s llamadas"


def test_a_catalogue_is_compiled_again_only_when_it_changed(tmp_path: Path) -> None:
    source = write(tmp_path, GOOD)
    messages.compile_all(tmp_path)

    assert messages.compile_all(tmp_path) == 0

    made_at = source.with_suffix(".mo").stat().st_mtime
    os.utime(source, (made_at + 1, made_at + 1))
    assert messages.compile_all(tmp_path) == 1


def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "Decline: Rechazar\n")

    with pytest.raises(UnableToStart, match=r"django\.po"):
        messages.compile_all(tmp_path)


@pytest.mark.parametrize(
    "entry, problem",
    [
        ('msgid "Mute"\nmsgstr ""\n', "not translated: 'Mute'"),
        ('#, fuzzy\nmsgid "Mute"\nmsgstr "Silencio"\n', "fuzzy, so nobody sees it: 'Mute'"),
        ('#, python-format\nmsgid "Wait %(s)s s"\nmsgstr "Espere"\n', "s is left out: 'Wait %(s)s s'"),
        ('msgid "Wait %(s)s s"\nmsgstr "Espere %(s)s %(u)s"\n', "nobody fills in u: 'Wait %(s)s s'"),
    ],
)
def test_what_a_reader_would_stumble_over_is_named(tmp_path: Path, entry: str, problem: str) -> None:
    write(tmp_path, GOOD + "\n" + entry)

    found = messages.problems(tmp_path)

    assert len(found) == 1
    assert found[0].startswith("curbe/locale/es/LC_MESSAGES/django.po:")
    assert found[0].endswith(problem)


def test_the_language_of_the_source_needs_no_translation(tmp_path: Path) -> None:
    write(tmp_path, HEADER + 'msgid "Mute"\nmsgstr ""\n', language="en")
    write(tmp_path, GOOD)

    assert messages.problems(tmp_path) == []
