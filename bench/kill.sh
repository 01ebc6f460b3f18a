#!/usr/bin/env bash
# Kills an import repeatedly at different times, on SQLite and on PostgreSQL. Checks after each time that only complete batches
# are in the database, and at the end that the import produces the same records as an uninterrupted one.
# Argument: the number of times, 100 by default.
set -euo pipefail
cd "$(dirname "$0")/.."

KILLS=${1:-100} cargo test --release --test it -- interchange::kill --test-threads 1
