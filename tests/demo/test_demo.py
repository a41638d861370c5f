# SPDX-License-Identifier: MIT
"""`make demo` and `make try` do what they say."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.demo.demo import EXHIBITS
from tests.support import paths, process

DEMO = [sys.executable, paths.ROOT / "tests" / "demo" / "demo.py"]


@pytest.fixture
def environment(tmp_path, models) -> dict[str, str]:
    return process.clean_environment(tmp_path, MLOS_BUILD_DIR=str(paths.build_dir()))


@pytest.fixture
def staying(environment) -> Iterator[subprocess.Popen]:
    """`demo.py --stay`, up to where it waits."""
    demo = process.spawn(
        [*DEMO, "--stay"], env=environment, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    yield demo
    process.stop(demo, grace_s=20)
    demo.stdout.close()


@pytest.mark.limit(300)
def test_the_demo_asks_every_model_and_agrees_with_onnx_runtime(environment):
    done = subprocess.run(DEMO, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for exhibit in EXHIBITS:
        assert re.search(rf"^{re.escape(exhibit.spec)} .* ✓ ", done.stdout, re.MULTILINE)
    assert "read “HELLO MLOS”" in done.stdout
    assert "spoken vowels: speech" in done.stdout
    assert "a quiet room: no speech" in done.stdout
    pieces = 3 * 31  # clips, and pieces of 32 ms in a second of each; the first answer is in full
    assert len(re.findall(r'^  \{"output": ', done.stdout, re.MULTILINE)) == pieces - 3
    assert "python-source: python" in done.stdout


@pytest.mark.limit(300)
def test_what_try_prints_can_be_pasted(staying, environment):
    commands = []
    for line in staying.stdout:
        if line.startswith("$ ") and not line.rstrip().endswith("&"):
            commands.append(line.removeprefix("$ "))
        if line.startswith("Also on this hub"):
            break
    script = "set -eu\n" + "echo\n".join(commands)
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    lines = [line for line in done.stdout.splitlines() if '"inference_time_us"' in line]
    replies = [json.loads(line) for line in lines]
    names = [set(reply["outputs"]) for reply in replies]
    assert names == [{"last_hidden_state", "pooler_output"}, {"logits"}]

    staying.send_signal(signal.SIGINT)
    assert staying.wait(30) == 0


def test_it_says_what_to_do_where_nothing_is_built(environment, tmp_path):
    environment["MLOS_BUILD_DIR"] = str(tmp_path)
    done = subprocess.run(DEMO, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "is not built; run make" in done.stderr
    assert "Traceback" not in done.stderr
    assert not _left_behind(done.stdout)


def _left_behind(output: str) -> bool:
    """Whether the hub the output names still runs."""
    port = re.search(r"http://127\.0\.0\.1:(\d+)", output)[1]
    listening = subprocess.run(
        ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], stderr=subprocess.DEVNULL
    )
    return listening.returncode == 0
