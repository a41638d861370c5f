# SPDX-License-Identifier: MIT
"""Closed-loop HTTP load with wrk, one line of figures a run."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass
class Figures:
    """One run: requests a second, latency percentiles in microseconds, and how many failed."""
    rate: float
    p50_us: float
    p99_us: float
    errors: int


def load_command(url, body=None, connections=1, seconds=2.0):
    """What runs wrk with one thread; `body` is a bodies.Body, or None to get."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s",
               "-s", str(HERE / "post.lua"), url]
    if body:
        command += ["--", str(body.path), *([str(body.json_bytes)] if body.json_bytes else [])]
    return command


def figures_of(output):
    """Reads what wrk printed."""
    line = next(line for line in output.splitlines() if line.startswith("FIGURES"))
    rate, p50, p99, errors = line.split()[1:]
    return Figures(float(rate), float(p50), float(p99), int(errors))


def load(url, body=None, connections=1, seconds=2.0):
    """Runs it; raises where any request failed."""
    output = subprocess.run(load_command(url, body, connections, seconds), capture_output=True,
                            text=True, timeout=120, check=True).stdout
    figures = figures_of(output)
    if figures.errors:
        raise RuntimeError(f"{figures.errors} requests to {url} failed")
    return figures
