# SPDX-License-Identifier: MIT
"""What a measurement says, and how ONNX Runtime alone is measured."""

import statistics
import time
from dataclasses import dataclass

import onnxruntime


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
