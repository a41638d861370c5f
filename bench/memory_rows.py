# SPDX-License-Identifier: MIT
"""Memory and start of Core: the rest of P10, and P11."""

import shutil
import time

from bodies import own_json
from models import inputs, make_models
from row import Row, median
from servers import Core, fetch

MIB = 1 << 20
COPIES = 8
NOTHING = float("nan")


class MemoryBench:
    """Each repetition starts Cores of its own."""

    def __init__(self, folder, repetitions):
        self.folder = folder
        self.repetitions = repetitions
        self.models = folder / "models"
        make_models(self.models)
        self.body = {name: own_json(folder, name, inputs()[name]) for name in ("tiny", "wide")}
        self.weights = (self.models / "wide.onnx").stat().st_size

    def _settled(self, core):
        time.sleep(0.3)
        return core.resident_bytes()

    def idle(self):
        """A Core that has just started: without models, and with `wide` registered."""
        empty, loaded = [], []
        state = self.folder / "idle"
        for repetition in range(self.repetitions):
            core = Core(self.folder / f"empty{repetition}")
            core.wait_ready()
            empty.append(self._settled(core))
            core.stop()
            core = Core(state)
            core.register("wide", self.models / "wide.onnx")
            core.stop()
            core = Core(state)
            core.wait_ready()
            loaded.append(self._settled(core))
            core.stop()
        yield Row("P10: resident memory (VmRSS), idle, no model",
                  f"{median(empty) / MIB:.1f} MiB", "–", NOTHING, "≤ 40 MB",
                  median(empty) <= 40e6)
        bound = 40e6 + self.weights
        yield Row("P10: resident memory (VmRSS), idle, wide registered",
                  f"{median(loaded) / MIB:.1f} MiB",
                  f"40 MB + the weights' {self.weights / MIB:.1f} MiB", median(loaded) / bound,
                  "≤ 1 ×", median(loaded) <= bound)

    def first_answer(self, goal_ms):
        """From starting the process to the first answer of a registered model."""
        state = self.folder / "first"
        core = Core(state)
        core.register("tiny", self.models / "tiny.onnx")
        core.stop()
        times = []
        for _ in range(self.repetitions):
            core = Core(state)
            while True:
                try:
                    fetch(core.inference_url("tiny"), self.body["tiny"].read())
                    break
                except OSError:
                    time.sleep(0.001)
            times.append((time.perf_counter() - core.started) * 1e3)
            core.stop()
        return Row("Start to first answer (tiny)", f"{median(times):.0f} ms", "–", NOTHING,
                   f"≤ {goal_ms} ms", median(times) <= goal_ms)

    def copies(self):
        """Files of the same bytes under names of their own, all registered and run."""
        paths = [self.folder / f"copy{index}.onnx" for index in range(COPIES)]
        for path in paths:
            shutil.copy(self.models / "wide.onnx", path)
        ratios, grown = [], []
        for repetition in range(self.repetitions):
            core = Core(self.folder / f"copies{repetition}")
            sizes = []
            for index, path in enumerate(paths):
                core.register(path.stem, path)
                fetch(core.inference_url(path.stem), self.body["wide"].read())
                if index in (0, COPIES - 1):
                    sizes.append(self._settled(core))
            core.stop()
            ratios.append(sizes[1] / sizes[0])
            grown.append(sizes)
        one, all_of_them = (median(sizes[index] for sizes in grown) / MIB for index in (0, 1))
        ratio = median(ratios)
        what = f"{COPIES} copies of wide ({self.weights / MIB:.0f} MiB)"
        return Row(f"P11: resident memory (VmRSS), {what}", f"{all_of_them:.0f} MiB",
                   f"one copy {one:.0f} MiB", ratio, "≤ 1.25 ×", ratio <= 1.25)

    def rows(self):
        """Measures everything."""
        yield from self.idle()
        yield self.first_answer(300)
        yield self.copies()
