# SPDX-License-Identifier: MIT
"""What a Prometheus server reads of a Core with every door open."""

from __future__ import annotations

import re
import subprocess
import time

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support import paths
from tests.support.graphs import scale
from tests.support.ipc import Client, MlosError
from tests.support.open_core import OpenCore

GRPC_ROUTE = "/inference.GRPCInferenceService/ModelInfer"


def ask_every_door(core: OpenCore) -> None:
    """One inference and one that names an unknown model."""
    array = np.ones(1, np.float32)
    core.infer("m", {"x": array})
    assert core.post("/models/none/inference", json={"x": [1]}).status_code == 404
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1])
    with grpc.insecure_channel(core.grpc_address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for model in ["m", "none"]:
            request = pb.ModelInferRequest(
                model_name=model, inputs=[tensor], raw_input_contents=[array.tobytes()]
            )
            try:
                stub.ModelInfer(request, timeout=30)
            except grpc.RpcError as error:
                assert (model, error.code()) == ("none", grpc.StatusCode.NOT_FOUND)
    with Client(str(core.socket)) as client:
        client.infer("m", {"x": array})
        with pytest.raises(MlosError):
            client.infer("none", {"x": array})


def samples(page: str) -> dict[str, float]:
    """The value of each series."""
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#")]
    return {series: float(value) for series, value in lines}


def test_every_door_counts_its_requests(open_core, tmp_path):
    core = open_core
    assert core.register("m", scale(tmp_path / "m.onnx")).status_code == 200
    ask_every_door(core)
    page = core.get("/metrics").text
    found = samples(page)
    for door, route in [("http", "/models/{id}/inference"), ("grpc", GRPC_ROUTE), ("ipc", "infer")]:
        labels = f'route="{route}"'
        counted = f"mlos_{door}_requests_total{{{labels},outcome="
        assert found[f'{counted}"OK"}}'] == 1, door
        assert found[f'{counted}"MODEL_NOT_FOUND"}}'] == 1, door
        assert found[f"mlos_{door}_request_duration_seconds_count{{{labels}}}"] == 2, door
    promtool = [paths.DEPS / "bin/promtool", "check", "metrics"]
    done = subprocess.run(promtool, input=page, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_the_process_uses(core):
    found = samples(core.get("/metrics").text)
    now = time.time()
    assert now - 3600 < found["process_start_time_seconds"] < now + 5
    assert found["process_cpu_seconds_total"] > 0
    resources = core.resources()
    assert abs(found["process_open_fds"] - resources.fds) < 8
    assert found["process_max_fds"] >= found["process_open_fds"]
    assert found["process_virtual_memory_bytes"] > found["process_resident_memory_bytes"] > 1 << 20


def test_a_model_has_at_most_25_series_unless_more_are_asked_for(make_core, tmp_path):
    graph = scale(tmp_path / "m.onnx")
    counts, names = {}, {}
    for option in ["few", "full"]:
        core = make_core(*(["--metrics-full"] if option == "full" else []), name=option).start()
        assert core.register("m", graph).status_code == 200
        core.infer("m", {"x": np.ones(1, np.float32)})
        for body in ["{", '{"y": [1]}', '{"x": ["1"]}', '{"x": [[1]]}', "{}"]:
            assert core.post("/models/m/inference", data=body).status_code == 400
        series = [one for one in samples(core.get("/metrics").text) if 'model="m"' in one]
        counts[option] = len(series)
        names[option] = {re.match(r"\w+", one)[0] for one in series}
    assert counts["few"] <= 25 < counts["full"]
    assert names["few"] == names["full"]
