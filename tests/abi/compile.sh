#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# smi_spec.h and the plugin of the user's page compile as C11 and C++20 with gcc and clang-19, and
# with the other clangs that there are.
#   tests/abi/compile.sh OUTPUT_DIRECTORY
# Leaves page_plugin-<compiler>.so there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$1
mkdir -p "$out"

compile() {
  local compiler=$1 standard=$2
  # The header alone, without any liberty; the page's plugin, whose `config` is unused, as users do.
  echo '#include <mlos/smi_spec.h>' |
    "$compiler" "-std=$standard" -x "$3" -Wall -Wextra -pedantic -Werror -fsyntax-only \
      -I../../include -
  "$compiler" "-std=$standard" -x "$3" -Wall -Werror -I../../include -shared -fPIC \
    -o "$out/page_plugin-$compiler.so" page_plugin.c
  chmod go-w "$out/page_plugin-$compiler.so"
  echo "compile: $compiler -std=$standard"
}

compile gcc c11 c
compile g++ c++20 c++
compile clang-19 c11 c
compile clang++-19 c++20 c++
for version in "" -14; do
  if command -v "clang$version" > /dev/null; then compile "clang$version" c11 c; fi
  if command -v "clang++$version" > /dev/null; then compile "clang++$version" c++20 c++; fi
done
