# SPDX-License-Identifier: MIT
"""grpcurl, which knows of Core's contracts only what reflection tells it."""

from __future__ import annotations

import base64
import json
import subprocess

import numpy as np
import pytest

from tests.support import paths
from tests.support.graphs import scale
from tests.support.grpc_core import GrpcCore

OIP = "inference.GRPCInferenceService"
SCALE = "t/scale@1"


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grpcurl")
    core = GrpcCore(folder).start()
    assert core.register(SCALE, scale(folder / "scale.onnx", 2.0)).status_code == 200
    yield core
    assert core.stop() == 0


def grpcurl(core: GrpcCore, *words: str, data: dict | None = None) -> subprocess.CompletedProcess:
    """Runs it against Core; `data` is the request of a call."""
    tool = paths.DEPS / "bin" / "grpcurl"
    assert tool.exists(), "run tools/setup/setup.sh test"
    flags = ["-plaintext", "-max-time", "30"]
    if data is not None:
        flags += ["-d", json.dumps(data)]
    command = [str(tool), *flags, core.grpc_address, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def shown(core: GrpcCore, *words: str, data: dict | None = None) -> str:
    done = grpcurl(core, *words, data=data)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_services_are_listed_and_described(core):
    services = shown(core, "list").split()
    assert {OIP, "grpc.health.v1.Health", "mlos.v1.InferenceService"} <= set(services)
    for service in services:
        methods = shown(core, "list", service).split()
        assert methods and all(method.startswith(f"{service}.") for method in methods)
    assert "rpc ModelInfer" in shown(core, "describe", OIP)
    assert "raw_input_contents" in shown(core, "describe", "inference.ModelInferRequest")
    missing = grpcurl(core, "describe", "no.such.Symbol")
    assert missing.returncode != 0 and "not found" in missing.stderr.lower()


def test_health_is_asked(core):
    healthy = json.loads(shown(core, "grpc.health.v1.Health/Check"))
    assert healthy == {"status": "SERVING"}
    assert json.loads(shown(core, f"{OIP}/ServerLive")) == {"live": True}
    health = json.loads(shown(core, "mlos.v1.HealthService/GetHealth"))
    assert health["status"] == "healthy"


def tensor(values: list[float]) -> dict:
    return {"name": "x", "datatype": "FP32", "shape": [len(values)]}


def test_a_model_is_run(core):
    raw = base64.b64encode(np.array([1, 2.5], np.float32).tobytes()).decode()
    forms = [
        {"inputs": [tensor([1, 2.5])], "raw_input_contents": [raw]},
        {"inputs": [tensor([1, 2.5]) | {"contents": {"fp32_contents": [1, 2.5]}}]},
    ]
    for form in forms:
        reply = json.loads(shown(core, f"{OIP}/ModelInfer", data={"model_name": SCALE, **form}))
        assert (reply["modelName"], reply["outputs"][0]["name"]) == (SCALE, "y")
        content = base64.b64decode(reply["rawOutputContents"][0])
        assert np.frombuffer(content, np.float32).tolist() == [2.0, 5.0]


def test_a_refusal_is_shown(core):
    refused = grpcurl(core, f"{OIP}/ModelInfer", data={"model_name": "t/none@1"})
    assert refused.returncode != 0
    assert "Code: NotFound" in refused.stderr and "t/none@1" in refused.stderr
