# SPDX-License-Identifier: MIT
"""`make test-performance`: every figure beside its baseline, measured in the same run, interleaved;
the median of the repetitions' ratios is what counts. Exits 1 where a goal is missed. Results go to
bench/results.md, with the notes (bench/notes.md) on what was missed, and the table of Core beside
other servers to the README too."""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import onnxruntime

import deadline_rows
import grpc_rows
import health_rows
import ipc_rows
import notes
import restart_rows
import trial_rows
import user_rows
from http_rows import HttpBench
from memory_rows import MemoryBench
from peer_rows import PeerBench
from registry_rows import RegistryBench
from servers import ROOT
from tables import BEGIN, END, goals_table, peers_section, with_marked
from waiting_rows import WaitingBench

SECTIONS = ("http", "peers", "grpc", "ipc", "memory", "registry", "restart", "health", "waiting",
            "users", "deadlines", "trials")


def machine():
    """One line about where this was measured."""
    cpu = next((line.split(":", 1)[1].strip() for line in
                Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
               platform.machine())
    return (f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
            f"ONNX Runtime {onnxruntime.__version__}")


class Run:
    """One run of some sections; `peers` is the table of Core beside other servers."""

    def __init__(self, folder, repetitions, seconds):
        self.folder = folder
        self.counts = repetitions, seconds
        self.peers = ""

    def rows(self, section):
        """The rows of a section, as they are measured."""
        folder = self.folder / section
        folder.mkdir()
        repetitions, seconds = self.counts
        if section == "peers":
            bench = PeerBench(folder, *self.counts)
            yield from bench.rows()
            self.peers = bench.table()
        elif section == "ipc":
            yield from ipc_rows.rows(folder, repetitions)
        elif section == "memory":
            yield from MemoryBench(folder, repetitions).rows()
        else:
            measure = {"http": lambda: HttpBench(folder, *self.counts).rows(),
                       "registry": lambda: RegistryBench(folder, *self.counts).rows(),
                       "grpc": lambda: grpc_rows.rows(folder, repetitions, seconds),
                       "restart": lambda: restart_rows.rows(folder, repetitions),
                       "health": lambda: health_rows.rows(folder, repetitions, seconds),
                       "waiting": lambda: WaitingBench(folder, *self.counts).rows(),
                       "users": lambda: user_rows.rows(folder, repetitions),
                       "deadlines": lambda: deadline_rows.rows(folder, repetitions),
                       "trials": lambda: trial_rows.rows(folder, repetitions)}
            yield from measure[section]()
        shutil.rmtree(folder, ignore_errors=True)


def measure(sections, repetitions, seconds):
    """The rows of these sections, printed as they come, and the table of the peers."""
    folder = Path(tempfile.mkdtemp(prefix="mlos-bench-"))
    run = Run(folder, repetitions, seconds)
    rows = []
    try:
        for section in sections:
            start = time.monotonic()
            for row in run.rows(section):
                rows.append(row)
                print(f"{row.name}: {row.figure} | {row.baseline} | {row.ratio:.2f} {row.goal}",
                      flush=True)
            print(f"{section}: {time.monotonic() - start:.0f} s", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows, run.peers


def results_page(rows, peers, conditions):
    """What bench/results.md holds."""
    page = (f"# Results of `make test-performance`\n\n{conditions}\n\n{goals_table(rows)}\n\n"
            f"{BEGIN}\n{END}\n")
    return with_marked(page, peers)


def publish(results, page):
    """Writes the results with their notes, and docs/PROMISES.md, which tells what was missed."""
    results.write_text(notes.merged(page, notes.read(notes.NOTES.read_text())))
    subprocess.run([sys.executable, "-m", "tests.support.promises"], cwd=ROOT, check=True)


def main():
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2,
                        help="of each run of the load generator")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS,
                        help="measure these sections and write no page")
    parser.add_argument("--notes", action="store_true",
                        help="measure nothing: bring bench/notes.md into the results there are")
    parser.add_argument("--results", type=Path, default=ROOT / "bench/results.md")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md")
    arguments = parser.parse_args()
    if arguments.notes:
        publish(arguments.results, arguments.results.read_text())
        return
    load_before = os.getloadavg()[0]
    rows, peers = measure(arguments.only, arguments.repetitions, arguments.seconds)
    conditions = (f"{machine()}. {time.strftime('%Y-%m-%d')}, load average {load_before:.2f} "
                  f"before and {os.getloadavg()[0]:.2f} after, {arguments.repetitions} "
                  "repetitions, load generator on the same cores.")
    if arguments.only == SECTIONS:
        block = peers_section(peers, machine(), time.strftime("%Y-%m-%d"))
        publish(arguments.results, results_page(rows, block, conditions))
        arguments.readme.write_text(with_marked(arguments.readme.read_text(), block))
    print(f"\n{goals_table(rows)}\n\n{peers}")
    missed = [row.name for row in rows if not row.reached]
    if missed:
        sys.exit(f"missed: {', '.join(missed)}")


if __name__ == "__main__":
    main()
