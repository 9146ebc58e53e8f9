"""Pure modules import only the standard library, each other, and the two helpers that know no model.

import-linter (pyproject.toml) holds who may import whom; this holds what it cannot say: that nothing else at all is
imported by the core, whatever package somebody installs tomorrow.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from curbe.dev.config import ROOT

PURE = ("telephony/core/*.py", "agents/presence.py", "curbe/lib/names.py", "curbe/lib/phone.py", "curbe/lib/money.py")
ALLOWED = ("telephony.core", "curbe.lib.names", "curbe.lib.phone", "curbe.lib.money", "agents.presence")
# The one package that a pure helper may use: the world's numbering plans are data, not ours.
OF_A_HELPER = {"curbe/lib/phone.py": ("phonenumbers",)}
# What would make the answer depend on more than the arguments.
IMPURE_STDLIB = frozenset(
    {"asyncio", "http", "os", "random", "secrets", "socket", "subprocess", "threading", "time", "urllib.request"}
)

MODULES = sorted(path for pattern in PURE for path in ROOT.glob(pattern))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_module_imports_only_what_is_pure(module: Path) -> None:
    name = str(module.relative_to(ROOT))
    allowed = (*ALLOWED, *OF_A_HELPER.get(name, ()))

    foreign = [imported for imported in _imports(module) if not _is_pure(imported, allowed)]

    assert foreign == []


def test_the_core_and_presence_are_among_the_pure_modules() -> None:
    names = {str(path.relative_to(ROOT)) for path in MODULES}

    assert {"telephony/core/routing.py", "telephony/core/texml.py", "agents/presence.py"} <= names


@pytest.mark.parametrize(
    "imported, pure",
    [
        ("dataclasses", True),
        ("telephony.core.types", True),
        ("telephony.core_of_something_else", False),
        ("telephony.models.calls", False),
        ("django.utils.timezone", False),
        ("random", False),
        ("urllib.parse", True),
        ("urllib.request", False),
    ],
)
def test_what_counts_as_pure(imported: str, pure: bool) -> None:
    assert _is_pure(imported, ALLOWED) is pure


def _is_pure(imported: str, allowed: tuple[str, ...]) -> bool:
    top = imported.split(".")[0]
    if top in sys.stdlib_module_names:
        return imported not in IMPURE_STDLIB and top not in IMPURE_STDLIB
    return any(imported == name or imported.startswith(name + ".") for name in allowed)


def _imports(module: Path) -> Iterator[str]:
    """Yield the absolute names that a module imports, those inside of functions too."""
    package = ".".join(module.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = f"{package}.{node.module}" if node.level else str(node.module)
            # `from telephony.core import types` names a module; `from dataclasses import field` a thing in one.
            below = (ROOT / source.replace(".", "/")).is_dir()
            yield from (f"{source}.{alias.name}" if below else source for alias in node.names)
