# SPDX-License-Identifier: MIT
"""A model of 5 ms beside streams that wait, beside models that never end, and beside callers that
keep Core waiting, over HTTP: its latency at p99 beside that of the same model alone."""

import json
import time

from bodies import Body
from load import (ENDLESS, PATIENT, SLOW_BODY, UNREAD, allow_descriptors, cores, held, load,
                  stalled)
from models import make_endless, make_steady
from row import Row, median
from servers import FIXTURES_ALLOWED, HTTP_ONLY, Core, fetch, wait_until

STREAMS_MANY, STREAMS_FEW = 2000, 2
STALLED = 2000
# More than Core has: whoever is alone may have all but an eighth.
CONNECTIONS_ALL = 8192
# Runs of 5 ms, so that a percent of them are some.
SECONDS_MIN = 4


class WaitingBench:
    """One Core with the model `steady`, `endless` and one whose streams wait."""

    def __init__(self, folder, repetitions, seconds):
        self.folder = folder
        self.repetitions = repetitions
        self.seconds = max(seconds, SECONDS_MIN)
        self.figures = {}
        allow_descriptors(CONNECTIONS_ALL + 500)

    def _measure(self, core, name):
        body = Body(self.folder / "steady.json")
        p99 = load(core.inference_url("steady"), body, 1, self.seconds).p99_us / 1e3
        self.figures.setdefault(name, []).append(p99)

    def _beside(self, core, name, what, count):
        """Measures while so many requests of a kind are open."""
        with held(core, what, count):
            wait_until(lambda: core.in_flight() == count)
            self._measure(core, name)
        told_to_stop = time.monotonic()
        wait_until(lambda: core.in_flight() == 0)
        return told_to_stop

    def _stalled(self, core, name, data, count):
        """Measures while so many callers of another address keep Core waiting, once all that they
        have asked for is done."""
        with stalled(core, data, count):
            wait_until(core.rests, 60)
            self._measure(core, name)

    def _repeat(self, core):
        self._measure(core, "alone")
        self._beside(core, "few", PATIENT, STREAMS_FEW)
        self._beside(core, "many", PATIENT, STREAMS_MANY)
        self._stalled(core, "bodies", SLOW_BODY, STALLED)
        self._stalled(core, "readers", UNREAD, STALLED)
        self._stalled(core, "all", SLOW_BODY, CONNECTIONS_ALL)
        self._measure(core, "alone again")
        told_to_stop = self._beside(core, "endless", ENDLESS, cores())
        time.sleep(max(0, told_to_stop + 1 - time.monotonic()))
        self._measure(core, "stopped")

    def _row(self, what, name, alone, limit):
        ours, floors = self.figures[name], self.figures[alone]
        ratio = median(a / b for a, b in zip(ours, floors))
        return Row(f"HTTP, a model of 5 ms beside {what}, p99", f"{median(ours):.1f} ms",
                   f"alone {median(floors):.1f} ms", ratio, f"≤ {limit} ×", ratio <= limit)

    def rows(self):
        """Measures everything."""
        (self.folder / "steady.json").write_text(json.dumps({"x": [0.5]}))
        core = Core(self.folder / "state", [*HTTP_ONLY, *FIXTURES_ALLOWED,
                                            "--queue-length-max", str(STREAMS_MANY)])
        try:
            core.register("steady", make_steady(self.folder))
            core.register("endless", make_endless(self.folder))
            core.register_fixture(self.folder, "patient")
            fetch(core.inference_url("endless"), b'{"steps": 1}')
            load(core.inference_url("steady"), Body(self.folder / "steady.json"), 1, 1)
            for _ in range(self.repetitions):
                self._repeat(core)
        finally:
            core.stop()
        yield self._row(f"{STREAMS_FEW} streams that wait", "few", "alone", 1.5)
        yield self._row(f"{STREAMS_MANY:,} streams that wait", "many", "alone", 1.5)
        yield self._row(f"{STALLED:,} slow bodies of another address", "bodies", "alone", 2)
        yield self._row(f"{STALLED:,} slow readers of another address", "readers", "alone", 2)
        yield self._row("all connections of another address", "all", "alone", 2)
        yield self._row("endless models on every core", "endless", "alone again", 3)
        yield self._row("nothing, a second after endless models were told to stop", "stopped",
                        "alone again", 1.2)
