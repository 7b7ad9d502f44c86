#!/usr/bin/env bash
# Makes .venv with everything that the project needs, or says in one sentence what the machine lacks (exit 2).
# Done already: returns at once. PYTHON=... chooses the interpreter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.venv
STAMP="$VENV/setup-$(cat pyproject.toml constraints.txt .ci/setup.sh | cksum | tr -d ' ')"
LOG="$VENV/setup.log"
QUICKFIX="$(grep '^quickfix==' constraints.txt)"

say() { printf '%s\n' "$*"; }
lack() { printf 'setup: %s\n' "$*" >&2; exit 2; }

recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    local name
    if [ -n "${PYTHON:-}" ]; then
        recent_enough "$PYTHON" || lack "PYTHON=$PYTHON is not Python 3.11 or newer."
        say "$PYTHON"
        return
    fi
    for name in python3.11 python3.12 python3.13 python3; do
        if command -v "$name" >/dev/null 2>&1 && recent_enough "$name"; then say "$name"; return; fi
    done
    lack "Python 3.11 or newer is missing: install it (Debian: apt-get install python3.11 python3.11-venv python3.11-dev; macOS: brew install python@3.11)."
}

need_venv_module() {
    "$1" -c 'import venv, ensurepip' >/dev/null 2>&1 \
        || lack "$1 lacks its venv module: install it (Debian: apt-get install python3-venv)."
}

# A program is compiled rather than a file looked for: on macOS a compiler that is not installed still has a name.
need_compiler() {
    local headers
    printf 'int main() { return 0; }\n' | "${CXX:-c++}" -x c++ -std=c++17 -fsyntax-only - >/dev/null 2>&1 \
        || lack "a C++17 compiler is missing, which QuickFIX is built with: install it (Debian: apt-get install g++; macOS: xcode-select --install)."
    headers="$("$1" -c 'import sysconfig; print(sysconfig.get_path("include"))')"
    [ -f "$headers/Python.h" ] \
        || lack "the C headers of $1 are missing, which QuickFIX is built with: install them (Debian: apt-get install python3-dev)."
}

# Runs a command in the background and shows its age: on a terminal each second in place, else a line each half minute.
with_progress() {
    local what="$1" began=$SECONDS age shown=0 child rc=0
    shift
    set -m  # a process group of its own, so that an interrupt ends the compiler too
    "$@" >>"$LOG" 2>&1 </dev/null &
    child=$!
    set +m
    trap 'kill -TERM -- "-$child" 2>/dev/null || true; exit 130' INT TERM
    while kill -0 "$child" 2>/dev/null; do
        age=$((SECONDS - began))
        if [ -t 1 ]; then
            printf '\r  %s ... %d s ' "$what" "$age"
        elif [ $((age - shown)) -ge 30 ]; then
            shown=$age
            say "  $what ... $age s"
        fi
        sleep 1
    done
    wait "$child" || rc=$?
    trap - INT TERM
    if [ -t 1 ]; then printf '\r'; fi
    if [ "$rc" -ne 0 ]; then
        tail -n 15 "$LOG" >&2
        lack "$what failed; the lines above are the end of $LOG."
    fi
    say "  $what: $((SECONDS - began)) s        "
}

pip_install() { "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "$@"; }

# Stripped: the debug information is nine tenths of the library. Apple's linker has no such flag worth giving.
build_quickfix() {
    if [ "$(uname -s)" = Linux ]; then export LDFLAGS="${LDFLAGS:-} -s"; fi
    pip_install "$QUICKFIX"
}

# The page that browsers load, of the sources as they are; without Node.js everything else is there all the same.
build_console() { "$VENV/bin/python" .ci/console_bundle.py || lack "the console's page could not be built."; }

main() {
    local python
    if [ -e "$STAMP" ] && "$VENV/bin/python" -c '' 2>/dev/null; then
        build_console
        return
    fi
    say "setting up $VENV (once; QuickFIX is compiled, which takes about 5 minutes unless pip still has its wheel)"
    if ! { [ -x "$VENV/bin/python" ] && recent_enough "$VENV/bin/python"; }; then
        python="$(find_python)"
        need_venv_module "$python"
        need_compiler "$python"
        "$python" -m venv --clear "$VENV"
    fi
    : >"$LOG"
    if ! "$VENV/bin/python" -c 'import quickfix' 2>/dev/null; then
        need_compiler "$VENV/bin/python"
        with_progress "building ${QUICKFIX/==/ } (about 300 s)" build_quickfix
    fi
    with_progress "installing the other packages" pip_install --editable '.[dev,inference,traces]'
    rm -f "$VENV"/setup-*
    : >"$STAMP"
    build_console
}

main
