#!/bin/sh
# Makes sure that what the tests need is there: installs or starts it where that can be done, and says what is missing otherwise.
set -eu

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

# packages are read by tools in Python
if ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    can_install || missing "Python 3 with venv" "install it (python3 and python3-venv)"
    install python3 python3-venv
fi

chromium=${CHROMIUM:-/usr/bin/chromium}
if ! [ -x "$chromium" ]; then
    can_install || missing Chromium "install it, or set CHROMIUM to where it is"
    install chromium
fi

if ! cargo deny --version >/dev/null 2>&1; then
    say "installing cargo-deny"
    cargo install --locked --quiet cargo-deny
fi

# PostgreSQL: the server of TEST_DATABASE_URL, or a local one
url=${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432}
if ! has pg_isready; then
    can_install || missing "the PostgreSQL client" "install it (pg_isready), or let an administrator run this once"
    install postgresql
fi
if ! pg_isready -q -d "$url/postgres"; then
    [ -z "${TEST_DATABASE_URL:-}" ] || missing "PostgreSQL at TEST_DATABASE_URL" "start it"
    if has pg_ctlcluster && [ "$(id -u)" = 0 ]; then
        [ -d /etc/postgresql ] || install postgresql
        version=$(ls /etc/postgresql | tail -n 1)
        say "starting PostgreSQL $version"
        pg_ctlcluster --skip-systemctl-redirect "$version" main start
        sleep 2
    fi
    pg_isready -q -t 30 -d "$url/postgres" || missing "PostgreSQL at $url" "start it, or set TEST_DATABASE_URL"
fi
# the programs of a PostgreSQL server: tests of several servers start clusters of their own
PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
if ! { has initdb && has postgres && has pg_basebackup; }; then
    can_install || missing "PostgreSQL's server (initdb, postgres, pg_basebackup)" "install it, or let an administrator run this once"
    install postgresql
fi
has setpriv || missing setpriv "install util-linux"
"$(dirname "$0")/pgbouncer.sh" >/dev/null || missing "PgBouncer 1.21 or later" "install it, or name it in PGBOUNCER"
psql -qAt -d "$url/postgres" -c 'SELECT 1' >/dev/null || missing "a way into PostgreSQL at $url" "let this user in without a password, or set TEST_DATABASE_URL"
