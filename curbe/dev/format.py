"""`make format`: put Python, templates and static files into their shape."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from curbe.dev import node, setup
from curbe.dev.config import ROOT
from curbe.dev.steps import PYTHON_FOLDERS, formatted_by_prettier


def main() -> int:
    setup.prepare()
    folders = [name for name in PYTHON_FOLDERS if (ROOT / name).exists()]
    templates = [str(path) for path in sorted((ROOT / "templates").glob("**/*.html"))]
    found = node.find()
    commands = [
        [sys.executable, "-m", "ruff", "check", "--fix", "--quiet", *folders],
        [sys.executable, "-m", "ruff", "format", *folders],
        [
            *found.node,
            "node_modules/prettier/bin/prettier.cjs",
            "--write",
            "--log-level=warn",
            *formatted_by_prettier(),
        ],
    ]
    if templates:
        # djade says by its exit code that it changed something, which is what it was asked to do.
        subprocess.run([str(Path(sys.executable).parent / "djade"), *templates], cwd=ROOT)
    return max(subprocess.run(command, cwd=ROOT).returncode for command in commands)


if __name__ == "__main__":
    raise SystemExit(main())
