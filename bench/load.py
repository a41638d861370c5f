# SPDX-License-Identifier: MIT
"""Closed-loop HTTP load with wrk, one line of figures a run."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass
class Figures:
    """One run: requests a second, latency percentiles in microseconds."""
    rate: float
    p50_us: float
    p99_us: float


def load(url, body_file=None, connections=1, seconds=2.0):
    """Runs wrk with one thread; raises where any request failed."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s",
               "-s", str(HERE / "post.lua"), url]
    if body_file:
        command += ["--", str(body_file)]
    output = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("FIGURES"))
    rate, p50, p99, errors = line.split()[1:]
    if int(errors):
        raise RuntimeError(f"{errors} requests to {url} failed")
    return Figures(float(rate), float(p50), float(p99))
