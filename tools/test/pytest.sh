#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the end-to-end tests on all cores; a skipped one is named with its reason.
#   tools/test/pytest.sh PYTEST-ARGUMENT...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec .deps/venv/bin/python -m pytest -c tests/pytest.ini -q -n "$(nproc)" "$@"
