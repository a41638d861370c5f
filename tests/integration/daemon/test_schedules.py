# SPDX-License-Identifier: MIT
"""The run queue through ten million schedules; one that fails prints the seed that replays it."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.support import paths


@pytest.mark.deep
def test_ten_million_schedules_keep_every_promise():
    build = [str(paths.ROOT / "tools" / "build.sh"), "release", "mlos_scheduler_test"]
    subprocess.run(build, check=True, timeout=1800)
    program = paths.ROOT / "build" / "src" / "scheduler" / "mlos_scheduler_test"
    env = {**os.environ, "MLOS_SCHEDULES": "10000000"}
    done = subprocess.run([str(program), "--gtest_filter=RunQueue.*"], env=env, text=True,
                          capture_output=True, timeout=1800)  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "1 test" in done.stdout
