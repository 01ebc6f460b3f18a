#!/bin/sh
# Runs one part of the tests: rust, web, clients, package or browser. None of them needs a running database server.
set -eu
cd "$(dirname "$0")/.."

# the build directory of cargo
target=${CARGO_TARGET_DIR:-$PWD/target}

rust() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace --locked
    else
        cargo test --workspace --locked
    fi
    cargo test --workspace --locked --doc
}

web() {
    cd web
    [ -d node_modules ] || npm ci --no-audit --no-fund
    npm test
}

# Builds the program as the Rust tests do: another choice of targets would enable other features of dependencies, and compile
# most of them again.
build() {
    cargo build --workspace --all-targets --locked
}

clients() {
    # the differential tests send thousands of requests from one address
    export KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS=0 KURULTAI_SHARES__CLIENT_PERCENT=100
    serve
    token=$("$target/debug/kurultai" token create --name clients --role editor --database-url "$database" | head -n 1)
    python tests/clients/requirements.txt
    cd tests/clients
    npm ci --no-audit --no-fund
    KURULTAI_URL=$address KURULTAI_TOKEN=$token KURULTAI_PYTHON=$target/python/bin/python npm test
    cd ../..
    KURULTAI_URL=$address KURULTAI_TOKEN=$token "$target/python/bin/python" tests/clients/gql_client.py
}

# Serves the sample dataset until the script exits; sets $folder, $database and $address.
serve() {
    build
    folder=$(mktemp -d)
    database="sqlite://$folder/kurultai.db"
    "$target/debug/kurultai" import data/ --database-url "$database"
    "$target/debug/kurultai" serve --database-url "$database" --listen 127.0.0.1:0 2>"$folder/log" &
    server=$!
    trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT INT TERM
    address=
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        address=$(sed -nE 's/.*(http:\/\/[0-9.:]+)\/graphiql.*/\1/p' "$folder/log" | head -n 1)
        [ -z "$address" ] || break
        sleep 1
    done
    [ -n "$address" ] || { cat "$folder/log" >&2; exit 1; }
}

browser() {
    serve
    cd tests/browser
    npm ci --no-audit --no-fund
    screenshots=${SCREENSHOT_DIR:-$folder}
    KURULTAI_URL=$address SCREENSHOT_DIR=$screenshots npm test
    cd ../..
    python
    "$target/python/bin/python" tests/browser/links.py "$screenshots" "$folder/kurultai.db"
}

# Creates a Python environment with the packages of a file; by default, the tools that read exported files.
python() {
    [ -x "$target/python/bin/python" ] || python3 -m venv "$target/python"
    "$target/python/bin/pip" install --quiet --disable-pip-version-check -r "${1:-tests/requirements.txt}"
}

# Exports the sample dataset and reads it with other tools.
package() {
    build
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT INT TERM
    database="sqlite://$folder/kurultai.db"
    "$target/debug/kurultai" import data/ --database-url "$database"
    for format in csv ndjson parquet; do
        "$target/debug/kurultai" export "$folder/$format" --format "$format" --licence CC-BY-4.0 --database-url "$database"
    done
    python
    "$target/python/bin/python" tests/package/check.py "$folder"
}

case ${1:-} in
rust | web | clients | package | browser) "$1" ;;
*) echo "usage: $0 rust | web | clients | package | browser" >&2; exit 2 ;;
esac
