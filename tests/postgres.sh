#!/bin/sh
# Prints the URL of a PostgreSQL cluster for tests, starting the cluster first if necessary: postgres.sh PROCESS FOLDER.
# The cluster belongs to PROCESS: calls with the same PROCESS and FOLDER share it, and when PROCESS ends, for whatever reason,
# the cluster is stopped and removed. It is created from the installed server programs, listens on a free port of 127.0.0.1
# and stores its data in a temporary folder; no other server has to be running.
set -eu

say() { printf '%s\n' "$*" >&2; }

# Prints the folder of initdb and postgres: the first on PATH, or the latest version of Debian.
programs() {
    for folder in $(printf '%s' "$PATH" | tr ':' '\n') $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
            printf '%s\n' "$folder"
            return
        fi
    done
    say "the PostgreSQL server programs (initdb, postgres) are missing: run tests/setup.sh, or set TEST_DATABASE_URL"
    return 1
}

# Whether a process is running; a zombie is not.
runs() { read -r _ _ status _ 2>/dev/null <"/proc/$1/stat" && [ "$status" != Z ]; }

# Stops the cluster and removes its files.
clean() {
    trap '' HUP INT TERM
    rm -f "$state" "$state.new"
    if [ -n "$server" ]; then
        kill -QUIT "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    cd /
    rm -rf "$data"
}

# Creates and starts the cluster, writes its URL and the ID of this process to a file, and waits until the owner ends.
supervise() {
    owner=$1 state=$2 server=''
    bin=$(programs)
    data=$(mktemp -d "${TMPDIR:-/tmp}/kurultai-postgres.XXXXXX")
    trap clean EXIT
    trap 'exit 1' HUP INT TERM
    # the server ends with this shell even if the shell is killed; PostgreSQL refuses to run as root
    set -- setpriv --pdeathsig QUIT
    if [ "$(id -u)" = 0 ]; then
        user=postgres
        id -u "$user" >/dev/null 2>&1 || user=nobody
        chown "$user" "$data"
        set -- "$@" --reuid "$user" --regid "$(id -g "$user")" --init-groups
    fi
    cd "$data"
    "$@" -- "$bin/initdb" --no-sync --auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8 -D cluster >/dev/null

    # the server does not start if the port is in use; these ports are below the ephemeral range
    port=$((20000 + $$ % 10000))
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        "$@" -- "$bin/postgres" -D cluster -h 127.0.0.1 -p "$port" -k "$data" \
            -c fsync=off -c full_page_writes=off -c max_connections=400 >log 2>&1 &
        server=$!
        while runs "$server"; do
            ! grep -qs '^ready' cluster/postmaster.pid || break 2
            sleep 0.05
        done
        server=''
        port=$((port + 1))
    done
    [ -n "$server" ] || { cat log >&2; exit 1; }
    printf '%s %s\n' "postgres://postgres@127.0.0.1:$port" $$ >"$state.new"
    mv "$state.new" "$state"

    # the caller waits for the end of this output
    exec >/dev/null 2>&1
    while runs "$owner"; do sleep 0.2; done
}

if [ "${1:-}" = --supervise ]; then
    supervise "$2" "$3"
    exit
fi
[ $# = 2 ] || { say "usage: $0 PROCESS FOLDER"; exit 2; }

# concurrent calls start only one cluster
state=$2/postgres-$1
mkdir -p "$2"
exec 9>"$2/postgres.lock"
flock 9
url='' supervisor=''
[ ! -s "$state" ] || read -r url supervisor <"$state"
if [ -z "$supervisor" ] || ! runs "$supervisor"; then
    rm -f "$state"
    # a session of its own: Ctrl-C in the terminal ends the owner, and with it the cluster
    setsid "$0" --supervise "$1" "$state" </dev/null >&2 9>&- &
    supervisor=$!
    until [ -s "$state" ]; do
        runs "$supervisor" || { say "no PostgreSQL cluster could be started for the tests"; exit 1; }
        sleep 0.05
    done
    read -r url supervisor <"$state"
fi
printf '%s\n' "$url"
