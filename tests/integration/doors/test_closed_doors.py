# SPDX-License-Identifier: MIT
"""Doors that are closed: whichever are left open serve all there is, and tell of each other."""

from __future__ import annotations

import subprocess
from itertools import combinations
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.support import paths
from tests.support.graphs import scale
from tests.support.ipc import Client, MlosError
from tests.support.open_core import OpenCore
from tests.support.protos import mlos_v1

health, health_grpc = mlos_v1("health")
inference, inference_grpc = mlos_v1("inference")
models_pb, models_grpc = mlos_v1("model")

DOORS = ("http", "grpc", "ipc")
SOME_CLOSED = [closed for count in range(3) for closed in combinations(DOORS, count)]
X = np.array([1.0, 2.5], np.float32)


class PartlyClosedCore(OpenCore):
    """A Core that is started with `--no-http`, `--no-grpc` and `--no-ipc` as `closed` says."""

    def __init__(self, folder: Path, closed: tuple[str, ...]):
        super().__init__(folder)
        self.closed = closed
        self.open = [door for door in DOORS if door not in closed]

    def command(self) -> list[str]:
        return [*super().command(), *(f"--no-{door}" for door in self.closed)]

    def _ready(self) -> bool:
        if "http" in self.open:
            return super()._ready()
        try:
            return all(ASK[door](self) for door in self.open)
        except (OSError, MlosError, grpc.RpcError):
            return False


def http_apis(core: OpenCore) -> list[str]:
    return core.get("/health").json()["apis"]


def http_answer(core: OpenCore, model_id: str, graph: Path) -> np.ndarray:
    assert core.register(model_id, graph).status_code == 200
    return core.infer(model_id, {"x": X})["y"]


def grpc_apis(core: OpenCore) -> list[str]:
    with grpc.insecure_channel(core.grpc_address) as channel:
        stub = health_grpc.HealthServiceStub(channel)
        return list(stub.GetHealth(health.GetHealthRequest(), timeout=20).apis)


def grpc_answer(core: OpenCore, model_id: str, graph: Path) -> np.ndarray:
    x = inference.Tensor(name="x", dtype="float32", shape=X.shape, data=X.tobytes())
    with grpc.insecure_channel(core.grpc_address) as channel:
        register = models_grpc.ModelServiceStub(channel).RegisterModel
        register(models_pb.RegisterModelRequest(model_id=model_id, path=str(graph)), timeout=60)
        infer = inference_grpc.InferenceServiceStub(channel).Infer
        reply = infer(inference.InferRequest(model_id=model_id, inputs=[x]), timeout=60)
    return np.frombuffer(reply.outputs[0].data, np.float32)


def ipc_apis(core: OpenCore) -> list[str]:
    with Client(str(core.socket)) as client:
        return client.health()["apis"]


def ipc_answer(core: OpenCore, model_id: str, graph: Path) -> np.ndarray:
    with Client(str(core.socket)) as client:
        client.register_model(model_id, graph)
        return client.infer(model_id, {"x": X}).outputs["y"]


ASK = {"http": http_apis, "grpc": grpc_apis, "ipc": ipc_apis}
RUN = {"http": http_answer, "grpc": grpc_answer, "ipc": ipc_answer}


@pytest.mark.parametrize("closed", SOME_CLOSED, ids=lambda closed: "-".join(closed) or "none")
def test_the_doors_that_are_left_serve(tmp_path, closed):
    graph = scale(tmp_path / "scale.onnx", 2.0)
    core = PartlyClosedCore(tmp_path / "core", closed)
    # As another Core with all doors open would leave them behind.
    ports = {door: core.state_dir / f"{door}.port" for door in ("http", "grpc")}
    core.state_dir.mkdir(parents=True)
    for file in ports.values():
        file.write_text("1\n")
    core.start()
    try:
        for door in core.open:
            assert ASK[door](core) == core.open
            assert np.array_equal(RUN[door](core, f"by/{door}@1", graph), 2 * X)
        assert {door for door, file in ports.items() if file.exists()} == {*core.open} - {"ipc"}
        assert core.socket.exists() == ("ipc" in core.open)
    finally:
        assert core.stop() == 0


@pytest.mark.parametrize("action", [[], ["--check-config"]])
def test_all_doors_closed_is_refused(tmp_path, action):
    closed = ["--state-dir", tmp_path / "state", "--no-http", "--no-grpc", "--no-ipc"]
    done = subprocess.run(
        [paths.product("mlos_core"), *closed, *action], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert "no_http, no_grpc and no_ipc together close every door" in done.stderr
