# SPDX-License-Identifier: MIT
"""The IPC door: goals P1 to P3 beside bare sockets and shared memory and ONNX Runtime alone, and
the limits that operations have at p99."""

import os
import subprocess
import time

from floors import ort_run_us, program
from models import SHAPES, make_models
from row import Row, median
from servers import Core

# Clients and Core on cores of their own, as the floors have it.
CLIENT_CPU, SERVER_CPU = 0, 1
OPERATIONS = 5000

# Of what is waited for polling, or on one core: microseconds at p99. An inference is counted
# without ONNX Runtime's run.
LIMITS_US = {
    "health": 100,
    "list_plugins": 500,
    "get_plugin": 500,
    "register_plugin": 500,
    "register_new_plugin": 500,
    "remove_plugin": 500,
    "null": 1000,
}
# These are on the disk before they are answered.
ON_DISK = ("register_new_plugin", "remove_plugin")
NAMES = {
    "health": "health",
    "list_plugins": "list of plugins",
    "get_plugin": "one plugin",
    "register_plugin": "registering a known plugin",
    "register_new_plugin": "registering a new plugin",
    "remove_plugin": "removing a plugin",
    "null": "null beyond ONNX Runtime's run",
}


def fsync_us(folder, count=50):
    """What a write of 4 KiB costs until it is on the disk, at p99."""
    times = []
    with (folder / "synced").open("wb", buffering=0) as file:
        for _ in range(count):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)[count * 99 // 100]


class Measured(dict):
    """What the repetitions gave, by name: p50 and p99 of each."""

    def add(self, output):
        """Takes the lines of a program: name, p50, p99."""
        for line in output.splitlines():
            name, p50, p99 = line.split()
            self.setdefault(name, []).append((float(p50), float(p99)))

    def p50(self, name):
        """Of each repetition."""
        return [pair[0] for pair in self[name]]

    def p99(self, name):
        """Of each repetition."""
        return [pair[1] for pair in self[name]]


class Measurement:
    """Floors, ours and ONNX Runtime's run times, interleaved."""

    def __init__(self, folder, repetitions, count):
        self.floors, self.ours = Measured(), Measured()
        self.polling, self.same_core = Measured(), Measured()
        self.runs = {"null": [], "bigin": []}
        self.synced = []
        make_models(folder)
        socket = folder / "core.sock"
        core = Core(folder / "state", arguments=["--socket", str(socket)])
        try:
            for name in self.runs:
                core.register(name, folder / f"{name}.onnx")
            subprocess.run(["taskset", "-apc", str(SERVER_CPU), str(core.process.pid)],
                           check=True, capture_output=True)
            for _ in range(repetitions):
                self._repeat(folder, socket, count)
        finally:
            core.stop()

    def _repeat(self, folder, socket, count):
        self.floors.add(program("ipc_floor", count, CLIENT_CPU, SERVER_CPU))
        self.ours.add(program("ipc_client", socket, count, CLIENT_CPU))
        self.polling.add(
            program("ipc_operations", socket, OPERATIONS, CLIENT_CPU, "polling"))
        self.same_core.add(
            program("ipc_operations", socket, OPERATIONS, SERVER_CPU, "sleeping"))
        self.synced.append(fsync_us(folder))
        for name, runs in self.runs.items():
            runs.append(ort_run_us(folder / f"{name}.onnx", SHAPES[name], 2000))

    def beside_floor(self, goal, what, percentile, names, limit):
        """The median of the repetitions' ratios to a bare floor and ONNX Runtime's run."""
        name, floor, model = names
        of = Measured.p50 if percentile == "p50" else Measured.p99
        ours = of(self.ours, name)
        sums = [a + b for a, b in zip(of(self.floors, floor), self.runs[model])]
        ratio = median(a / b for a, b in zip(ours, sums))
        return Row(f"{goal}: IPC {what}, {percentile}", f"{median(ours):.1f} µs",
                   f"bare + ONNX Runtime direct {median(sums):.1f} µs", ratio, f"≤ {limit} ×",
                   ratio <= limit)

    def within(self, what, times, name):
        """Beside the limit of `name`."""
        run = self.runs["null"] if name == "null" else [0] * len(times)
        p99 = median(a - b for a, b in zip(times, run))
        limit = LIMITS_US[name]
        baseline = f"bare fdatasync {median(self.synced):.0f} µs" if name in ON_DISK else "–"
        return Row(f"IPC {NAMES[name]}, {what}, p99", f"{p99:.1f} µs", baseline, float("nan"),
                   f"≤ {limit} µs", p99 <= limit)


def rows(folder, repetitions, count=20000):
    """One row a goal: the median of the repetitions."""
    measured = Measurement(folder, repetitions, count)
    for goal, what, percentile, names, limit in (
            ("P1", "socket, sleeping, null", "p50",
             ("socket_sleeping", "socket_sleeping", "null"), 1.3),
            ("P1", "socket, sleeping, null", "p99",
             ("socket_sleeping", "socket_sleeping", "null"), 1.3),
            ("P1", "socket, polling, null", "p50",
             ("socket_polling", "socket_polling", "null"), 1.3),
            ("P2", "ring, null", "p50", ("ring", "memory", "null"), 1.5),
            ("P3", "region, 602 KB", "p50", ("region_602k", "memory_602k", "bigin"), 1.2)):
        yield measured.beside_floor(goal, what, percentile, names, limit)
    for what, times in (("polling", measured.polling), ("same core", measured.same_core)):
        for name in LIMITS_US:
            yield measured.within(what, times.p99(name), name)
    yield measured.within("ring", measured.ours.p99("ring"), "null")
