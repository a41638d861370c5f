# SPDX-License-Identifier: MIT
"""KServe's clients of the Open Inference Protocol, REST and gRPC, unchanged against Core."""

from __future__ import annotations

import json
import subprocess

import pytest
from onnx import helper

from tests.support import paths
from tests.support.graphs import model, value
from tests.support.grpc_core import GrpcCore

Y = [[2.0, 5.0, -6.0]]


@pytest.fixture
def core(tmp_path):
    """Core with `ns/double@1`, y = x + x over a matrix."""
    core = GrpcCore(tmp_path / "core").start()
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    graph = model(nodes, [value("x", ["n", "m"])], [value("y", ["n", "m"])])
    (tmp_path / "double.onnx").write_bytes(graph.SerializeToString())
    assert core.register("ns/double@1", tmp_path / "double.onnx").status_code == 200
    yield core
    assert core.stop() == 0


@pytest.mark.deep
def test_its_clients_are_answered(core):
    python = paths.DEPS / "kserve" / "bin" / "python"
    assert python.exists(), "run tools/setup/setup.sh deep"
    script = paths.ROOT / "tests" / "support" / "kserve_calls.py"
    done = subprocess.run(
        [str(python), str(script), core.url, core.grpc_address, "ns/double@1"],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    shared = {
        "live": True, "ready": True, "model ready": True, "none ready": False,
        "JSON": {"id": "JSON", "name": "y", "y": Y},
        "binary": {"id": "binary", "name": "y", "y": Y},
    }  # fmt: skip
    assert told["rest"] == shared | {"refused": 404}
    assert told["grpc"] == shared | {"refused": "StatusCode.NOT_FOUND"}
