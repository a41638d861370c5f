# SPDX-License-Identifier: MIT
"""`make test-performance`: every figure beside its baseline, measured in the same run, interleaved;
the median of the repetitions' ratios is what counts. Exits 1 where a goal is missed. Results go to
bench/results.md."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import onnxruntime

import grpc_rows
import ipc_rows
from http_rows import HttpBench
from row import table
from servers import ROOT


def machine():
    """One line about where this was measured."""
    cpu = next((line.split(":", 1)[1].strip() for line in
                Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
               platform.machine())
    return (f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
            f"ONNX Runtime {onnxruntime.__version__}")


def measure(folder, repetitions, seconds):
    """Every row, one door after the other."""
    yield from HttpBench(folder / "http", repetitions, seconds).rows()
    yield from grpc_rows.rows(folder / "grpc", repetitions, seconds)
    yield from ipc_rows.rows(folder / "ipc", repetitions)


def main():
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2,
                        help="of each run of the load generator")
    parser.add_argument("--results", type=Path, default=ROOT / "bench/results.md")
    arguments = parser.parse_args()
    load_before = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp(prefix="mlos-bench-"))
    rows = []
    try:
        for row in measure(folder, arguments.repetitions, arguments.seconds):
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
