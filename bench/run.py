# SPDX-License-Identifier: MIT
"""`make test-performance`: every figure beside its baseline, measured in the same run, interleaved;
the median of the repetitions' ratios is what counts. Exits 1 where a goal is missed. Results go to
bench/results.md."""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from load import load
from models import inputs, make_models
from servers import ROOT, Core, Nginx, fetch, resident_bytes

MIB = 1 << 20


@dataclass
class Row:
    """One line of the table: what was measured, beside what, and the goal."""
    name: str
    figure: str
    baseline: str
    ratio: float
    goal: str
    reached: bool


def median(values):
    """Median of the values."""
    return statistics.median(values)


def session_of(path):
    """An ONNX Runtime session with one thread, as Core is started with."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options)


def run_p50_us(session, array, count):
    """Median time of a run in process."""
    feed = {"x": array}
    times = []
    for _ in range(count):
        start = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - start) * 1e6)
    return median(times)


class Bench:
    """Holds the servers, bodies and settings of one run."""

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
        finally:
            core.stop()
            nginx.stop()
        yield self.idle_memory(40)
        yield self.first_answer(300)


def machine():
    """One line about where this was measured."""
    cpu = next((line.split(":", 1)[1].strip() for line in
                Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
               platform.machine())
    return (f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
            f"ONNX Runtime {onnxruntime.__version__}")


def table(rows):
    """The rows as Markdown."""
    lines = ["| what | measured | baseline in the same run | ratio | goal | |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = "–" if row.ratio != row.ratio else f"{row.ratio:.2f}"
        mark = "" if row.goal == "–" else ("reached" if row.reached else "**missed**")
        cells = (row.name, row.figure, row.baseline, ratio, row.goal, mark)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0,
                        help="of each run of the load generator")
    parser.add_argument("--results", type=Path, default=ROOT / "bench/results.md")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="mlos-bench-"))
    rows = []
    try:
        for row in Bench(folder, arguments.repetitions, arguments.seconds).rows():
            rows.append(row)
            print(f"{row.name}: {row.figure} | {row.baseline} | {row.ratio:.2f} {row.goal}",
                  flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = (f"# Results of `make test-performance`\n\n{machine()}. {time.strftime('%Y-%m-%d')}, "
            f"load average {load_before:.2f} before and {os.getloadavg()[0]:.2f} after, "
            f"{arguments.repetitions} repetitions, load generator on the same cores.\n\n"
            f"{table(rows)}\n")
    arguments.results.write_text(text)
    print("\n" + text)
    missed = [row.name for row in rows if not row.reached]
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
