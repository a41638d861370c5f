# SPDX-License-Identifier: MIT
"""Full load through every door at once: each answer is compared with what it must be, and Core
holds afterwards what it held before."""

from __future__ import annotations

import subprocess
import threading

import pytest

from tests.support.open_core import OpenCore
from tests.support.traffic import WAYS, Target, finish, start

MIB = 1 << 20


class Memory:
    """Core's resident memory, sampled beside how many inferences it has answered."""

    def __init__(self, core: OpenCore):
        self._core = core
        self._stop = threading.Event()
        self.samples: list[tuple[int, int]] = []
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def growth_bytes(self, warm_count: int) -> int:
        """By how much the most it held after `warm_count` inferences exceeds what it held then."""
        after = [rss for count, rss in self.samples if count >= warm_count]
        return max(after) - after[0]

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self.samples.append((answered(self._core), self._core.resources().rss_bytes))


def answered(core: OpenCore) -> int:
    """How many inferences Core counts as good."""
    return sum(model["successful_requests"] for model in core.get("/stats").json()["models"])


def run_load(target: Target, count: int, seed: int) -> None:
    """Asks `count` requests spread over all ways at once, every answer compared."""
    each = count // len(WAYS)
    clients: dict[str, subprocess.Popen] = {
        way: start(target, way, each, seed + index) for index, way in enumerate(WAYS)
    }
    outcomes = {way: finish(client, 550) for way, client in clients.items()}
    assert outcomes == {way: (each, []) for way in WAYS}


def check_load(core: OpenCore, target: Target, holdings: type, count: int) -> Memory:
    """Nothing is lost, nothing is wrong, and all that Core held for it is given back."""
    run_load(target, 20 * len(WAYS), seed=1)
    before, counted = holdings(core), answered(core)
    with Memory(core) as memory:
        run_load(target, count, seed=100)
    assert answered(core) - counted == count
    before.assert_back()
    return memory


@pytest.mark.limit(300)
def test_load_over_every_door(open_core, target, holdings, record_property):
    """Also under the sanitizers. Their memory says nothing: they keep what was freed."""
    check_load(open_core, target, holdings, 6_000)
    record_property("checked requests over all doors", 6_000)


@pytest.mark.deep
@pytest.mark.limit(600)
def test_a_day_of_requests_over_every_door(open_core, target, holdings, record_property):
    """As many as a day has seconds; memory stops growing after the first third."""
    before = answered(open_core)
    memory = check_load(open_core, target, holdings, 86_400)
    growth = memory.growth_bytes(before + 86_400 // 3)
    record_property("checked requests over all doors", 86_400)
    record_property("memory grew after the first third by KiB", growth >> 10)
    assert growth < 16 * MIB
