#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs each fuzz target over its seeds, then for a while on inputs it makes of them.
#   tools/test/fuzz.sh [SECONDS PER TARGET]
# tests/fuzz/fuzz_NAME.cc is built as build-fuzz/fuzz_NAME. Its seeds are tests/fuzz/corpus/NAME/
# and what tests/fuzz/seeds.py makes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-20}
build=${MLOS_BUILD_DIR:-build-fuzz}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.deps/venv/bin/python tests/fuzz/seeds.py "$work/seeds"

passed=0
for source in tests/fuzz/fuzz_*.cc; do
  target=$(basename "$source" .cc)
  name=${target#fuzz_}
  mkdir -p "$work/found/$name"
  seeds=()
  for folder in "tests/fuzz/corpus/$name" "$work/seeds/$name"; do
    [ ! -d "$folder" ] || seeds+=("$folder")
  done
  printf 'fuzz: %s for %s s\n' "$name" "$seconds"
  if ! "$build/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -artifact_prefix="$build/" "$work/found/$name" "${seeds[@]}" > "$work/log" 2>&1; then
    tail -n 40 "$work/log"
    printf 'fuzz: %s FAILED; the input that did it is in %s\n' "$name" "$build"
    exit 1
  fi
  passed=$((passed + 1))
done
printf 'fuzz: %s passed, 0 failed\n' "$passed"
