# SPDX-License-Identifier: MIT
"""The Open Inference Protocol over gRPC, driven by Triton's own clients."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from onnx import helper
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from tests.support.graphs import identity, model, scale, value
from tests.support.grpc_core import GrpcCore

DTYPES = [
    "float32", "float64", "float16", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "bool",
]  # fmt: skip
# The field of InferTensorContents and the datatype, where there is one.
CONTENTS = {
    "bool": ("bool_contents", "BOOL"), "int8": ("int_contents", "INT8"),
    "int16": ("int_contents", "INT16"), "int32": ("int_contents", "INT32"),
    "int64": ("int64_contents", "INT64"), "uint8": ("uint_contents", "UINT8"),
    "uint16": ("uint_contents", "UINT16"), "uint32": ("uint_contents", "UINT32"),
    "uint64": ("uint64_contents", "UINT64"), "float32": ("fp32_contents", "FP32"),
    "float64": ("fp64_contents", "FP64"),
}  # fmt: skip
SCALE = "t/scale@1"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcCore]:
    """Core with `t/scale@1` (y = 2x) and one identity model for each dtype."""
    folder = tmp_path_factory.mktemp("grpc")
    core = GrpcCore(folder).start()
    assert core.register(SCALE, scale(folder / "scale.onnx", 2.0)).status_code == 200
    for dtype in [*DTYPES, "string"]:
        numpy_dtype = np.dtype("object" if dtype == "string" else dtype)
        graph = identity(
            folder / f"{dtype}.onnx", helper.np_dtype_to_tensor_dtype(numpy_dtype)
        )
        assert core.register(f"t/{dtype}@1", graph).status_code == 200
    yield core
    assert core.stop() == 0


@pytest.fixture
def client(core: GrpcCore) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(core.grpc_address) as client:
        yield client


@pytest.fixture
def stub(core: GrpcCore) -> Iterator[service_pb2_grpc.GRPCInferenceServiceStub]:
    with grpc.insecure_channel(core.grpc_address) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def infer_input(array: np.ndarray, name: str = "x") -> triton.InferInput:
    made = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    made.set_data_from_numpy(array)
    return made


def example(dtype: str) -> np.ndarray:
    if dtype == "string":
        return np.array([[b"", b"a"], ["ä€".encode(), b"\0\xff"]], dtype=object)
    if dtype == "bool":
        return np.array([[True, False], [False, True]])
    if dtype.startswith("float"):
        return np.array([[0.1, -0.0], [np.inf, np.nan]], dtype=dtype)
    limits = np.iinfo(dtype)
    return np.array([[limits.min, limits.max], [1, 0]], dtype=dtype)


def test_the_server_and_its_models_are_described(client: triton.InferenceServerClient):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(SCALE) and client.is_model_ready(SCALE, "1")
    assert client.is_model_ready("t/scale", "1")
    assert not client.is_model_ready("t/other@1")
    assert client.get_server_metadata().name == "mlos-core"
    described = client.get_model_metadata(SCALE)
    assert [(i.name, i.datatype, list(i.shape)) for i in described.inputs] == [("x", "FP32", [-1])]
    assert [(o.name, o.datatype) for o in described.outputs] == [("y", "FP32")]


# What HTTP finds a model by (oip/test_client.py), with and without its version.
NAMES = [(SCALE, ""), (SCALE, "1"), ("t/scale", ""), ("t/scale", "1"), ("t--scale@1", "1"),
         ("t--scale", "1"), ("plain", ""), ("plain", "1")]  # fmt: skip


def test_a_model_is_found_by_each_of_its_names(core, client, tmp_path):
    assert core.register("plain", scale(tmp_path / "plain.onnx", 2.0)).status_code == 200
    for name, version in NAMES:
        assert client.is_model_ready(name, version), (name, version)
        assert client.get_model_metadata(name, version).versions == ["1"]
        reply = client.infer(name, [infer_input(np.ones(2, np.float32))], version)
        assert reply.as_numpy("y").tolist() == [2, 2]
        (stats,) = client.get_inference_statistics(name, version).model_stats
        assert stats.version == "1"
    for name, version in [("plain", "2"), (SCALE, "2"), ("t/scale", "2"), ("none", "1")]:
        assert not client.is_model_ready(name, version)
        with pytest.raises(InferenceServerException, match="NOT_FOUND"):
            client.infer(name, [infer_input(np.ones(2, np.float32))], version)
    client.unload_model("t--scale")
    assert not client.is_model_ready(SCALE)
    client.load_model("t/scale")
    assert client.is_model_ready(SCALE)
    assert core.delete("/models/plain").status_code == 200


@pytest.mark.parametrize("dtype", [*DTYPES, "string"])
def test_raw_tensors_come_back_bit_for_bit(client: triton.InferenceServerClient, dtype: str):
    array = example(dtype)
    reply = client.infer(f"t/{dtype}@1", [infer_input(array)], request_id="7")
    came = reply.as_numpy("y")
    assert reply.get_response().id == "7"
    assert came.shape == array.shape
    if dtype == "string":
        assert came.tolist() == array.tolist()
    else:
        assert came.dtype == array.dtype and came.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", [*CONTENTS, "string"])
def test_typed_contents_come_back_bit_for_bit(stub, dtype: str):
    array = example(dtype)
    field, datatype = CONTENTS.get(dtype, ("bytes_contents", "BYTES"))
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype=datatype, shape=array.shape)
    getattr(tensor.contents, field).extend(array.ravel().tolist())
    reply = stub.ModelInfer(pb.ModelInferRequest(model_name=f"t/{dtype}@1", inputs=[tensor]))
    if dtype == "string":
        expected = b"".join(len(e).to_bytes(4, "little") + e for e in array.ravel())
    else:
        expected = array.tobytes()
    assert reply.raw_output_contents[0] == expected


def request(shape=(2,), datatype="FP32", raw=b"\0" * 8, name="x", model=SCALE, **fields):
    tensor = pb.ModelInferRequest.InferInputTensor(name=name, datatype=datatype, shape=shape)
    made = pb.ModelInferRequest(model_name=model, inputs=[tensor], **fields)
    if raw is not None:
        made.raw_input_contents.append(raw)
    return made


def with_contents(datatype: str, model: str = SCALE, raw: bytes | None = None, **contents):
    shape = (1,) if model == SCALE else (1, 1)
    made = request(datatype=datatype, raw=raw, model=model, shape=shape)
    made.inputs[0].contents.MergeFrom(pb.InferTensorContents(**contents))
    return made


def with_parameter(where: str, name: str, value: int | str = 1):
    made = request()
    if where == "output":
        made.outputs.add(name="y").parameters[name].int64_param = 1
    elif where == "input":
        made.inputs[0].parameters[name].string_param = "region"
    elif isinstance(value, str):
        made.parameters[name].string_param = value
    else:
        made.parameters[name].int64_param = value
    return made


INVALID = grpc.StatusCode.INVALID_ARGUMENT
REFUSALS = {
    "too many dimensions": (request(shape=[1] * 100_000), INVALID, "SHAPE_MISMATCH", "x"),
    "no datatype": (request(datatype="float"), INVALID, "INVALID_FIELD", "x"),
    "more raw than inputs": (
        pb.ModelInferRequest(
            model_name=SCALE, inputs=request().inputs, raw_input_contents=[b"\0" * 8] * 2
        ),
        INVALID, "INVALID_FIELD", "raw_input_contents",
    ),
    "contents and raw": (
        with_contents("FP32", raw=b"\0" * 4, fp32_contents=[1]), INVALID, "INVALID_FIELD", "x",
    ),
    "contents of another type": (
        with_contents("FP32", int_contents=[1]), INVALID, "SHAPE_MISMATCH", "x",
    ),
    "contents of two types": (
        with_contents("FP32", fp32_contents=[1], int_contents=[1]), INVALID, "INVALID_FIELD", "x",
    ),
    "value out of range": (
        with_contents("INT8", model="t/int8@1", int_contents=[128]),
        INVALID, "VALUE_OUT_OF_RANGE", "x",
    ),
    "half floats as contents": (
        with_contents("FP16", model="t/float16@1", fp32_contents=[1]),
        INVALID, "INVALID_FIELD", "x",
    ),
    "cut string": (
        request(shape=(1, 1), datatype="BYTES", raw=b"\4\0\0\0abc", model="t/string@1"),
        INVALID, "MALFORMED_REQUEST", "x",
    ),
    "other version": (
        request(model_version="9"), grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND", "model_version",
    ),
    "shared memory": (
        with_parameter("input", "shared_memory_region"),
        grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED", "inputs.parameters.shared_memory_region",
    ),
    "shared memory for outputs": (
        with_parameter("output", "shared_memory_region"),
        grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED", "outputs.parameters.shared_memory_region",
    ),
    "a flag that is none": (
        with_parameter("request", "sequence_start"),
        INVALID, "INVALID_FIELD", "parameters.sequence_start",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_wrong_is_refused_and_named(stub, case: str):
    message, code, reason, field = REFUSALS[case]
    with pytest.raises(grpc.RpcError) as raised:
        stub.ModelInfer(message, timeout=20)
    trailers = dict(raised.value.trailing_metadata())
    assert raised.value.code() == code
    assert (trailers["mlos-reason"], trailers.get("mlos-field")) == (reason, field)
    assert 0 < len(raised.value.details()) < 500


def test_outputs_can_be_chosen_and_compressed(client: triton.InferenceServerClient):
    array = np.arange(100_000, dtype=np.float32)
    reply = client.infer(
        SCALE,
        [infer_input(array)],
        outputs=[triton.InferRequestedOutput("y")],
        compression_algorithm="gzip",
    )
    assert (reply.as_numpy("y") == array * 2).all()


def test_a_compression_that_is_not_offered_is_unimplemented(client: triton.InferenceServerClient):
    with pytest.raises(InferenceServerException) as raised:
        client.infer(SCALE, [infer_input(np.zeros(9, np.float32))], compression_algorithm="deflate")
    assert "UNIMPLEMENTED" in raised.value.status()


def test_models_are_listed_unloaded_and_loaded(client: triton.InferenceServerClient):
    name = "t/uint8@1"
    client.unload_model(name)
    assert not client.is_model_ready(name)
    states = {m.name: m.state for m in client.get_model_repository_index().models}
    assert states[name] == "UNAVAILABLE" and states[SCALE] == "READY"
    with pytest.raises(InferenceServerException) as raised:
        client.infer(name, [infer_input(example("uint8"))])
    assert "FAILED_PRECONDITION" in raised.value.status()
    client.load_model(name)
    assert client.is_model_ready(name)
    with pytest.raises(InferenceServerException):
        client.load_model("t/none@1")


def test_both_doors_say_the_same_of_a_model(core: GrpcCore, client, tmp_path: Path):
    """Metadata and statistics; also of a model whose outputs have no declared rank."""
    node = helper.make_node("Identity", ["x"], ["y"])
    ranks = model([node], [value("x", ["n"])], [value("y", ["n"])])
    ranks.graph.output[0].type.tensor_type.ClearField("shape")
    path = tmp_path / "ranks.onnx"
    path.write_bytes(ranks.SerializeToString())
    assert core.register("t/ranks@1", path).status_code == 200
    client.infer("t/ranks@1", [infer_input(np.ones(3, np.float32))])
    for name in ("t/ranks@1", SCALE):
        over_http = core.get(f"/v2/models/{quote(name, safe='')}").json()
        told = client.get_model_metadata(name, as_json=True)
        assert told["platform"] == over_http["platform"] == "onnxruntime_onnx"
        for side in ("inputs", "outputs"):
            shapes = [[int(size) for size in tensor["shape"]] for tensor in told[side]]
            assert shapes == [tensor["shape"] for tensor in over_http[side]]
        stats = core.get(f"/v2/models/{quote(name, safe='')}/stats").json()["model_stats"][0]
        told = client.get_inference_statistics(name).model_stats[0]
        assert told.last_inference == stats["last_inference"]
        for what, counted in stats["inference_stats"].items():
            duration = getattr(told.inference_stats, what)
            assert (duration.count, duration.ns) == (counted["count"], counted["ns"]), what
    assert client.get_inference_statistics("t/ranks@1").model_stats[0].last_inference > 0


def test_statistics_count_inferences(client: triton.InferenceServerClient):
    def count() -> tuple[int, int, int]:
        stats = client.get_inference_statistics("t/int64@1").model_stats[0]
        runs = sum(batch.compute_infer.count for batch in stats.batch_stats)
        assert stats.execution_count == runs
        return stats.inference_stats.success.count, runs, stats.inference_stats.fail.count

    before = count()
    client.infer("t/int64@1", [infer_input(example("int64"))])
    with pytest.raises(InferenceServerException):
        client.infer("t/int64@1", [infer_input(example("int32"))])
    assert count() == (before[0] + 1, before[1] + 1, before[2] + 1)
    assert len(client.get_inference_statistics().model_stats) >= len(DTYPES)


def test_what_is_not_offered_is_unimplemented(client: triton.InferenceServerClient):
    with pytest.raises(InferenceServerException) as raised:
        client.get_system_shared_memory_status()
    assert "UNIMPLEMENTED" in raised.value.status()


def test_a_stream_answers_in_order_and_survives_a_bad_request(core: GrpcCore):
    answers: queue.Queue = queue.Queue()
    with triton.InferenceServerClient(core.grpc_address) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))
        for i in range(50):
            name = "t/none@1" if i == 20 else SCALE
            client.async_stream_infer(
                name, [infer_input(np.full(3, i, np.float32))], request_id=str(i)
            )
        for i in range(50):
            result, error = answers.get(timeout=30)
            if i == 20:
                assert "t/none@1" in str(error)
            else:
                assert error is None and result.get_response().id == str(i)
                assert result.as_numpy("y").tolist() == [2.0 * i] * 3
        client.stop_stream()


def test_a_large_tensor_passes(core: GrpcCore):
    array = np.random.default_rng(1).random(2_500_000, dtype=np.float32)
    with grpc.insecure_channel(
        core.grpc_address,
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
    ) as channel:
        wide = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        reply = wide.ModelInfer(request(shape=(array.size,), raw=array.tobytes()))
        assert reply.raw_output_contents[0] == (array * 2).tobytes()
