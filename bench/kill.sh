#!/usr/bin/env bash
# Kills an import a hundred times at moments that differ, on SQLite and on PostgreSQL, and checks after each time that
# whole batches were left, and at the end that the import completes to what an undisturbed one gives.
# Arguments: how many times, 100 unless given.
set -euo pipefail
cd "$(dirname "$0")/.."

KILLS=${1:-100} cargo test --release --test it -- interchange::kill --test-threads 1
