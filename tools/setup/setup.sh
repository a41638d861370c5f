#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing to build, test, check or measure, and says what it does; silent when
# everything is there.
#   tools/setup/setup.sh GROUP...     groups: build test check deep bench (each includes build)
# Debian packages (packages.txt) are installed with root's rights; all else goes below .deps, which
# may be deleted at any time.
set -euo pipefail
export LC_ALL=C

here=$(dirname "${BASH_SOURCE[0]}")
. "$here/lib.sh"
. "$here/debian.sh"
. "$here/python.sh"
. "$here/onnxruntime.sh"
. "$here/go.sh"

usage="Usage: tools/setup/setup.sh GROUP...   groups: build test check deep bench"
[ $# -gt 0 ] || die "no group given." "$usage"
for group in "$@"; do
  case $group in
    build | test | check | deep | bench) ;;
    *) die "there is no group \"$group\"." "$usage" ;;
  esac
done

# Two makes at once wait for each other here.
mkdir -p "$deps"
exec 9> "$deps/.lock"
flock 9

install_packages build "$@"
provide_onnxruntime
for group in "$@"; do
  case $group in
    test)
      provide_requirements
      provide_model_wheels
      provide_tool promtool prometheus
      provide_grpcurl
      ;;
    check) provide_requirements ;;
    deep)
      provide_requirements
      provide_triton
      provide_kserve
      ;;
    bench)
      provide_requirements
      provide_tool nginx nginx
      provide_triton
      provide_peers
      ;;
  esac
done
