#!/usr/bin/env bash
# Write the lock files from pyproject.toml and web/package.json: hash-pinned, and free of index addresses, so that any
# mirror serves. Pins stay where they still fit; `scripts/lock.sh --upgrade` takes the newest Python releases.
set -euo pipefail
cd "$(dirname "$0")/.."

UV=${UV:-.venv/bin/uv}

lock() {
    local file=$1
    shift
    "$UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-emit-index-url --no-emit-find-links --output-file "$file" "$@"
}

lock requirements.lock pyproject.toml "$@"
# Without the settings of pyproject.toml: what running does without, a tool may need.
lock requirements-dev.lock --no-config --group dev --constraint requirements.lock "$@"
lock requirements-uv.lock --group uv "$@"
for folder in web scripts; do
    npm --prefix "$folder" install --package-lock-only --ignore-scripts --loglevel=error >/dev/null
done
