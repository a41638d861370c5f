# SPDX-License-Identifier: MIT
"""A thousand changed bytes each in the registry and in Core's copies of model files."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support import paths

pytestmark = pytest.mark.deep


@pytest.mark.limit(1800)
@pytest.mark.parametrize(
    ("program", "tests"), [("mlos_registry_test", "*Flip*"), ("mlos_store_test", "*Flipped*")]
)
def test_every_one_of_a_thousand_flips_is_found(program, tests):
    build = [str(paths.ROOT / "tools" / "build.sh"), "release", program]
    subprocess.run(build, check=True, timeout=1800)
    env = {**os.environ, "MLOS_FLIPS": "1000"}
    command = [paths.ROOT / "build" / program, f"--gtest_filter={tests}"]
    done = subprocess.run(command, env=env, timeout=3000, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[  PASSED  ] 0 tests" not in done.stdout
