# SPDX-License-Identifier: MIT
"""Goal P12: a Core with 1,000 registered models of which 50 are loaded, beside a Core with hardly
any, and its loads beside ONNX Runtime's own, also after a restart. All models differ in their
weights. Core does not load
a model because a request came for it: models are registered without `autoload` and put into memory
and out of it over the API, which is what is measured here."""

import time

from bodies import own_json
from floors import ort_load_us
from load import load
from models import inputs, make_heavy, make_models, make_variants
from row import Row, median
from servers import Core, fetch

REGISTERED, LOADED, WARM = 1000, 50, 5
# See DigestMemory.
SETTLED_S = 2.1


def _timed_us(work, *arguments, **members):
    start = time.perf_counter()
    work(*arguments, **members)
    return (time.perf_counter() - start) * 1e6


class RegistryBench:
    """Two Cores side by side: `full` and `empty`."""

    def __init__(self, folder, repetitions, seconds, registered=REGISTERED):
        self.repetitions = repetitions
        self.seconds = seconds
        self.folder = folder
        self.registered = registered
        self.models = folder / "models"
        make_models(self.models)
        self.paths = make_variants(folder / "variants", registered + repetitions)
        self.body = own_json(folder, "tiny", inputs()["tiny"])

    def _fill(self, core):
        for path in self.paths[:self.registered]:
            core.register(path.stem, path, autoload=False)
        for path in self.paths[:LOADED]:
            core.switch(path.stem, "load")
            fetch(core.inference_url(path.stem), self.body.read())

    def _warm(self, core):
        """The first registrations of a process pay for what comes after them too."""
        for path in self.paths[:WARM]:
            core.register(path.stem, path, autoload=False)

    def registering(self, full, empty):
        """The next registration of each."""
        late, early = [], []
        for turn, path in enumerate(self.paths[self.registered:]):
            # Neither is always the one that reads the file first.
            for core, times in ((empty, early), (full, late))[::1 if turn % 2 else -1]:
                times.append(_timed_us(core.register, path.stem, path, autoload=False))
        return self._beside("registering", late, early)

    def answering(self, full, empty):
        """A model in memory, asked by one caller."""
        last = self.paths[self.registered - 1].stem
        late, early = [], []
        full.switch(last, "load")
        empty.register(last, self.paths[self.registered - 1])
        for _ in range(self.repetitions):
            for core, times in ((empty, early), (full, late)):
                times.append(
                    load(core.inference_url(last), self.body, 1, self.seconds).p50_us)
        full.switch(last, "unload")
        return self._beside("answering", late, early)

    def _beside(self, what, late, early):
        ratio = median(after / before for after, before in zip(late, early))
        return Row(f"P12: {what}, {self.registered:,} registered, {LOADED} loaded",
                   f"{median(late):,.0f} µs", f"Core with at most {WARM + self.repetitions + 1} "
                   f"models {median(early):,.0f} µs", ratio, "≤ 1.2 ×", ratio <= 1.2)

    def switching(self, full):
        """One model out of memory, another into it; only the latter is timed."""
        names = {"wide": self.models / "wide.onnx", "small": self.paths[LOADED]}
        full.register("wide", names["wide"], autoload=False)
        for what, path in names.items():
            ours, floors = [], []
            for repetition in range(self.repetitions):
                full.switch(self.paths[repetition].stem, "unload")
                floors.append(ort_load_us(path))
                ours.append(_timed_us(full.switch, path.stem, "load"))
                full.switch(path.stem, "unload")
                full.switch(self.paths[repetition].stem, "load")
            ratio = median(own / low for own, low in zip(ours, floors))
            size = path.stat().st_size / 1e6
            goal = "≤ 1.3 ×" if what == "wide" else "–"
            yield Row(f"P12: loading {what} ({size:.1f} MB), {self.registered:,} registered",
                      f"{median(ours) / 1e3:,.1f} ms",
                      f"ONNX Runtime's own load {median(floors) / 1e3:,.1f} ms", ratio, goal,
                      goal == "–" or ratio <= 1.3)

    def restarting(self):
        """The first load by a Core that was started again, of a model with large weights: the
        digests of the files outlive the process. The plugin is loaded by another model before."""
        heavy, state = make_heavy(self.folder / "heavy"), self.folder / "restarted"
        # Files that have just changed are hashed again, also by the Core that has hashed them.
        time.sleep(SETTLED_S)
        core = Core(state)
        core.register("null", self.models / "null.onnx")
        core.register("heavy", heavy, autoload=False)
        core.switch("heavy", "load")
        ours, floors = [], []
        for _ in range(self.repetitions):
            core.stop()
            core = Core(state)
            core.wait_ready()
            floors.append(ort_load_us(heavy))
            ours.append(_timed_us(core.switch, "heavy", "load"))
        core.stop()
        ratio = median(own / low for own, low in zip(ours, floors))
        size = (heavy.parent / "heavy.bin").stat().st_size / 1e6
        return Row(f"P12: loading heavy ({size:.0f} MB beside the graph), after a restart",
                   f"{median(ours) / 1e3:,.1f} ms",
                   f"ONNX Runtime's load by path {median(floors) / 1e3:,.1f} ms", ratio,
                   "≤ 1.3 ×", ratio <= 1.3)

    def rows(self):
        """Measures everything."""
        servers = []
        try:
            servers.append(full := Core(self.folder / "full"))
            servers.append(empty := Core(self.folder / "empty"))
            self._warm(empty)
            self._fill(full)
            yield self.registering(full, empty)
            yield self.answering(full, empty)
            yield from self.switching(full)
        finally:
            for server in servers:
                server.stop()
        yield self.restarting()
