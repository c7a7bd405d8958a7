#!/usr/bin/env bash
# Bring a clone to where it runs (`setup.sh run`) or can also be tested (`setup.sh test`). Quick when nothing changed:
# each step leaves the digest of what it was made from beside what it made.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
PURPOSE=${1:-run}

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

digest() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }
is_fresh() { [ -f "$1" ] && [ "$(<"$1")" = "$2" ]; }

may_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt_install() {
    command -v apt-get >/dev/null && may_be_root || return 1
    say "installing $* with apt-get"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$@")
    as_root "${install[@]}" >/dev/null 2>&1 || { as_root apt-get update -qq && as_root "${install[@]}"; } >/dev/null 2>&1
}

check_tools() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        stop "Python 3.11 or newer is needed: install it, or name it: make PYTHON=/path/to/python3.12 $PURPOSE"
    command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' ||
        stop "Node 20 or newer with npm is needed to build the web app"
}

make_venv() {
    .venv/bin/python -c 'import pip' 2>/dev/null && return
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv || true
    "$PYTHON" -m venv .venv >/dev/null ||
        stop "no virtual environment can be made: install Debian's python3-venv (sudo apt-get install python3-venv)"
}

install_uv() {
    local want
    want=$(digest requirements-uv.lock)
    is_fresh .venv/.uv "$want" && return
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
    echo "$want" >.venv/.uv
}

# Once tests were set up they stay, so that `make run` after `make test` takes nothing away.
install_python() {
    local locks=(requirements.lock) want
    if [ "$PURPOSE" = test ] || [ -f .venv/.tests ]; then locks+=(requirements-dev.lock); fi
    want=$(digest requirements-uv.lock "${locks[@]}")
    is_fresh .venv/.locks "$want" && return
    say "installing Python packages"
    make_venv
    install_uv
    # Compiled now, once: where Python may not write beside its packages every start would compile them all again.
    .venv/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes "${locks[@]}"
    if [ "$PURPOSE" = test ]; then touch .venv/.tests; fi
    echo "$want" >.venv/.locks
}

has_zbar() { .venv/bin/python -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("zbar"))'; }
has_russian() { [ -n "$(find /usr/share/tesseract-ocr /usr/share/tessdata -name rus.traineddata 2>/dev/null)" ]; }
has_chromium() { command -v chromium chromium-browser google-chrome >/dev/null; }
has_cyrillic() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ru family)" ]; }

# Debian's names. Without libzbar0 some codes stay unread, without tesseract-ocr-rus some words in Russian; the others are
# for tests in a browser.
missing_packages() {
    has_zbar || echo libzbar0
    has_russian || echo tesseract-ocr-rus
    if [ "$PURPOSE" = test ]; then
        has_chromium || echo chromium
        has_cyrillic || printf '%s\n' fontconfig fonts-dejavu-core
    fi
}

install_system() {
    local missing
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" = 0 ] && return
    apt_install "${missing[@]}" || true
    mapfile -t missing < <(missing_packages)
    [ "${#missing[@]}" = 0 ] || say "going on without ${missing[*]}; to install: sudo apt-get install ${missing[*]}"
}

install_npm() {
    local folder=$1 want
    want=$(cd "$folder" && digest package.json package-lock.json .npmrc)
    is_fresh "$folder/node_modules/.karman-lock" "$want" && return
    say "installing packages for $folder"
    (cd "$folder" && npm ci --loglevel=error >/dev/null)
    echo "$want" >"$folder/node_modules/.karman-lock"
}

web_sources() {
    find web \( -path web/node_modules -o -path web/dist -o -path web/tests \) -prune -o -type f -print0 | LC_ALL=C sort -z
}

build_web() {
    local want
    want=$(web_sources | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
    [ -f web/dist/index.html ] && is_fresh web/node_modules/.karman-build "$want" && return
    say "building the web app"
    (cd web && npm run --silent build -- --logLevel warn)
    echo "$want" >web/node_modules/.karman-build
}

check_tools
install_python
# Ours too, for the same reason.
.venv/bin/python -m compileall -q aggregator
install_system
install_npm web
# A test makes the shop directory anew and compares.
if [ "$PURPOSE" = test ]; then install_npm scripts; fi
build_web
