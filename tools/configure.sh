#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configures a preset quietly; its output is shown when it fails.
#   tools/configure.sh PRESET DIR
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1 dir=$2

mkdir -p "$dir"
printf 'build: configuring %s\n' "$dir"
if ! cmake --preset "$preset" > "$dir/configure.log" 2>&1; then
  cat "$dir/configure.log" >&2
  exit 1
fi
