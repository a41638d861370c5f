#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs each fuzz target over its seeds, then for a while on inputs it makes of them.
#   tools/test/fuzz.sh [SECONDS PER TARGET]
# tests/fuzz/fuzz_NAME.cc is built as build-fuzz/fuzz_NAME. Its seeds are tests/fuzz/corpus/NAME/
# and what tests/fuzz/seeds.py makes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-60}
build=${MLOS_BUILD_DIR:-build-fuzz}

# One target: `fuzz_one NAME WORK`.
fuzz_one() {
  local name=$1 work=$2 seeds=() folder
  mkdir -p "$work/found/$name"
  for folder in "tests/fuzz/corpus/$name" "$work/seeds/$name"; do
    [ ! -d "$folder" ] || seeds+=("$folder")
  done
  printf 'fuzz: %s for %s s\n' "$name" "$seconds"
  "$build/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -artifact_prefix="$build/" "$work/found/$name" "${seeds[@]}" > "$work/$name.log" 2>&1 && return
  tail -n 40 "$work/$name.log"
  printf 'fuzz: %s FAILED; the input that did it is in %s\n' "$name" "$build"
  printf '%s\n' "$name" >> "$work/failed"
}
export -f fuzz_one
export seconds build

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.deps/venv/bin/python tests/fuzz/seeds.py "$work/seeds"
: > "$work/failed"

names=()
for source in tests/fuzz/fuzz_*.cc; do
  name=$(basename "$source" .cc)
  names+=("${name#fuzz_}")
done
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I NAME bash -c 'fuzz_one NAME "$0"' "$work"
failed=$(wc -l < "$work/failed")
printf 'fuzz: %s passed, %s failed\n' $((${#names[@]} - failed)) "$failed"
[ "$failed" = 0 ]
