#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make check`: the tests of the tools themselves, then the checkers on this tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tools/build.sh check generated
.deps/venv/bin/python -m pytest -q -p no:cacheprovider tools
exec .deps/venv/bin/python -m tools.check.main
