# SPDX-License-Identifier: MIT
"""P15: how long a Core that is started again takes until all of 2 GB of models are loaded, with a
warm page cache, beside reading their files once and ONNX Runtime's own loads on all cores."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from floors import ort_load_us
from load import cores
from models import make_heavy
from registry_rows import SETTLED_S
from row import Row, median
from servers import Core

MODELS, LAYERS = 8, 4
LIMIT = 1.1
BLOCK = 1 << 20


def _make_models(folder):
    """Models of different weights, each beside its graph."""
    first = make_heavy(folder / "0", LAYERS)
    for number in range(1, MODELS):
        shutil.copytree(first.parent, folder / str(number))
        with (folder / str(number) / "heavy.bin").open("r+b") as weights:
            weights.write(bytes([number]) * 4)
    return [folder / str(number) / first.name for number in range(MODELS)]


def _read_s(path):
    """Reading a model's files once."""
    start = time.perf_counter()
    for file in path.parent.iterdir():
        with file.open("rb", buffering=0) as opened:
            while opened.read(BLOCK):
                pass
    return time.perf_counter() - start


def _floor_s(paths):
    """What all cores need for all models if none of them rests."""
    with ThreadPoolExecutor(cores()) as pool:
        reading = sum(pool.map(_read_s, paths))
        loading = sum(pool.map(lambda path: ort_load_us(path, 1) / 1e6, paths))
    return (reading + loading) / cores()


def _ready_s(state):
    core = Core(state)
    try:
        core.wait_ready()
        return time.perf_counter() - core.started
    finally:
        core.stop()


def rows(folder, repetitions):
    """One row: the median of the repetitions' ratios."""
    paths = _make_models(folder / "models")
    time.sleep(SETTLED_S)
    core = Core(folder / "state")
    for number, path in enumerate(paths):
        core.register(f"heavy{number}", path)
    core.stop()
    ours, floors = [], []
    for _ in range(repetitions):
        floors.append(_floor_s(paths))
        ours.append(_ready_s(folder / "state"))
    ratio = median(a / b for a, b in zip(ours, floors))
    size = sum(file.stat().st_size for path in paths for file in path.parent.iterdir()) / 1e9
    floor = f"reading the files + ONNX Runtime's loads on all cores {median(floors):.2f} s"
    yield Row(f"P15: ready after a restart with {size:.1f} GB in {MODELS} models",
              f"{median(ours):.2f} s", floor, ratio, f"≤ {LIMIT} ×", ratio <= LIMIT)
