#!/usr/bin/env bash
# Measures Kurultai beside PostGraphile and the limits, over one PostgreSQL database that "kurultai-bench generate" filled.
# Arguments are handed on to "kurultai-bench load". SQLITE_URL, if given, is measured afterwards, Kurultai alone.
# PORT is the first of four ports in a row to listen on.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${DATABASE_URL:?names a PostgreSQL database with a synthetic dataset}"
export DATABASE_URL
target=${CARGO_TARGET_DIR:-target}
peer=bench/peer/postgraphile
port=${PORT:-8091}

cargo build --release -p kurultai -p kurultai-bench
[ -x $peer/node_modules/.bin/node ] || npm ci --prefix $peer --no-audit --no-fund

pids=()
logs=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$logs"' EXIT

open() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

serve() { # name, port, command
  local name=$1 port=$2
  shift 2
  # otherwise whoever listens there would be measured
  if open "$port"; then
    echo "run.sh: port $port is taken; PORT names another" >&2
    exit 1
  fi
  "$@" >"$logs/$name" 2>&1 &
  pids+=($!)
  for _ in $(seq 300); do
    if open "$port"; then return; fi
    if ! kill -0 "${pids[-1]}" 2>/dev/null; then break; fi
    sleep 0.1
  done
  echo "run.sh: $name does not listen on port $port" >&2
  cat "$logs/$name" >&2
  exit 1
}

serve kurultai "$port" env KURULTAI_CACHE=0 "$target/release/kurultai" serve --listen "127.0.0.1:$port"
serve kept $((port + 1)) "$target/release/kurultai" serve --listen "127.0.0.1:$((port + 1))"
serve postgraphile $((port + 2)) env NODE_ENV=production LISTEN="127.0.0.1:$((port + 2))" $peer/node_modules/.bin/node $peer/server.js
serve limit $((port + 3)) "$target/release/kurultai-bench" limit --listen "127.0.0.1:$((port + 3))"
"$target/release/kurultai-bench" load "$@" \
  --server kurultai="127.0.0.1:$port,${pids[0]}" --server kept="127.0.0.1:$((port + 1)),${pids[1]}" \
  --server postgraphile="127.0.0.1:$((port + 2)),${pids[2]}" --server limit="127.0.0.1:$((port + 3)),${pids[3]}"

if [ -n "${SQLITE_URL:-}" ]; then
  kill "${pids[@]}"
  wait "${pids[@]}" 2>/dev/null || true
  pids=()
  export DATABASE_URL=$SQLITE_URL
  printf '\nKurultai over SQLite\n\n'
  serve kurultai "$port" env KURULTAI_CACHE=0 "$target/release/kurultai" serve --listen "127.0.0.1:$port"
  serve kept $((port + 1)) "$target/release/kurultai" serve --listen "127.0.0.1:$((port + 1))"
  "$target/release/kurultai-bench" load "$@" --server kurultai="127.0.0.1:$port,${pids[0]}" --server kept="127.0.0.1:$((port + 1)),${pids[1]}"
fi
