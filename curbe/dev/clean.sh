#!/bin/sh
# Remove what the commands made: the environment, installed packages, and the data of `make run` and `make test`.
set -eu
cd "$(dirname "$0")/../.."

for data in "${CURBE_DATA:-.data}" .data-test; do
    [ -d "$data" ] || continue
    if [ -x .venv/bin/python ]; then
        .venv/bin/python -m curbe.dev.embedded --data "$data" --remove
    fi
done
rm -rf .venv node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
find . -name __pycache__ -type d -prune -exec rm -rf {} +
find . -name '*.mo' -not -path './.venv/*' -not -path './node_modules/*' -exec rm -f {} +
echo "Clean."
