# SPDX-License-Identifier: MIT
"""Plugins that compute for ever on every core and never look at their cancelled word: their callers
are answered in time, other models go on, and Core says what it cannot stop and ends in time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.support.doors import ASKING, Asking, over_http
from tests.support.graphs import scale
from tests.support.open_core import OpenCore, fixtures_allowed, integers, register_fixture
from tests.support.waiting import wait_until

# Where each computes: on a thread of Core, in inference or in execute, or on one of its own.
PLUGINS = ("worker_in_place", "worker_unthreaded", "worker")
# Core gives a model up that has more than four such runs.
RUNS = min((os.cpu_count() or 1) + 1, 4 * len(PLUGINS))
FOREVER = integers(count=1, sleep_ms=1 << 40, burn=1, deaf=1)
# Runs that have gone on for a second make room for others: all of them run by then, on a busy
# machine too.
DEADLINE_S = 4.0
# Of what is due; what does it is a timer, and the rest is the machine's.
LATE_S = 5.0
DRAIN_S = 1.0


@pytest.fixture
def core(tmp_path: Path) -> Iterator[OpenCore]:
    """Core with a model of each plugin, named as that, and one that ends."""
    core = OpenCore(
        tmp_path / "core", *fixtures_allowed(), "--drain-timeout-ms", str(int(DRAIN_S * 1000))
    ).start()
    try:
        for plugin in PLUGINS:
            register_fixture(core, plugin, plugin)
        assert core.register("quick", scale(tmp_path / "quick.onnx", 2.0)).status_code == 200
        yield core
    finally:
        if core.running:
            core.kill()


def is_answered(core: OpenCore, ask: Asking) -> None:
    for _ in range(10):
        assert ask(core, "quick", {"x": np.ones(3, np.float32)}, None) == "OK"


def start_runs(core: OpenCore, ask: Asking) -> None:
    """Runs that are overdue when this returns, and their callers answered."""

    def one(number: int) -> tuple[str, float]:
        start = time.monotonic()
        told = ask(core, PLUGINS[number % len(PLUGINS)], FOREVER, DEADLINE_S)
        return told, time.monotonic() - start

    with ThreadPoolExecutor(RUNS) as pool:
        answers = list(pool.map(one, range(RUNS)))
    assert {told for told, _ in answers} == {"DEADLINE_EXCEEDED"}
    assert max(taken for _, taken in answers) < DEADLINE_S + LATE_S
    wait_until(lambda: f"mlos_overdue_runs {RUNS}\n" in core.get("/metrics").text)


def assert_cannot_be_stopped(core: OpenCore, method: str, path: str) -> None:
    reply = core.request(method, path)
    assert (reply.status_code, reply.json()["reason"]) == (409, "MODEL_IN_USE"), reply.text
    assert "did not stop" in reply.json()["message"]


@ASKING
def test_plugins_that_never_look_are_answered_for_and_told_of(core: OpenCore, ask: Asking):
    start_runs(core, ask)
    is_answered(core, ask)
    with ThreadPoolExecutor(len(PLUGINS)) as pool:
        unloads = [
            pool.submit(assert_cannot_be_stopped, core, method, core.model_path(plugin, action))
            for plugin, method, action in zip(
                PLUGINS, ("POST", "DELETE", "POST"), ("unload", "", "unload"), strict=True
            )
        ]
        is_answered(core, ask)
        for unload in unloads:
            unload.result()
    for plugin in PLUGINS:
        told = over_http(core, plugin, FOREVER)
        assert told in ("MODEL_NOT_LOADED", "MODEL_NOT_FOUND")
    is_answered(core, ask)


@ASKING
def test_core_ends_in_time_whatever_never_looks(core: OpenCore, ask: Asking):
    start_runs(core, ask)
    os.kill(core.pid, signal.SIGTERM)
    start = time.monotonic()
    wait_until(lambda: not core.running, 30)
    assert time.monotonic() - start < DRAIN_S + 1.0 + LATE_S
