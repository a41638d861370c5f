#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the end-to-end tests on all cores; a skipped one is named with its reason. How long each
# took is in the build directory's times/, for tools/test/slowest.py.
#   tools/test/pytest.sh PYTEST-ARGUMENT...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec .deps/venv/bin/python -m pytest -c tests/pytest.ini -q -n "$(nproc)" \
  --junitxml="${MLOS_BUILD_DIR:-build}/times/pytest.xml" "$@"
