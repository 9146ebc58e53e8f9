#!/bin/sh
# Make .venv from the lock files: a Python that works, the installer by its hash, then everything else by it.
# Silent and quick when nothing changed: the copies of the lock files in .venv say what is installed.
set -eu
cd "$(dirname "$0")/../.."

lock=requirements/dev.txt
if [ -x .venv/bin/python ] && cmp -s "$lock" .venv/installed.txt && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

say() { printf '→ %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# A pyenv shim exists for versions that it does not run, and Debian's python3 may lack venv: what counts is that it runs.
works() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c "
import sys, ensurepip, venv
sys.exit(not ($2))" >/dev/null 2>&1
}

find_python() {
    for python in ${PYTHON:-} python3.12 python3.11 python3 python; do
        if works "$python" '(3, 11) <= sys.version_info < (3, 13)'; then echo "$python"; return; fi
    done
    # Newer ones have no Redis in a wheel.
    for python in ${PYTHON:-} python3 python3.14 python3.13 python; do
        if works "$python" 'sys.version_info >= (3, 13)'; then
            if [ -n "${REDIS_URL:-}" ] || command -v redis-server >/dev/null 2>&1; then echo "$python"; return; fi
            fail "$python is newer than 3.12, for which no embedded Redis exists: install Python 3.11 or 3.12, or redis-server (6.2 or newer), or set REDIS_URL."
        fi
    done
    fail "No Python 3.11 or 3.12 that can make environments was found. On Debian: apt-get install python3 python3-venv"
}

if ! { [ -x .venv/bin/python ] && .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; } 2>/dev/null; then
    python=$(find_python)
    say "Making .venv with $("$python" -V)"
    rm -rf .venv
    "$python" -m venv .venv
fi

if ! .venv/bin/python -m uv --version 2>/dev/null | grep -qF "uv $(sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements/bootstrap.txt)"; then
    say "Installing the installer (uv)"
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r requirements/bootstrap.txt ||
        fail "The installer could not be fetched: is the package index reachable? (pip's own message stands above.)"
fi

say "Installing Python packages"
VIRTUAL_ENV="$PWD/.venv" .venv/bin/python -m uv pip sync --system-certs --quiet --require-hashes "$lock" ||
    fail "The Python packages could not be installed (uv's own message stands above)."
cp "$lock" .venv/installed.txt
