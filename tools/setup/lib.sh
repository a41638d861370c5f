# SPDX-License-Identifier: MIT
# Sourced by the set-up scripts: where things are, how they talk, and how a step is skipped when
# its result is there.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The place itself, if another tree's is used: steps are done for a path.
deps=$(realpath -m "$root/.deps")
setup_dir=$root/tools/setup

say() { printf 'setup: %s\n' "$*" >&2; }

# die WHAT [LINE...]: what went wrong, and below it what to do about it.
die() {
  printf 'setup: error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# step_key WORDS...: a digest of all a step's result depends on.
step_key() { printf '%s\n' "$@" | sha256sum | cut -c1-64; }

# step_done NAME KEY: whether the step was completed with this very key.
step_done() {
  local seen=
  [ ! -r "$deps/stamps/$1" ] || read -r seen < "$deps/stamps/$1"
  [ "$seen" = "$2" ]
}

mark_done() {
  mkdir -p "$deps/stamps"
  printf '%s\n' "$2" > "$deps/stamps/$1"
}

# check_sha256 FILE DIGEST: succeeds when the file has that digest.
check_sha256() { [ "$(sha256sum "$1" | cut -c1-64)" = "$2" ]; }
