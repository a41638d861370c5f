# SPDX-License-Identifier: MIT
"""Triton's own client against Core, in JSON and binary; test_asyncio.py has the asyncio one."""

from __future__ import annotations

import numpy as np
import pytest
import tritonclient.http as triton
from onnx import TensorProto, helper, save
from tritonclient.utils import InferenceServerException

from tests.support.graphs import model, scale, value

NAME = "hf/oip-test/echo@v1"

# The protocol's datatypes with what ONNX calls them; tritonclient has no way to fill BF16 here.
DTYPES = {
    "BOOL": TensorProto.BOOL, "UINT8": TensorProto.UINT8, "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32, "UINT64": TensorProto.UINT64, "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16, "INT32": TensorProto.INT32, "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16, "FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}  # fmt: skip


def identity(path, inputs):
    """Writes a graph that gives each input, {name: onnx dtype}, back as `<name>_out`."""
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in inputs]
    into = [value(name, ["N", "M"], dtype) for name, dtype in inputs.items()]
    out = [value(f"{name}_out", ["N", "M"], dtype) for name, dtype in inputs.items()]
    save(model(nodes, into, out), str(path))
    return path


@pytest.fixture(scope="module")
def served(shared_core, tmp_path_factory):
    """Core with `NAME`, y = 2 x over a vector, and `ns/all`, an identity of every datatype."""
    folder = tmp_path_factory.mktemp("models")
    assert shared_core.register(NAME, scale(folder / "echo.onnx", 2.0)).status_code == 200
    graph = identity(folder / "all.onnx", {name.lower(): d for name, d in DTYPES.items()})
    assert shared_core.register("ns/all", graph).status_code == 200
    return shared_core


@pytest.fixture(scope="module")
def client(served):
    with triton.InferenceServerClient(f"127.0.0.1:{served.port}") as client:
        yield client


def vector(array, binary=True):
    """The input `x`."""
    tensor = triton.InferInput("x", list(array.shape), "FP32")
    return [tensor.set_data_from_numpy(array, binary_data=binary)]


def sample(datatype):
    """Two by three elements, the ends of the range among them."""
    if datatype == "BYTES":
        return np.array([[b"", b"a", "é".encode()], [b"\0\1", b'"', b"x" * 300]], dtype=object)
    if datatype == "BOOL":
        return np.array([[True, False, True], [False, False, True]])
    dtype = np.dtype(triton_numpy(datatype))
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return np.array([[limits.min, limits.max, 0], [1, 2, 3]], dtype)


def triton_numpy(datatype):
    """numpy's name of a number's datatype."""
    return datatype.lower().replace("fp", "float") if "FP" in datatype else datatype.lower()


@pytest.mark.smoke
def test_health_and_metadata(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(NAME)
    assert client.is_model_ready(NAME, "v1")
    assert not client.is_model_ready(NAME, "v2")
    assert not client.is_model_ready("hf/none")
    server = client.get_server_metadata()
    assert server["name"] == "mlos-core"
    assert {"binary_tensor_data", "model_repository", "statistics"} <= set(server["extensions"])
    metadata = client.get_model_metadata(NAME)
    assert metadata == {
        "name": NAME, "versions": ["v1"], "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1]}],
    }  # fmt: skip
    config = client.get_model_config(NAME, "v1")
    assert (config["name"], config["max_batch_size"]) == (NAME, 0)
    assert config["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [-1]}]


# The id as it stands (the client leaves slashes as they are), without its version, and what one
# can type where a slash cannot be.
@pytest.mark.parametrize(
    "name", [NAME, "hf/oip-test/echo", "hf--oip-test--echo@v1", "hf--oip-test--echo"]
)
def test_names(client, name):
    result = client.infer(name, vector(np.ones(3, np.float32)))
    assert result.get_response()["model_name"] == NAME
    assert client.infer(name, vector(np.ones(3, np.float32)), model_version="v1") is not None
    assert client.get_model_metadata(name)["name"] == NAME


def test_a_name_of_several_models_is_refused(core, tmp_path):
    for version, factor in {"v1": 2.0, "v2": 3.0}.items():
        graph = scale(tmp_path / f"{version}.onnx", factor)
        assert core.register(f"ns/m@{version}", graph).status_code == 200
    with triton.InferenceServerClient(f"127.0.0.1:{core.port}") as client:
        with pytest.raises(InferenceServerException, match="ns/m@v1, ns/m@v2") as refused:
            client.infer("ns/m", vector(np.ones(1, np.float32)))
        assert refused.value.status() == "404"
        for version, factor in {"v1": 2.0, "v2": 3.0}.items():
            for name, wanted in ((f"ns/m@{version}", ""), ("ns--m", version)):
                result = client.infer(name, vector(np.ones(1, np.float32)), wanted)
                assert result.as_numpy("y") == [factor]


@pytest.mark.parametrize("binary_output", [True, False])
@pytest.mark.parametrize(
    ("datatype", "binary_input"),
    [(name, True) for name in DTYPES] + [(name, False) for name in DTYPES if name != "FP16"],
    # tritonclient sends no FP16 as JSON; test_onnx_node does.
)
def test_every_datatype(client, datatype, binary_input, binary_output):
    inputs, expected = [], {}
    for name in DTYPES:
        # Only the one asked about takes the way under test.
        array = sample(name)
        if not (binary_input and binary_output) and name == "BYTES":
            array = np.array([[b"", b"a", "é".encode()]], dtype=object)
        tensor = triton.InferInput(name.lower(), list(array.shape), name)
        as_binary = binary_input if name == datatype else True
        inputs.append(tensor.set_data_from_numpy(array, binary_data=as_binary))
        expected[name] = array
    wanted = triton.InferRequestedOutput(f"{datatype.lower()}_out", binary_data=binary_output)
    result = client.infer("ns/all", inputs, outputs=[wanted], request_id="7")
    response = result.get_response()
    assert response["id"] == "7"
    assert [output["name"] for output in response["outputs"]] == [f"{datatype.lower()}_out"]
    assert ("data" in response["outputs"][0]) == (not binary_output)
    if datatype == "FP16" and not binary_output:
        actual = np.array(response["outputs"][0]["data"], np.float16).reshape(2, 3)
    else:
        actual = result.as_numpy(f"{datatype.lower()}_out")
    if datatype == "BYTES" and not binary_output:
        assert [item.decode() for item in expected[datatype].ravel()] == actual.ravel().tolist()
        return
    assert actual.dtype == expected[datatype].dtype
    assert actual.tolist() == expected[datatype].tolist()


@pytest.mark.parametrize("request_coding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_coding", [None, "gzip", "deflate"])
def test_compression(client, request_coding, response_coding):
    array = np.arange(5000, dtype=np.float32)
    for binary in (True, False):
        result = client.infer(
            NAME, vector(array, binary),
            outputs=[triton.InferRequestedOutput("y", binary_data=binary)],
            request_compression_algorithm=request_coding,
            response_compression_algorithm=response_coding,
        )  # fmt: skip
        np.testing.assert_array_equal(result.as_numpy("y"), array * 2)


def test_a_compressed_reply_says_so(served):
    body = {"inputs": [{"name": "x", "shape": [999], "datatype": "FP32", "data": [1] * 999}]}
    path = "/v2/models/hf--oip-test--echo/infer"
    codings = {"gzip": "gzip", "deflate;q=0.5, gzip;q=0": "deflate", "br": None}
    for accept, coding in codings.items():
        reply = served.post(path, json=body, headers={"Accept-Encoding": accept})
        assert reply.headers.get("Content-Encoding") == coding
        assert reply.json()["outputs"][0]["data"] == [2] * 999


def test_repository_and_statistics(core, tmp_path):
    assert core.register("ns/a@1", scale(tmp_path / "a.onnx", 2.0)).status_code == 200
    assert core.register("ns/b@1", scale(tmp_path / "b.onnx", 3.0)).status_code == 200
    with triton.InferenceServerClient(f"127.0.0.1:{core.port}") as client:
        for _ in range(3):
            client.infer("ns/a@1", vector(np.ones(2, np.float32)))
        with pytest.raises(InferenceServerException):
            client.infer("ns/a@1", vector(np.ones((1, 2), np.float32)))
        client.unload_model("ns/b@1")
        index = client.get_model_repository_index()
        ready = {"name": "ns/a@1", "version": "1", "state": "READY", "reason": ""}
        assert index == [
            ready,
            {"name": "ns/b@1", "version": "1", "state": "UNAVAILABLE", "reason": "unloaded"},
        ]
        assert core.post("/v2/repository/index", json={"ready": True}).json() == [ready]
        assert not client.is_model_ready("ns/b@1")
        client.load_model("ns--b")
        assert client.is_model_ready("ns/b@1")
        with pytest.raises(InferenceServerException, match="register the model anew") as refused:
            client.load_model("ns/b@1", config='{"max_batch_size": 8}')
        assert refused.value.status() == "501"

        one = client.get_inference_statistics("ns/a@1")["model_stats"]
        both = client.get_inference_statistics()["model_stats"]
        assert [item["name"] for item in both] == ["ns/a@1", "ns/b@1"]
        stats = one[0]
        assert (stats["name"], stats["version"]) == ("ns/a@1", "1")
        # As Triton counts: items of the batch axis, and runs.
        assert (stats["inference_count"], stats["execution_count"]) == (6, 3)
        (batch,) = stats["batch_stats"]
        assert (batch["batch_size"], batch["compute_infer"]["count"]) == (2, 3)
        assert stats["last_inference"] > 1_600_000_000_000
        durations = stats["inference_stats"]
        assert durations["success"]["count"] == durations["compute_infer"]["count"] == 3
        assert durations["fail"]["count"] == 1
        parts = durations["queue"]["ns"] + durations["compute_infer"]["ns"]
        assert durations["success"]["ns"] == parts
        assert both[1]["last_inference"] == 0


def test_shared_memory_is_refused(client):
    for call in (
        lambda: client.register_system_shared_memory("r", "/r", 64),
        lambda: client.register_cuda_shared_memory("r", b"x", 0, 64),
        client.get_system_shared_memory_status,
        client.get_cuda_shared_memory_status,
        lambda: client.unregister_system_shared_memory("r"),
        client.unregister_cuda_shared_memory,
    ):
        with pytest.raises(InferenceServerException, match="not offered over") as refused:
            call()
        assert refused.value.status() == "501"
    tensor = triton.InferInput("x", [2], "FP32")
    tensor.set_shared_memory("r", 8)
    with pytest.raises(InferenceServerException, match="not offered over the network"):
        client.infer(NAME, [tensor])
