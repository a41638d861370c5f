#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configures a preset where it is not yet, and builds targets of it:
#   tools/build.sh PRESET TARGET...
# A terminal sees one line of progress; a log sees only what goes wrong and the result.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1
shift

dir=build-$preset
[ "$preset" != release ] || dir=build
[ -f "$dir/build.ninja" ] || tools/configure.sh "$preset" "$dir"

quiet=()
[ -t 1 ] || quiet=(--quiet)
start=$SECONDS
cmake --build "$dir" --target "$@" -- -j "$(nproc)" "${quiet[@]}"
printf 'build: %s is up to date (%s s)\n' "$dir" $((SECONDS - start))
