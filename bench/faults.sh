#!/usr/bin/env bash
# Kills and restarts PostgreSQL TIMES (100) times while clients read and write through a server. Fails if an acknowledged write
# is lost, or a write is applied partially. The cluster is created in a temporary folder.
# PORT is the first of two consecutive ports to listen on.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
port=${PORT:-8091}
folder=$(mktemp -d)
bin=$(pg_config --bindir 2>/dev/null || ls -d /usr/lib/postgresql/*/bin | tail -n 1)
if [ "$(id -u)" = 0 ]; then
  chown postgres "$folder"
  as=(runuser -u postgres --)
else
  as=()
fi
trap 'kill $server 2>/dev/null || true; "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

[ -n "${BUILT:-}" ] || cargo build --release --target-dir "$target" -p kurultai -p kurultai-bench
"${as[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust >/dev/null
echo "listen_addresses = '127.0.0.1'
port = $((port + 1))
unix_socket_directories = '$folder'" | "${as[@]}" tee -a "$folder/data/postgresql.conf" >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start >/dev/null

export DATABASE_URL=postgres://postgres@127.0.0.1:$((port + 1))/postgres
"$target/release/kurultai" migrate
"$target/release/kurultai" import data/
KURULTAI_TOKEN=$("$target/release/kurultai" token create --name faults --role editor | head -n 1)
export KURULTAI_TOKEN
KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS=0 KURULTAI_SHARES__CLIENT_PERCENT=100 KURULTAI_RATE_LIMIT__POINTS_PER_TOKEN=0 KURULTAI_MAX_CONCURRENT_QUERIES=16 KURULTAI_LOG=error "$target/release/kurultai" serve --listen "127.0.0.1:$port" 2>/dev/null &
server=$!
until curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; do
  kill -0 "$server"
  sleep 0.1
done
# "immediate" is like a power failure: nothing is flushed, and the cluster recovers from its write-ahead log
"$target/release/kurultai-bench" faults --url "http://127.0.0.1:$port" --times "${TIMES:-100}" \
  --command "${as[*]} '$bin/pg_ctl' -D '$folder/data' -l '$folder/log' -m immediate -w restart >/dev/null"
kill -0 "$server"
