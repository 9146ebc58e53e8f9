"""`make lock`: write the lock files anew, with versions and hashes and no address of anything.

The lock files hold for Python 3.11 and 3.12, on Linux and macOS. A version that stands in a lock file stays until
`--upgrade` (or `--upgrade-package NAME`) is given: `.venv/bin/python -m curbe.dev.lock --upgrade`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from curbe.dev import node
from curbe.dev.config import ROOT

FILES = ("bootstrap", "base", "dev")
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-annotate",
    "--no-header",
    "--quiet",
)


def compile_command(name: str, arguments: list[str]) -> list[str]:
    folder = Path("requirements")
    paths = [str(folder / f"{name}.in"), "--output-file", str(folder / f"{name}.txt")]
    # One version of a package in all three files: what the smaller one says binds the larger.
    constraints = ["--constraint", str(folder / "base.txt")] if name == "dev" else []
    return [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *constraints, *arguments, *paths]


def main() -> int:
    for name in FILES:
        print(f"→ requirements/{name}.txt", flush=True)
        subprocess.run(compile_command(name, sys.argv[1:]), cwd=ROOT, check=True)
    print("→ package-lock.json", flush=True)
    found = node.find()
    # The setting of .npmrc keeps download addresses out of it.
    subprocess.run(
        [*found.npm, "install", "--package-lock-only", "--loglevel=error"],
        cwd=ROOT,
        env=found.environment(),
        check=True,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
