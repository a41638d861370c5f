#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make test-deep`: what takes too long for every run, in the parts that tools/test/parts.py has.
#   PARTS="asan-unit fuzz" tools/test/deep.sh     PARTS=chosen: those of this commit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The sanitizers must end a test that they find fault with; libraries are not instrumented.
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:halt_on_error=1:second_deadlock_stack=1
# An allocation that cannot be is refused, as without them.
ASAN_OPTIONS+=:allocator_may_return_null=1
TSAN_OPTIONS+=:allocator_may_return_null=1

exec .deps/venv/bin/python -m tools.test.deep
