"""The checks of `make test` as a table: what each runs, and in which environment."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from curbe.dev.config import ROOT
from curbe.dev.node import Node

PYTHON_FOLDERS = ("agents", "benchmarks", "curbe", "recordings", "telephony", "tests", "manage.py")

# What a person's environment or .env may say about a real installation, and no test may see.
OF_AN_INSTALLATION = (
    "ALLOWED_HOSTS",
    "BEHIND_PROXY",
    "CSRF_TRUSTED_ORIGINS",
    "DEBUG",
    "DEFAULT_LANGUAGE",
    "LIVE_URL",
    "PUBLIC_URL",
    "RECORDINGS_STORAGE",
    "SECRET_KEY",
    "TELNYX_API_KEY",
    "TELNYX_API_URL",
    "TELNYX_PUBLIC_KEY",
    "TELNYX_RTC_HOST",
    "TELNYX_WEBHOOK_TOLERANCE_S",
)

# A server's settings, for Django's own list of what a server must have; nobody has these keys.
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "of-a-server-that-does-not-exist-0123456789-abcdefghijklmnopqrstuvwxyz",
    "ALLOWED_HOSTS": "voice.example.com",
    "PUBLIC_URL": "https://voice.example.com",
    "LIVE_URL": "https://voice.example.com",
    "BEHIND_PROXY": "1",
    "ADMINS": "ops@example.com",
    "EMAIL_URL": "smtp+tls://curbe:secret@mail.example.com:587",
    "TELNYX_API_KEY": "KEY-of-nobody",
    "TELNYX_PUBLIC_KEY": base64.b64encode(bytes(range(32))).decode(),
}


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One command of the suite. `why_not` says why there is nothing to run; `show` prints that many characters of the
    end of its output even when it passes."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    why_not: str | None = None
    show: int = 0


def environment_of_tests(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what it says about a real installation."""
    kept = {name: value for name, value in environ.items() if name not in OF_AN_INSTALLATION}
    return {**kept, "CURBE_IGNORE_DOTENV": "1", "PYTHONDONTWRITEBYTECODE": ""}


def checks(root: Path = ROOT) -> list[Step]:
    """Return the checks of Python, templates and settings; the longest first, so that two lanes end together."""
    folders = [name for name in PYTHON_FOLDERS if (root / name).exists()]
    templates = [str(path.relative_to(root)) for path in sorted((root / "templates").glob("**/*.html"))]
    scripts = Path(sys.executable).parent
    python, manage = (sys.executable, "-m"), (sys.executable, "manage.py")
    return [
        Step("mypy", (*python, "mypy")),
        Step("migrations", (*manage, "makemigrations", "--check", "--dry-run")),
        Step("check --deploy", (*manage, "check", "--deploy", "--fail-level", "WARNING"), env=PRODUCTION),
        Step("imports", (sys.executable, str(scripts / "lint-imports"), "--no-logo")),
        Step("ruff", (*python, "ruff", "check", *folders)),
        Step("ruff format", (*python, "ruff", "format", "--check", *folders)),
        Step(
            "djade",
            (str(scripts / "djade"), "--check", *templates),
            why_not=None if templates else "no templates yet",
        ),
        Step("messages", (*python, "curbe.dev.messages", "--check")),
    ]


def javascript(node: Node, root: Path = ROOT) -> list[Step]:
    """Return the checks and tests of what runs in browsers."""
    tests = sorted((root / "tests" / "js").glob("*.test.js"))
    prettier = (node.node[0], "node_modules/prettier/bin/prettier.cjs")
    return [
        Step("prettier", (*prettier, "--check", "--no-error-on-unmatched-pattern", *formatted_by_prettier(root))),
        Step(
            "node --test",
            (*node.node, "--test", *(str(path.relative_to(root)) for path in tests)),
            why_not=None if tests else "no tests/js yet",
            show=400,
        ),
    ]


def formatted_by_prettier(root: Path = ROOT) -> list[str]:
    """Return glob patterns of our own browser files, of those folders that are there."""
    folders = [name for name in ("static", "tests/js", "telephony/sandbox/page") if (root / name).is_dir()]
    return [f"{name}/**/*.{{js,mjs,css}}" for name in folders]
