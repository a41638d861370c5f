# SPDX-License-Identifier: MIT
"""The IPC door, goals P1 to P3, beside bare sockets and shared memory and ONNX Runtime alone."""

import subprocess

from floors import ort_run_us, program
from models import SHAPES, make_models
from row import Row, median
from servers import Core

# Clients and Core on cores of their own, as the floors have it.
CLIENT_CPU, SERVER_CPU = 0, 1


class Measured(dict):
    """Medians over repetitions, by name."""

    def add(self, output):
        """Takes the lines of a program: name, p50, p99."""
        for line in output.splitlines():
            name, p50, _ = line.split()
            self.setdefault(name, []).append(float(p50))


def measure(folder, repetitions, count):
    """Floors, ours and ONNX Runtime's run times, interleaved."""
    make_models(folder)
    socket = folder / "core.sock"
    core = Core(folder / "state", arguments=["--socket", str(socket)])
    floors, ours, runs = Measured(), Measured(), {"null": [], "bigin": []}
    try:
        for name in runs:
            core.register(name, folder / f"{name}.onnx")
        subprocess.run(["taskset", "-apc", str(SERVER_CPU), str(core.process.pid)],
                       check=True, capture_output=True)
        for _ in range(repetitions):
            floors.add(program("ipc_floor", count, CLIENT_CPU, SERVER_CPU))
            ours.add(program("ipc_client", socket, count, CLIENT_CPU))
            for name in runs:
                runs[name].append(ort_run_us(folder / f"{name}.onnx", SHAPES[name], 2000))
    finally:
        core.stop()
    return floors, ours, runs


def rows(folder, repetitions, count=20000):
    """One row a goal: the median of the repetitions' ratios."""
    floors, ours, runs = measure(folder, repetitions, count)
    for goal, what, name, floor, model, limit in (
            ("P1", "socket, sleeping, null", "socket_sleeping", "socket_sleeping", "null", 1.3),
            ("P1", "socket, polling, null", "socket_polling", "socket_polling", "null", 1.3),
            ("P2", "ring, null", "ring", "memory", "null", 1.5),
            ("P3", "region, 602 KB", "region_602k", "memory_602k", "bigin", 1.2)):
        sums = [a + b for a, b in zip(floors[floor], runs[model])]
        ratio = median(a / b for a, b in zip(ours[name], sums))
        yield Row(f"{goal}: IPC {what}, p50", f"{median(ours[name]):.1f} µs",
                  f"bare + ONNX Runtime direct {median(sums):.1f} µs", ratio, f"≤ {limit} ×",
                  ratio <= limit)
