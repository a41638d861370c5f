# SPDX-License-Identifier: MIT
"""Core over IPC beside its floors, goals P1 to P3: `python bench/ipc.py [--repetitions N]`. Needs
the targets mlos_core, mlos_onnx, ipc_client and ipc_floor. Prints a table; exits 1 where a goal is
missed."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import onnxruntime

from models import inputs, make_models
from servers import ROOT, Core

# Clients and Core on cores of their own, as the floors have it.
CLIENT_CPU, SERVER_CPU = 0, 1


class Measured(dict):
    """Medians over repetitions, by name."""

    def add(self, output):
        """Takes the lines of a program: name, p50, p99."""
        for line in output.splitlines():
            name, p50, _ = line.split()
            self.setdefault(name, []).append(float(p50))


def run_p50_us(path, array, count):
    """Median time of ONNX Runtime alone, the output bound beforehand."""
    import time

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options)
    binding = session.io_binding()
    binding.bind_cpu_input("x", array)
    binding.bind_output("y")
    times = []
    for _ in range(count):
        start = time.perf_counter()
        session.run_with_iobinding(binding)
        times.append((time.perf_counter() - start) * 1e6)
    return median(times)


def program(name, *arguments):
    """What a program of build/bench prints."""
    command = [str(ROOT / "build/bench" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def measure(folder, repetitions, count):
    """Floors, ours and ONNX Runtime's run times, interleaved."""
    make_models(folder)
    arrays = inputs()
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
                runs[name].append(run_p50_us(folder / f"{name}.onnx", arrays[name], 2000))
    finally:
        core.stop()
    return floors, ours, runs


def rows(floors, ours, runs):
    """Goal, what, ours, floor, the median of the repetitions' ratios, the limit."""
    for goal, what, name, floor, model, limit in (
            ("P1", "socket, sleeping, null", "socket_sleeping", "socket_sleeping", "null", 1.3),
            ("P1", "socket, polling, null", "socket_polling", "socket_polling", "null", 1.3),
            ("P2", "ring, null", "ring", "memory", "null", 1.5),
            ("P3", "region, 602 KB", "region_602k", "copy_602k", "bigin", 1.2)):
        sums = [a + b for a, b in zip(floors[floor], runs[model])]
        ratio = median(a / b for a, b in zip(ours[name], sums))
        yield goal, what, median(ours[name]), median(sums), ratio, limit


def main():
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--count", type=int, default=20000)
    arguments = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="mlos-ipc-") as folder:
        measured = measure(Path(folder), arguments.repetitions, arguments.count)
    print("| goal | what | Core, p50 µs | bare + ONNX Runtime, p50 µs | ratio | at most |")
    print("|---|---|---|---|---|---|")
    for goal, what, ours, floor, ratio, limit in rows(*measured):
        missed += ratio > limit
        print(f"| {goal} | {what} | {ours:.1f} | {floor:.1f} | {ratio:.2f} | {limit} |")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
