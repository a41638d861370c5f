# SPDX-License-Identifier: MIT
"""One Core with every door open and the models of tests/support/traffic.py."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from tests.support import OrtReference, Resources
from tests.support.graphs import identity, scale
from tests.support.open_core import OpenCore
from tests.support.traffic import FACTOR, IDS, REAL, SCALE, TEXT, Target

_RUNS = 8
_PATIENCE_S = 30.0


def _real_graph(models: Path) -> Path:
    """silero-vad, which tells speech from noise."""
    return next(models.glob("snakers4/silero-vad/**/*.onnx"))


def _real_runs(graph: Path, path: Path) -> Path:
    """Inputs of `_real_graph` and what ONNX Runtime makes of them."""
    reference = OrtReference(graph)
    rng = np.random.default_rng(7)
    runs = []
    for _ in range(_RUNS):
        inputs = {
            "input": rng.standard_normal((1, 576)).astype(np.float32) / 4,
            "state": rng.standard_normal((2, 1, 128)).astype(np.float32) / 4,
            "sr": np.array(16000, np.int64),
        }
        runs.append((inputs, reference.run(inputs)))
    stacks = {
        f"{side}_{name}": np.stack([run[index][name] for run in runs])
        for index, side in enumerate("io")
        for name in runs[0][index]
    }
    np.savez(path, **stacks)
    return path


@pytest.fixture
def open_core(models: Path, tmp_path: Path) -> Iterator[OpenCore]:
    """Core with three tiny graphs and a real model."""
    core = OpenCore(tmp_path / "core", "--intra-op-threads", "1").start()
    graphs = {
        SCALE: scale(tmp_path / "scale.onnx", FACTOR),
        IDS: identity(tmp_path / "ids.onnx", TensorProto.INT64),
        TEXT: identity(tmp_path / "text.onnx", TensorProto.STRING),
        REAL: _real_graph(models),
    }
    for name, graph in graphs.items():
        assert core.register(name, graph).status_code == 200
    yield core
    assert core.stop() == 0


@pytest.fixture
def target(open_core: OpenCore, models: Path, tmp_path: Path) -> Target:
    """What clients of `open_core` need to know."""
    real = _real_runs(_real_graph(models), tmp_path / "real.npz")
    return Target(open_core.url, open_core.grpc_address, str(open_core.socket), str(real))


class Holdings:
    """What Core holds while nobody asks for anything."""

    def __init__(self, core: OpenCore):
        self._core = core
        self.resources = self._await(lambda _: True, "nothing in flight")

    def assert_back(self) -> Resources:
        """Waits until Core holds the descriptors and threads it held, and no request: connections
        that are closed take a moment to go."""
        held = (self.resources.fds, self.resources.threads)
        return self._await(lambda now: (now.fds, now.threads) == held, self.resources)

    def _await(self, wanted: Callable[[Resources], bool], before: object) -> Resources:
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            now, gauges = self._now()
            assert gauges, "the metrics that tell have other names"
            if wanted(now) and all(line.endswith(" 0") for line in gauges):
                return now
            time.sleep(0.1)
        raise AssertionError(f"wanted {before}, now {now} {gauges}")

    def _now(self) -> tuple[Resources, list[str]]:
        page = self._core.get("/metrics", headers={"Connection": "close"}).text.splitlines()
        names = ("mlos_in_flight_bytes ", "mlos_inferences_in_flight ")
        self._core.session.close()
        time.sleep(0.05)
        return self._core.resources(), [line for line in page if line.startswith(names)]


@pytest.fixture
def holdings() -> type[Holdings]:
    """To be made of a Core whose clients are gone."""
    return Holdings
