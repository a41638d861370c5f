#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make test-deep`: what takes too long for every run. Stops at the first part that fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The sanitizers must end a test that they find fault with; libraries are not instrumented.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1:second_deadlock_stack=1
# An allocation that cannot be is refused, as without them.
ASAN_OPTIONS+=:allocator_may_return_null=1
TSAN_OPTIONS+=:allocator_may_return_null=1

# What says nothing about an instrumented build is marked so; axon has a part of its own below.
core_only=(-m 'not deep and not release_only' --ignore tests/integration/axon)

# The fuzz preset is the asan preset with the coverage that libFuzzer wants: one build for both.
for preset in fuzz tsan; do
  tools/build.sh "$preset" all
  MLOS_KILL_ROUNDS=200 tools/test/ctest.sh "build-$preset"
  printf 'test: end-to-end tests of build-%s\n' "$preset"
  MLOS_BUILD_DIR=build-$preset tools/test/pytest.sh tests/integration "${core_only[@]}"
done

# What hubs and archives send reaches axon too. It is one thread's work, so that the thread
# sanitizer has nothing to say of it; its kill loops are below.
printf 'test: end-to-end tests of axon, build-fuzz\n'
MLOS_BUILD_DIR=build-fuzz tools/test/pytest.sh tests/integration/axon \
  --ignore tests/integration/axon/test_kill.py

tools/test/fuzz.sh

printf 'test: long kill loops and sweeps\n'
tools/test/pytest.sh -m deep tests
