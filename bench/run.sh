#!/usr/bin/env bash
# Benchmarks Kurultai against PostGraphile, Seaography and the upper limits, on one PostgreSQL database that
# "kurultai-bench generate" has filled. Arguments are passed to "kurultai-bench load". Then the servers run again behind a
# proxy for the database, and "kurultai-bench count" counts their statements.
# If SQLITE_URL is set, Kurultai is also measured on that SQLite database.
# PORT is the first of six consecutive ports to listen on.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${DATABASE_URL:?is not set: the URL of a PostgreSQL database with a synthetic dataset}"
export DATABASE_URL
# some servers encrypt their database connections by default, and others never do
export PGSSLMODE=disable
target=${CARGO_TARGET_DIR:-$PWD/target}
peers=bench/peer
port=${PORT:-8091}
proxy=127.0.0.1:$((port + 5))

cargo build --release --target-dir "$target" -p kurultai -p kurultai-bench
# a separate workspace, which needs a target directory of its own
cargo build --release --target-dir "$target/seaography" --locked --manifest-path $peers/seaography/Cargo.toml
[ -x $peers/postgraphile/node_modules/.bin/node ] || npm ci --prefix $peers/postgraphile --no-audit --no-fund

pids=()
servers=()
logs=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$logs"' EXIT

open() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

begin() { # name, port, command
  local name=$1 port=$2
  shift 2
  # otherwise another process would be measured
  if open "$port"; then
    echo "run.sh: port $port is in use; set PORT to another" >&2
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

serve() { # kind, offset of the port, command
  # admit all queries of the one client, without rate limits
  begin "$1" $((port + $2)) env LISTEN="127.0.0.1:$((port + $2))" KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS=0 KURULTAI_SHARES__CLIENT_PERCENT=100 KURULTAI_MAX_CONCURRENT_QUERIES=64 "${@:3}"
  servers+=(--server "$1=127.0.0.1:$((port + $2)),${pids[-1]}")
}

serve_kurultai() {
  serve kurultai 0 KURULTAI_RESPONSE_CACHE_BYTES=0 "$target/release/kurultai" serve --listen "127.0.0.1:$port"
  serve cached 1 "$target/release/kurultai" serve --listen "127.0.0.1:$((port + 1))"
}

serve_others() {
  serve postgraphile 2 NODE_ENV=production $peers/postgraphile/node_modules/.bin/node $peers/postgraphile/server.js
  serve seaography 3 "$target/seaography/release/kurultai-bench-seaography"
  serve limit 4 "$target/release/kurultai-bench" limit --listen "127.0.0.1:$((port + 4))"
}

stop() {
  kill "${pids[@]}" 2>/dev/null || true
  wait "${pids[@]}" 2>/dev/null || true
  pids=()
  servers=()
}

serve_kurultai
serve_others
"$target/release/kurultai-bench" load "$@" "${servers[@]}"
stop

# count the same requests that were timed; durations and repetitions do not apply
count_arguments=()
for ((number = 1; number <= $#; number++)); do
  case ${!number} in
    --workload | --position) next=$((number + 1)) && count_arguments+=("${!number}" "${!next}") ;;
    --workload=* | --position=*) count_arguments+=("${!number}") ;;
  esac
done
printf '\nStatements and bytes read from PostgreSQL\n\n'
"$target/release/kurultai-bench" count "${count_arguments[@]}" --listen "$proxy" \
  --server kurultai="127.0.0.1:$port" --server cached="127.0.0.1:$((port + 1))" --server postgraphile="127.0.0.1:$((port + 2))" \
  --server seaography="127.0.0.1:$((port + 3))" --server limit="127.0.0.1:$((port + 4))" &
count_pid=$!
pids+=("$count_pid")
until open $((port + 5)); do
  kill -0 "$count_pid" 2>/dev/null || wait "$count_pid"
  sleep 0.1
done
[[ $DATABASE_URL =~ ^(postgres(ql)?://([^@/]*@)?)[^/?]*(.*)$ ]]
DATABASE_URL=${BASH_REMATCH[1]}$proxy${BASH_REMATCH[4]}
serve_kurultai
serve_others
wait "$count_pid"
stop

if [ -n "${SQLITE_URL:-}" ]; then
  DATABASE_URL=$SQLITE_URL
  printf '\nKurultai over SQLite\n\n'
  serve_kurultai
  "$target/release/kurultai-bench" load "$@" "${servers[@]}"
fi
