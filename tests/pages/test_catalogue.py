"""Whatever a page or a model says is in the Spanish catalogue: a new text without a translation fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
CODE = ("agents", "curbe", "recordings", "telephony")
#: The pretend Telnyx speaks to developers, in English.
NOT_OURS_TO_TRANSLATE = ("telephony/sandbox", "curbe/dev")
MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}

TRANSLATE = re.compile(r"""\{%\s*trans(?:late)?\s+(?:"([^"]*)"|'([^']*)')""")
UNDERSCORE = re.compile(r"""\b_\((?:"([^"]*)"|'([^']*)')\)""")
BLOCK = re.compile(r"\{%\s*blocktrans(?:late)?\b.*?%\}(.*?)\{%\s*(?:plural|endblocktrans(?:late)?)\s*%\}", re.DOTALL)


def catalogue() -> set[str]:
    with (ROOT / "curbe/locale/es/LC_MESSAGES/django.po").open("rb") as file:
        messages = list(read_po(file, locale="es"))
    return {message.id if isinstance(message.id, str) else message.id[0] for message in messages if message.string}


def said_by_templates() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.glob("templates/**/*.html")):
        text = path.read_text()
        for pattern in (TRANSLATE, UNDERSCORE):
            for match in pattern.finditer(text):
                yield str(path.relative_to(ROOT)), match[1] or match[2] or ""
        for match in BLOCK.finditer(text):
            yield str(path.relative_to(ROOT)), re.sub(r"\{\{\s*(\w+)\s*\}\}", r"%(\1)s", match[1])


def said_by_code() -> Iterator[tuple[str, str]]:
    for path in sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py")):
        name = str(path.relative_to(ROOT))
        if name.startswith(NOT_OURS_TO_TRANSLATE) or "/migrations/" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS and node.args:
                argument = node.args[0]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield name, argument.value


@pytest.mark.parametrize("said", [said_by_templates, said_by_code])
def test_everything_that_is_said_can_be_said_in_spanish(said: Callable[[], Iterator[tuple[str, str]]]) -> None:
    known = catalogue()
    texts = list(said())

    assert len(texts) > 50
    assert [(where, text) for where, text in texts if text and text not in known] == []
