# SPDX-License-Identifier: MIT
"""The HTTP door beside nginx, a bare epoll server, simdjson and ONNX Runtime: the issue's rows of
Core's own API, and the goals P6 and P8."""

from bodies import own_json
from floors import HttpFloor, json_us, ort_run_us
from load import load
from models import SHAPES, inputs, make_models
from row import Row, median
from servers import HTTP_ONLY, Core, Nginx, fetch


class HttpBench:
    """Goals of the HTTP door: holds the bodies and settings of one run."""

    def __init__(self, folder, repetitions, seconds):
        self.folder = folder
        self.repetitions = repetitions
        self.seconds = seconds
        self.models = folder / "models"
        make_models(self.models)
        self.arrays = inputs()
        self.bodies = {name: own_json(folder, name, array) for name, array in self.arrays.items()}

    def each(self):
        """The repetitions."""
        return range(self.repetitions)

    def run_us(self, name, count, items=1):
        """What ONNX Runtime alone takes for so many items of a model."""
        return ort_run_us(self.models / f"{name}.onnx", (items, *SHAPES[name][1:]), count)

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
            run = self.run_us(name, 2000)
            ours.append(load(core.inference_url(name), self.bodies[name], 1, self.seconds).p50_us)
            floors.append(bare + run)
            ratios.append(ours[-1] / floors[-1])
        return Row(f"HTTP {name}, 1 connection, p50", f"{median(ours):,.0f} µs",
                   f"nginx + ONNX Runtime direct {median(floors):,.0f} µs", median(ratios), "–",
                   True)

    def large_body(self, core, floor):
        """150,528 floats of JSON, beside simdjson's parse and ONNX Runtime direct, without and with
        the bare receive of that body."""
        ours, bare, floors = [], [], []
        for _ in self.each():
            receive = load(floor.url, self.bodies["bigin"], 1, self.seconds).p50_us
            compute = json_us(self.bodies["bigin"]) + self.run_us("bigin", 1000)
            ours.append(
                load(core.inference_url("bigin"), self.bodies["bigin"], 1, self.seconds).p50_us)
            bare.append(compute)
            floors.append(receive + compute)
        for name, what, baseline, goal in (
                ("", "", bare, 1.5), ("P6: ", "bare HTTP receive + ", floors, 1.1)):
            ratio = median(own / low for own, low in zip(ours, baseline))
            yield Row(f"{name}HTTP 150,528 floats of JSON, p50", f"{median(ours):,.0f} µs",
                      f"{what}simdjson + ONNX Runtime direct {median(baseline):,.0f} µs", ratio,
                      f"≤ {goal} ×", ratio <= goal)

    def batching(self, core, goal):
        """Items a second of the wide model at 32 connections, beside runs of 32 in process."""
        ratios, ours, floors = [], [], []
        for _ in self.each():
            floors.append(32e6 / self.run_us("wide", 20, 32))
            ours.append(load(core.inference_url("wide"), self.bodies["wide"], 32,
                             self.seconds).rate)
            ratios.append(ours[-1] / floors[-1])
        ratio = median(ratios)
        return Row("P8: HTTP wide, 32 connections, batching", f"{median(ours):,.0f} items/s",
                   f"ONNX Runtime direct, batches of 32, {median(floors):,.0f} items/s", ratio,
                   f"≥ {goal} ×", ratio >= goal)

    def lone_caller(self, core, apart):
        """What batching costs a caller who is alone, beside a Core that does not batch."""
        for name in ("wide", "tiny"):
            ours, floors = [], []
            for _ in self.each():
                for server, times in ((apart, floors), (core, ours)):
                    times.append(load(server.inference_url(name), self.bodies[name], 1,
                                      self.seconds).p50_us)
            ratio = median(own / low for own, low in zip(ours, floors))
            yield Row(f"P8: HTTP {name}, 1 connection, batching, p50", f"{median(ours):,.0f} µs",
                      f"Core with --max-batch-size 1 {median(floors):,.0f} µs", ratio, "≤ 1.05 ×",
                      ratio <= 1.05)

    def _core(self, name, *arguments):
        core = Core(self.folder / name, [*HTTP_ONLY, *arguments])
        try:
            for model in self.arrays:
                core.register(model, self.models / f"{model}.onnx")
                fetch(core.inference_url(model), self.bodies[model].read())
            for model in ("wide", "tiny"):  # tries batching
                load(core.inference_url(model), self.bodies[model], 32, 1)
        except BaseException:
            core.stop()
            raise
        return core

    def rows(self):
        """Measures everything."""
        servers = []
        try:
            servers.append(core := self._core("state"))
            servers.append(nginx := Nginx(self.folder / "nginx"))
            yield self.throughput(core, nginx, "null", 0.5)
            yield self.throughput(core, nginx, "tiny", None)
            yield self.latency(core, nginx, "null")
            yield self.latency(core, nginx, "tiny")
            servers.append(floor := HttpFloor())
            yield from self.large_body(core, floor)
            yield self.batching(core, 0.9)
            servers.append(apart := self._core("apart", "--max-batch-size", "1"))
            yield from self.lone_caller(core, apart)
        finally:
            for server in servers:
                server.stop()
