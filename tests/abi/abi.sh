#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The binary interface of include/mlos/smi_spec.h, held against the reviewed smi_abi.xml.
#   tests/abi/abi.sh check       any difference fails
#   tests/abi/abi.sh additions   nothing of first/mlos/smi_spec.h, the first header, moved or went
#   tests/abi/abi.sh self-test   changes that break plugins, and others, are all noticed
#   tests/abi/abi.sh accept      writes the description anew; review it before committing it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
header=../../include/mlos/smi_spec.h
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# build HEADER OUT: the witness, compiled with that header.
build() {
  mkdir -p "$work/include/mlos"
  cp "$1" "$work/include/mlos/smi_spec.h"
  gcc -std=c11 -g -O0 -shared -fPIC -fvisibility=hidden -I"$work/include" -o "$2" witness.c
}

# differs SHARED_OBJECT: prints how it differs from the description; fails if it does not.
differs() {
  local status=0
  abidiff --harmless --no-default-suppression smi_abi.xml "$1" || status=$?
  if ((status & 3)); then # not a difference but an error of abidiff's
    echo "abidiff fails with $status" >&2
    exit 1
  fi
  ((status != 0))
}

check() {
  build "$header" "$work/witness.so"
  if differs "$work/witness.so"; then
    echo "smi_spec.h is not what was reviewed. If that is meant: tests/abi/abi.sh accept" >&2
    return 1
  fi
}

# The offsets of the first header hold in this one, and so do the sizes of what travels by value.
additions() {
  {
    echo '#include <mlos/smi_spec.h>'
    grep '^SMI_FROZEN(' first/mlos/smi_spec.h
    grep -E '^SMI_FROZEN_SIZE\(smi_(string|tensor|tensor_spec|plugin_interface|plugin)_t,' \
      first/mlos/smi_spec.h
  } > "$work/first.c"
  gcc -std=c11 -fsyntax-only -I../../include "$work/first.c"
  # Enumerators and constants of the first header, with their values.
  grep -oE '^ *SMI_[A-Z0-9_]+ = -?[0-9]+' first/mlos/smi_spec.h | while read -r name _ value; do
    if ! grep -qE "^ *$name = $value\b" "$header"; then
      echo "additions: $name is not $value any more" >&2
      exit 1
    fi
  done
}

# noticed NAME SED_SCRIPT: the header, so changed, must differ. The frozen offsets are taken out, so
# that this is about abidiff alone.
noticed() {
  sed -E "/^SMI_(FROZEN|GROWN)/d" "$header" > "$work/same.h"
  sed -E "$2" "$work/same.h" > "$work/changed.h"
  if cmp -s "$work/same.h" "$work/changed.h"; then
    echo "self-test $1: the change does not apply to the header any more" >&2
    return 1
  fi
  build "$work/changed.h" "$work/changed.so"
  if ! differs "$work/changed.so" > "$work/report"; then
    echo "self-test $1: not noticed" >&2
    return 1
  fi
}

self_test() {
  noticed "a member is inserted" 's/^(  uint64_t deadline_ns;)/\1 uint64_t more;/'
  noticed "a member is widened" 's/uint32_t thread_count;/uint64_t thread_count;/'
  noticed "a member is moved" \
    '/^  uint32_t reserved0;/d;s/^(  uint32_t optional;)/  uint32_t reserved0; \1/'
  noticed "a member is renamed" 's/uint64_t weight_bytes;/uint64_t bytes;/'
  noticed "an enumerator changes" 's/SMI_DTYPE_BOOL = 9/SMI_DTYPE_BOOL = 17/'
  noticed "an enumerator is added" 's/(SMI_HEALTH_FAILED = 2)/\1, SMI_HEALTH_UNKNOWN = 3/'
  noticed "a function takes more" 's/(smi_status_t \(\*cleanup\)\()void/\1int how/'
  noticed "a reserved slot is gone" 's/void\* reserved\[8\]/void* reserved[7]/'
  noticed "the first member changes" 's/^(typedef struct smi_plugin \{)/\1 int first;/'
}

accept() {
  build "$header" "$work/libsmi_witness.so"
  abidw --headers-dir "$work/include" --no-corpus-path --no-comp-dir-path --no-show-locs \
    --no-elf-needed --no-write-default-sizes "$work/libsmi_witness.so" > smi_abi.xml
}

case ${1-} in
  check) check ;;
  additions) additions ;;
  self-test) self_test ;;
  accept) accept ;;
  *)
    echo "Usage: tests/abi/abi.sh check|additions|self-test|accept" >&2
    exit 2
    ;;
esac
