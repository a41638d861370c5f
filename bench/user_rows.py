# SPDX-License-Identifier: MIT
"""A model of 5 ms over IPC beside another user who takes all connections that there are: its
latency at p99 beside that of the same model alone. Only root can be somebody else; others get no
row."""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from models import make_steady
from row import Row, median
from servers import ROOT, Core, fetch, wait_until

sys.path.insert(0, str(ROOT / "sdk/python"))

from mlos.client import Client  # noqa: E402

STRANGER = 65534
CONNECTIONS = 1024  # what Core has, if nobody tells it otherwise
RUNS = 600
LIMIT = 2


@contextlib.contextmanager
def _strangers(path):
    """All connections that another user gets, until the end of the block: beyond its share, each
    costs it an older one."""
    with contextlib.ExitStack() as stack:
        os.seteuid(STRANGER)
        try:
            for _ in range(CONNECTIONS):
                stack.enter_context(Client(str(path)))
        finally:
            os.seteuid(0)
        yield


def _p99_ms(path):
    """Of one caller's requests, sent one after the other."""
    times = []
    with Client(str(path)) as client:
        for _ in range(RUNS):
            start = time.perf_counter()
            client.infer("steady", {"x": np.float32([0.5])})
            times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)[RUNS * 99 // 100]


def _measure(core, path, repetitions):
    alone, beside = [], []
    for _ in range(repetitions):
        alone.append(_p99_ms(path))
        with _strangers(path):
            wait_until(core.rests, 60)
            beside.append(_p99_ms(path))
    return alone, beside


def rows(folder, repetitions):
    """One row: the median of the repetitions' ratios."""
    if os.geteuid() != 0:
        return
    # Where others may look for a socket.
    place = Path(tempfile.mkdtemp(prefix="mlos-bench-"))
    place.chmod(0o711)
    core = Core(folder / "state", ["--grpc-port", "0", "--socket", str(place / "core.sock"),
                                   "--socket-mode", "0666"])
    try:
        core.register("steady", make_steady(folder))
        fetch(core.inference_url("steady"), b'{"x": [0.5]}')
        alone, beside = _measure(core, place / "core.sock", repetitions)
    finally:
        core.stop()
        shutil.rmtree(place, ignore_errors=True)
    ratio = median(a / b for a, b in zip(beside, alone))
    yield Row("IPC, a model of 5 ms beside all connections of another user, p99",
              f"{median(beside):.1f} ms", f"alone {median(alone):.1f} ms", ratio, f"≤ {LIMIT} ×",
              ratio <= LIMIT)
