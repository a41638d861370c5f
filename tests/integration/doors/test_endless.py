# SPDX-License-Identifier: MIT
"""Models that never end: the deadlines of their callers hold on every door, whether a request runs
or only waits; they keep no other model from an answer, and go when they are told to."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.support.doors import ASKING, Asking, over_http, over_ipc
from tests.support.graphs import looping, scale
from tests.support.open_core import OpenCore
from tests.support.waiting import wait_until

FOREVER = 1 << 60
# Of a request whose deadline is due; what answers it is a timer, and the rest is the machine's.
LATE_S = 5.0
DEADLINE_S = 0.3


@pytest.fixture
def core(tmp_path: Path) -> Iterator[OpenCore]:
    core = OpenCore(tmp_path / "core", "--drain-timeout-ms", "1000").start()
    for name in ("a", "b", "c"):
        assert core.register(name, looping(tmp_path / f"{name}.onnx")).status_code == 200
    assert core.register("quick", scale(tmp_path / "quick.onnx", 2.0)).status_code == 200
    yield core
    if core.running:
        core.stop()


def arrays(steps: int) -> dict[str, np.ndarray]:
    return {"x": np.ones((1, 8), np.float32), "steps": np.array(steps, np.int64)}


@ASKING
def test_deadlines_are_answered_while_endless_runs_take_every_core(core: OpenCore, ask: Asking):
    """More of them than there are cores: some run, the others only wait."""
    count = 3 * (os.cpu_count() or 1)

    def one(number: int) -> tuple[str, float]:
        start = time.monotonic()
        told = ask(core, "abc"[number % 3], arrays(FOREVER), DEADLINE_S)
        return told, time.monotonic() - start

    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(one, range(count)))
    assert {told for told, _ in answers} == {"DEADLINE_EXCEEDED"}
    assert max(taken for _, taken in answers) < DEADLINE_S + LATE_S
    wait_until(lambda: core.in_flight() == 0)
    # Once told to, a Loop stops within a moment.
    wait_until(lambda: "mlos_overdue_runs 0\n" in core.get("/metrics").text)


@ASKING
def test_a_model_that_was_quick_before_runs_on_no_connections_thread(core: OpenCore, ask: Asking):
    """Its run time is known to be short, and then a value makes it endless."""
    for _ in range(50):
        assert ask(core, "a", arrays(1)) == "OK"
    with ThreadPoolExecutor(8) as pool:
        endless = [pool.submit(ask, core, "a", arrays(FOREVER), 50.0) for _ in range(4)]
        wait_until(lambda: core.in_flight() >= 4)
        assert ask(core, "a", arrays(FOREVER), DEADLINE_S) == "DEADLINE_EXCEEDED"
        others = [pool.submit(core.infer, "quick", {"x": np.ones(3, np.float32)}) for _ in range(4)]
        for other in others:
            assert other.result(timeout=30)["y"].tolist() == [2.0, 2.0, 2.0]
        assert core.post(core.model_path("a", "unload")).status_code == 200
        assert {future.result() for future in endless} == {"MODEL_NOT_LOADED"}


def test_endless_runs_without_deadlines_keep_no_other_model_from_an_answer(core: OpenCore):
    with ThreadPoolExecutor(16) as pool:
        endless = [
            pool.submit(over_http, core, "abc"[i % 3], arrays(FOREVER), 30.0)
            for i in range(3 * (os.cpu_count() or 1))
        ]
        wait_until(lambda: core.in_flight() >= len(endless))
        for _ in range(20):
            assert core.infer("quick", {"x": np.ones(3, np.float32)})["y"].tolist() == [2.0] * 3
        # Unloading and removing tell them to stop.
        for name in "ab":
            assert core.post(core.model_path(name, "unload")).status_code == 200
        assert core.delete(core.model_path("c")).status_code == 200
        assert {future.result() for future in endless} == {"MODEL_NOT_LOADED"}
    wait_until(lambda: core.in_flight() == 0)


@pytest.mark.parametrize(("method", "action"), [("POST", "unload"), ("DELETE", "")])
def test_whoever_unloads_a_model_waits_no_longer_than_asked(core: OpenCore, method, action):
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(over_http, core, "a", arrays(FOREVER), 30.0)
        wait_until(lambda: core.in_flight() == 1)
        start = time.monotonic()
        done = requests.request(method, core.url + core.model_path("a", action),
                                headers={"X-Request-Timeout-Ms": "400"}, timeout=60)  # fmt: skip
        # Without a deadline the run would have 5 s to finish.
        assert time.monotonic() - start < 4.0
        assert done.status_code == 200, done.text
        assert endless.result() == "MODEL_NOT_LOADED"


def test_a_caller_that_leaves_stops_its_run(core: OpenCore):
    with requests.Session() as session, pytest.raises(requests.Timeout):
        body = {"x": [[1.0] * 8], "steps": FOREVER}
        session.post(core.url + core.model_path("a", "inference"), json=body, timeout=0.5)
    wait_until(lambda: core.in_flight() == 0)
    assert over_http(core, "a", arrays(1)) == "OK"


def test_core_ends_within_its_drain_time_whatever_runs(core: OpenCore):
    with ThreadPoolExecutor(4) as pool:
        for name in "abc":
            pool.submit(over_ipc, core, name, arrays(FOREVER))
        wait_until(lambda: core.in_flight() >= 3)
        os.kill(core.pid, signal.SIGTERM)
        start = time.monotonic()
        wait_until(lambda: not core.running, 30)
        assert time.monotonic() - start < 2.0 + LATE_S
