#!/usr/bin/env bash
# Measures the write throughput of the database without Kurultai: copies the rows of a dataset that "kurultai-bench generate"
# has written into empty tables of the same schema, with all indexes, constraints and triggers.
# DATABASE_URL is the URL of the dataset. PostgreSQL loads the rows with COPY into the database in COPY_URL, which is dropped
# and created again; SQLite with INSERT ... SELECT of whole tables, into a file next to the dataset.
# RATE, if set, is the number of rows per second that "generate" printed, and is compared with the result.
set -euo pipefail

: "${DATABASE_URL:?is not set: the URL of a database with a synthetic dataset}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

now() {
  date +%s.%N
}

report() { # rows, begin, end
  awk -v rows="$1" -v seconds="$(echo "$3 - $2" | bc)" -v rate="${RATE:-0}" 'BEGIN {
    printf "%d rows in %.1f s: %.0f per second\n", rows, seconds, rows / seconds
    if (rate > 0) printf "generate: %.0f per second, ratio %.2f\n", rate, rate * seconds / rows
  }'
}

copy_postgres() {
  : "${COPY_URL:?is not set: the URL of the database to copy into, which is dropped and created again}"
  local name=${COPY_URL##*/}
  name=${name%%\?*}
  psql -q "$DATABASE_URL" -c "DROP DATABASE IF EXISTS \"$name\" WITH (FORCE)" -c "CREATE DATABASE \"$name\" TEMPLATE template0" 2>/dev/null
  pg_dump --schema-only "$DATABASE_URL" | psql -q "$COPY_URL" >/dev/null
  # each table after the tables that it references, without generated columns
  local tables
  tables=$(psql -qAtF '|' "$DATABASE_URL" <<'SQL'
WITH RECURSIVE
  own AS (
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'seaql_migrations'),
  above AS (SELECT DISTINCT conrelid AS below, confrelid AS above FROM pg_constraint WHERE contype = 'f' AND conrelid <> confrelid),
  depth(oid, depth) AS (
    SELECT oid, 0 FROM own UNION SELECT above.below, depth.depth + 1 FROM depth JOIN above ON above.above = depth.oid)
SELECT own.relname, (
  SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
  WHERE attrelid = own.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')
FROM own JOIN depth USING (oid) GROUP BY own.oid, own.relname ORDER BY max(depth.depth), own.relname
SQL
  )
  local table columns rows=0
  while IFS='|' read -r table columns; do
    psql -q "$DATABASE_URL" -c "\\copy (SELECT $columns FROM $table) TO '$folder/rows-$table'"
    rows=$((rows + $(psql -qAt "$DATABASE_URL" -c "SELECT count(*) FROM $table WHERE '$table' <> 'search_variants'")))
    echo "\\copy $table ($columns) FROM '$folder/rows-$table'" >>"$folder/statements"
  done <<<"$tables"
  psql -q "$COPY_URL" -c CHECKPOINT
  local begin
  begin=$(now)
  psql -q --set ON_ERROR_STOP=1 --single-transaction "$COPY_URL" -f "$folder/statements"
  report "$rows" "$begin" "$(now)"
}

copy_sqlite() {
  local from=${DATABASE_URL#sqlite:}
  from=${from#//}
  local to=$from.copy
  rm -f "$to" "$to"-*
  # without the shadow tables of the full-text index: SQLite creates them, and triggers fill them
  sqlite3 "$from" "SELECT sql || ';' FROM sqlite_master
    WHERE sql IS NOT NULL AND name NOT LIKE 'search\_index\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\\'
    ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, rowid" >"$folder/schema"
  {
    echo 'PRAGMA journal_mode = WAL;'
    cat "$folder/schema"
  } | sqlite3 "$to" >/dev/null
  local table columns rows=0
  {
    echo "ATTACH '$from' AS dataset; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384;"
    # foreign keys are checked for each row, but may refer to rows that are inserted later
    echo 'PRAGMA foreign_keys = ON; BEGIN; PRAGMA defer_foreign_keys = ON;'
    while IFS='|' read -r table columns; do
      echo "INSERT INTO main.$table ($columns) SELECT $columns FROM dataset.$table;"
    done < <(sqlite3 "$from" "SELECT name, (SELECT group_concat('\"' || c.name || '\"', ', ') FROM pragma_table_xinfo(m.name) c WHERE c.hidden = 0)
      FROM sqlite_master m WHERE type = 'table' AND name NOT LIKE 'search\_index%' ESCAPE '\\' AND name NOT LIKE 'sqlite\_%' ESCAPE '\\'
      AND name <> 'seaql_migrations'")
    echo 'COMMIT;'
  } >"$folder/statements"
  while read -r table; do
    rows=$((rows + $(sqlite3 "$from" "SELECT count(*) FROM $table")))
  done < <(sqlite3 "$from" "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'search\_index%' ESCAPE '\\'
    AND name NOT LIKE 'sqlite\_%' ESCAPE '\\' AND name NOT IN ('seaql_migrations', 'search_variants')")
  local begin
  begin=$(now)
  sqlite3 -bail "$to" <"$folder/statements" >/dev/null
  report "$rows" "$begin" "$(now)"
  rm -f "$to" "$to"-*
}

case $DATABASE_URL in
  sqlite:*) copy_sqlite ;;
  *) copy_postgres ;;
esac
