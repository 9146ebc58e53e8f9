"""Make the message catalogues (.mo) that Django reads from those that people write (.po), without gettext's tools."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from curbe.dev.config import ROOT
from curbe.dev.errors import UnableToStart

LOCALE_FOLDERS = ("curbe/locale", "locale")
SOURCE_LANGUAGE = "en"


def compile_all(root: Path = ROOT) -> int:
    """Compile every catalogue whose source is newer than what was made of it; return how many were."""
    stale = [source for source in _sources(root) if not _is_fresh(source)]
    for source in stale:
        compile_one(source)
    return len(stale)


def compile_one(source: Path) -> Path:
    """Write the .mo beside a .po and return its path. Fuzzy entries are left out, as `compilemessages` does."""
    try:
        with source.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
    except PoFileError as error:
        raise UnableToStart(f"{source}: {error}") from None
    target = source.with_suffix(".mo")
    draft = target.with_suffix(".mo.new")
    with draft.open("wb") as file:
        write_mo(file, catalogue)
    draft.replace(target)
    return target


def _sources(root: Path) -> Iterator[Path]:
    for folder in LOCALE_FOLDERS:
        yield from sorted((root / folder).glob("*/LC_MESSAGES/*.po"))


def _is_fresh(source: Path) -> bool:
    target = source.with_suffix(".mo")
    return target.is_file() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns


def problems(root: Path = ROOT) -> list[str]:
    """Return what a reader of a catalogue would stumble over: "path:line: what is wrong"."""
    found: list[str] = []
    for source in _sources(root):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3], abort_invalid=True)
        translated = source.parts[-3] != SOURCE_LANGUAGE
        for message in catalogue:
            if not message.id:
                continue
            where, text = f"{source.relative_to(root)}:{message.lineno}", _first(message.id)
            if message.fuzzy:
                found.append(f"{where}: fuzzy, so nobody sees it: {text!r}")
            elif translated and not all(_strings(message)):
                found.append(f"{where}: not translated: {text!r}")
            else:
                found += [f"{where}: {error}: {text!r}" for error in _placeholder_problems(message)]
    return found


def _placeholder_problems(message: Message) -> Iterator[str]:
    """Yield what would fail when the page is made, or leave a value out. A plural form may do without its number."""
    wanted = _names(*([message.id] if isinstance(message.id, str) else message.id))
    for string in filter(None, _strings(message)):
        unknown, missing = _names(str(string)) - wanted, wanted - _names(str(string))
        if unknown:
            yield f"nobody fills in {', '.join(sorted(unknown))}"
        if missing and isinstance(message.id, str):
            yield f"{', '.join(sorted(missing))} is left out"


def _names(*texts: str) -> set[str]:
    return {name for text in texts for name in re.findall(r"%\((\w+)\)", text)}


def _strings(message: Message) -> tuple[object, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def _first(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def main() -> int:
    compile_all()
    if "--check" not in sys.argv[1:]:
        return 0
    found = problems()
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
