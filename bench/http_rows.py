# SPDX-License-Identifier: MIT
"""The HTTP door beside nginx, simdjson and ONNX Runtime; memory and start."""

import json
import subprocess
import time

import numpy as np

from load import load
from models import inputs, make_models
from row import Row, median, run_p50_us, session_of
from servers import ROOT, Core, Nginx, fetch, resident_bytes

MIB = 1 << 20


class HttpBench:
    """Goals of the HTTP door: holds the bodies and settings of one run."""

    def __init__(self, folder, repetitions, seconds):
        self.folder = folder
        self.repetitions = repetitions
        self.seconds = seconds
        self.models = folder / "models"
        make_models(self.models)
        self.arrays = inputs()
        self.bodies = {}
        for name, array in self.arrays.items():
            body = folder / f"{name}.json"
            text = json.dumps({"x": [float(f"{value:.7g}") for value in array.ravel()]},
                              separators=(",", ":"))
            body.write_text(text)
            self.bodies[name] = body
        self.sessions = {name: session_of(self.models / f"{name}.onnx") for name in self.arrays}

    def each(self):
        """The repetitions."""
        return range(self.repetitions)

    def throughput(self, core, nginx, name, goal):
        """Requests a second at 32 connections, beside nginx."""
        ratios, ours, theirs = [], [], []
        for _ in self.each():
            theirs.append(load(nginx.url, connections=32, seconds=self.seconds).rate)
            ours.append(load(core.inference_url(name), self.bodies[name], 32, self.seconds).rate)
            ratios.append(ours[-1] / theirs[-1])
        ratio = median(ratios)
        return Row(f"HTTP {name}, 32 connections", f"{median(ours):,.0f} requests/s",
                   f"nginx `return 200` {median(theirs):,.0f} requests/s", ratio,
                   f"≥ {goal} ×" if goal else "–", not goal or ratio >= goal)

    def latency(self, core, nginx, name):
        """Median latency at one connection, beside nginx and ONNX Runtime in process."""
        ratios, ours, floors = [], [], []
        for _ in self.each():
            bare = load(nginx.url, connections=1, seconds=self.seconds).p50_us
            run = run_p50_us(self.sessions[name], self.arrays[name], 2000)
            ours.append(load(core.inference_url(name), self.bodies[name], 1, self.seconds).p50_us)
            floors.append(bare + run)
            ratios.append(ours[-1] / floors[-1])
        return Row(f"HTTP {name}, 1 connection, p50", f"{median(ours):,.0f} µs",
                   f"nginx + ONNX Runtime direct {median(floors):,.0f} µs", median(ratios), "–",
                   True)

    def large_body(self, core, goal):
        """150,528 floats of JSON, beside simdjson's parse and ONNX Runtime direct."""
        ratios, ours, floors = [], [], []
        for _ in self.each():
            parse = subprocess.run(
                [str(ROOT / "build/bench/json_floor"), str(self.bodies["bigin"]), "200"],
                capture_output=True, text=True, check=True).stdout.split()[0]
            run = run_p50_us(self.sessions["bigin"], self.arrays["bigin"], 500)
            ours.append(
                load(core.inference_url("bigin"), self.bodies["bigin"], 1, self.seconds).p50_us)
            floors.append(float(parse) + run)
            ratios.append(ours[-1] / floors[-1])
        ratio = median(ratios)
        return Row("HTTP 150,528 floats of JSON, p50", f"{median(ours):,.0f} µs",
                   f"simdjson + ONNX Runtime direct {median(floors):,.0f} µs", ratio,
                   f"≤ {goal} ×", ratio <= goal)

    def batching(self, core, goal):
        """Items a second of the wide model at 32 connections, beside runs of 32 in process."""
        ratios, ours, floors = [], [], []
        batch = np.repeat(self.arrays["wide"], 32, axis=0)
        load(core.inference_url("wide"), self.bodies["wide"], 32, 1)  # tries batching
        for _ in self.each():
            floors.append(32e6 / run_p50_us(self.sessions["wide"], batch, 20))
            ours.append(load(core.inference_url("wide"), self.bodies["wide"], 32,
                             self.seconds).rate)
            ratios.append(ours[-1] / floors[-1])
        ratio = median(ratios)
        return Row("P8: HTTP wide, 32 connections, batching", f"{median(ours):,.0f} items/s",
                   f"ONNX Runtime direct, batches of 32, {median(floors):,.0f} items/s", ratio,
                   f"≥ {goal} ×", ratio >= goal)

    def idle_memory(self, goal_mib):
        """Resident memory of a Core that has just started, no model registered."""
        sizes = []
        for repetition in self.each():
            core = Core(self.folder / f"idle{repetition}")
            core.wait_ready()
            time.sleep(0.2)
            sizes.append(resident_bytes(core.process.pid) / MIB)
            core.stop()
        size = median(sizes)
        return Row("Resident memory of an idle Core", f"{size:.1f} MiB", "–", float("nan"),
                   f"≤ {goal_mib} MB", size * MIB <= goal_mib * 1e6)

    def first_answer(self, goal_ms):
        """From starting the process to the first answer of a registered model."""
        state = self.folder / "first"
        core = Core(state)
        core.register("tiny", self.models / "tiny.onnx")
        core.stop()
        body = self.bodies["tiny"].read_bytes()
        times = []
        for _ in self.each():
            core = Core(state)
            url = core.inference_url("tiny")
            while True:
                try:
                    fetch(url, body)
                    break
                except OSError:
                    time.sleep(0.001)
            times.append((time.perf_counter() - core.started) * 1e3)
            core.stop()
        value = median(times)
        return Row("Start to first answer (tiny)", f"{value:.0f} ms", "–", float("nan"),
                   f"≤ {goal_ms} ms", value <= goal_ms)

    def rows(self):
        """Measures everything."""
        nginx = Nginx(self.folder / "nginx")
        core = Core(self.folder / "state")
        try:
            for name in self.arrays:
                core.register(name, self.models / f"{name}.onnx")
                fetch(core.inference_url(name), self.bodies[name].read_bytes())
            yield self.throughput(core, nginx, "null", 0.5)
            yield self.throughput(core, nginx, "tiny", None)
            yield self.latency(core, nginx, "null")
            yield self.latency(core, nginx, "tiny")
            yield self.large_body(core, 1.5)
            yield self.batching(core, 0.9)
        finally:
            core.stop()
            nginx.stop()
        yield self.idle_memory(40)
        yield self.first_answer(300)
