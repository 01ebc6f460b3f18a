#!/usr/bin/env bash
# Measures the throughput of streaming a large table, and the memory that it takes: /table.csv and /table.parquet, alternating
# with PostgreSQL's COPY of the same join. DATABASE_URL is a PostgreSQL database that "kurultai-bench generate" has filled with
# about 500,000 cases, so that there are about a million parties. ROUNDS (3) is the number of measurements, PORT (8091) the port
# of the server.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${DATABASE_URL:?is not set: the URL of a PostgreSQL database with a synthetic dataset}"
export DATABASE_URL
# neither the server nor psql encrypts its connections to the database
export PGSSLMODE=disable
target=${CARGO_TARGET_DIR:-$PWD/target}
port=${PORT:-8091}
rounds=${ROUNDS:-3}
folder=$(mktemp -d)
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT

# one row per party of each case, and one for a case without parties
query='{ cases { nodes { slug status openedOn court { slug } parties { nodes { role person { slug } } } } } }'
copy="COPY (
  SELECT c.slug, upper(c.status), c.opened_on, o.slug, upper(p.role), pe.slug
  FROM cases c
  LEFT JOIN organizations o ON o.id = c.court_id AND o.published
  LEFT JOIN case_parties p ON p.case_id = c.id
  LEFT JOIN persons pe ON pe.id = p.person_id AND pe.published
  WHERE c.published
) TO STDOUT (FORMAT csv)"

[ -n "${BUILT:-}" ] || cargo build --release --target-dir "$target" -p kurultai
KURULTAI_RATE_LIMIT__POINTS_PER_ADDRESS=0 KURULTAI_SHARES__CLIENT_PERCENT=100 "$target/release/kurultai" serve --listen "127.0.0.1:$port" 2>"$folder/log" &
server=$!
for _ in $(seq 100); do
  if curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; then break; fi
  sleep 0.1
done

now() {
  date +%s.%N
}

memory() {
  awk '/VmRSS/ { print $2 }' "/proc/$server/status"
}

# warm-up, so that the memory that every query needs is not counted
curl -sfG "http://127.0.0.1:$port/table.csv" --data-urlencode "query=$query" -d lists=explode -d limit=20000 -o /dev/null

measure() { # name, command
  local name=$1 before peak begin end
  shift
  before=$(memory)
  echo "$before" >"$folder/peak"
  (
    while sleep 0.05; do
      current=$(memory)
      if [ "$current" -gt "$(cat "$folder/peak")" ]; then echo "$current" >"$folder/peak"; fi
    done
  ) &
  local sampler=$!
  begin=$(now)
  "$@" >"$folder/$name"
  end=$(now)
  kill "$sampler"
  wait "$sampler" 2>/dev/null || true
  peak=$(cat "$folder/peak")
  echo "$begin $end $(((peak - before) / 1024))" >"$folder/$name.time"
}

table() { # format
  curl -sfG "http://127.0.0.1:$port/table.$1" --data-urlencode "query=$query" -d lists=explode
}

printf '| round | source | rows | seconds | rows per second | relative to COPY | memory |\n| --- | --- | --- | --- | --- | --- | --- |\n'
for round in $(seq "$rounds"); do
  measure copy psql -qAt "$DATABASE_URL" -c "$copy"
  rows=$(wc -l <"$folder/copy")
  read -r begin end _ <"$folder/copy.time"
  base=$(echo "$rows / ($end - $begin)" | bc -l)
  printf '| %s | COPY | %d | %.1f | %.0f | 1 | |\n' "$round" "$rows" "$(echo "$end - $begin" | bc -l)" "$base"
  for format in csv parquet; do
    measure "$format" table "$format"
    read -r begin end growth <"$folder/$format.time"
    if [ "$format" = csv ]; then
      found=$(($(wc -l <"$folder/csv") - 1))
      if [ "$found" != "$rows" ]; then
        echo "tables.sh: the table has $found rows, but COPY has $rows" >&2
        exit 1
      fi
    fi
    rate=$(echo "$rows / ($end - $begin)" | bc -l)
    printf '| %s | %s | %d | %.1f | %.0f | %.2f | +%d MiB |\n' "$round" "/table.$format" "$rows" "$(echo "$end - $begin" | bc -l)" "$rate" "$(echo "$rate / $base" | bc -l)" "$growth"
  done
done
# the same rows in any order
if ! cmp -s <(tail -n +2 "$folder/csv" | tr -d '\r' | sort) <(sort "$folder/copy"); then
  echo "tables.sh: the rows differ from those of COPY" >&2
  diff <(tail -n +2 "$folder/csv" | tr -d '\r' | sort | head -3) <(sort "$folder/copy" | head -3) >&2 || true
  exit 1
fi
echo "The rows of the table and of COPY are identical."
