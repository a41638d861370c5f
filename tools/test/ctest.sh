#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the unit tests of a build directory; shows the output of failing ones and the summary. How
# long each took is in DIR/times, for tools/test/slowest.py.
#   tools/test/ctest.sh DIR [CTEST ARGUMENT...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
dir=$1
shift

printf 'test: unit tests of %s\n' "$dir"
mkdir -p "$dir/times"
hidden='^ +Start +[0-9]+:|\.\.\. +Passed +[0-9.]+ sec$|^Internal ctest|^$'
hidden+='|^Label Time|^(unit|fuzz) +='
ctest --test-dir "$dir" -j "$(nproc)" --no-tests=error --output-on-failure \
  --output-junit "$PWD/$dir/times/ctest.xml" "$@" |
  grep -vE "$hidden"
