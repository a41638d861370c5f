# SPDX-License-Identifier: MIT
"""The same calls to Core and to the real Triton over gRPC: the same answers, or a difference that
docs/OPEN-INFERENCE-PROTOCOL.md has in its tables."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass

import grpc
import numpy as np
import pytest
from google.protobuf.json_format import MessageToDict
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support import oip
from tests.support.grpc_core import GrpcCore
from tests.support.triton import Triton
from tests.support.triton.differential import (
    NUMBERS,
    ONNX_TYPES,
    add_models,
    documented_statuses,
    matrix,
    undocumented,
)

Input = pb.ModelInferRequest.InferInputTensor
Output = pb.ModelInferRequest.InferRequestedOutputTensor
TWO = np.array([1, 2], np.float32)
CONTENTS = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents",
    "INT32": "int_contents", "INT64": "int64_contents", "UINT8": "uint_contents",
    "UINT16": "uint_contents", "UINT32": "uint_contents", "UINT64": "uint64_contents",
    "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One call, made to both."""

    what: str
    method: str
    message: object


@dataclass(frozen=True)
class Answer:
    code: str
    message: object
    details: str


def raw(model: str, tensors: dict[str, np.ndarray], **members: object) -> pb.ModelInferRequest:
    inputs = [Input(name=name, datatype=oip.datatype(array), shape=array.shape)
              for name, array in tensors.items()]  # fmt: skip
    contents = [oip.to_bytes(array) for array in tensors.values()]
    return pb.ModelInferRequest(
        model_name=model, inputs=inputs, raw_input_contents=contents, **members
    )


def typed(datatype: str, array: np.ndarray) -> pb.ModelInferRequest:
    tensor = Input(name="x", datatype=datatype, shape=array.shape)
    values = array.ravel().tolist()
    values = [text.encode() for text in values] if datatype == "BYTES" else values
    getattr(tensor.contents, CONTENTS[datatype]).extend(values)
    return pb.ModelInferRequest(model_name=f"same_{datatype}", inputs=[tensor])


def good_calls():
    """Raw and typed contents of every datatype, and every choice of outputs."""
    for name, rows in itertools.product(ONNX_TYPES, (0, 1, 3)):
        array = matrix(name, rows)
        for version in ("", "1"):
            request = raw(f"same_{name}", {"x": array}, model_version=version, id="i")
            yield Call(f"raw {name} {rows} of version '{version}'", "ModelInfer", request)
        if name in CONTENTS and rows:
            yield Call(f"typed {name} {rows}", "ModelInfer", typed(name, array))
    both = {"t": np.array(["a", "b"], dtype=object), "x": np.ones(3, np.float32)}
    for names in ([], ["t_out"], ["x_out"], ["t_out", "x_out"], ["x_out", "t_out"]):
        outputs = [Output(name=name) for name in names]
        yield Call(f"two {names}", "ModelInfer", raw("two", both, outputs=outputs, id="7"))
    yield Call("inputs the other way", "ModelInfer", raw("two", dict(reversed(both.items()))))


def changed(change) -> pb.ModelInferRequest:
    """A good request after `change`."""
    request = raw("scale", {"x": TWO})
    change(request)
    return request


def put(**members: object):
    """Changes members of the input."""

    def change(request: pb.ModelInferRequest) -> None:
        for name, value in members.items():
            if name == "shape":
                del request.inputs[0].shape[:]
                request.inputs[0].shape.extend(value)
            else:
                setattr(request.inputs[0], name, value)

    return change


def parameter(name: str, where: str = "request", **choice: object):
    def change(request: pb.ModelInferRequest) -> None:
        at = {"request": request, "input": request.inputs[0]}.get(where)
        if at is None:
            at = request.outputs.add(name="y")
        at.parameters[name].CopyFrom(pb.InferParameter(**choice))

    return change


def contents(*pieces: bytes):
    def change(request: pb.ModelInferRequest) -> None:
        del request.raw_input_contents[:]
        request.raw_input_contents.extend(pieces)

    return change


CHANGES = {
    "no name": put(name=""), "another name": put(name="z"),
    "no datatype": put(datatype=""), "datatype FP31": put(datatype="FP31"),
    "datatype INT32": put(datatype="INT32"), "datatype BYTES": put(datatype="BYTES"),
    "datatype fp32": put(datatype="fp32"),
    "no shape": put(shape=[]), "shape [1]": put(shape=[1]), "shape [3]": put(shape=[3]),
    "shape [1, 2]": put(shape=[1, 2]), "shape [-1]": put(shape=[-1]),
    "shape [-2, -1]": put(shape=[-2, -1]), "shape [0]": put(shape=[0]),
    "shape that overflows": put(shape=[2**32, 2**32]), "shape [2^62]": put(shape=[2**62]),
    "no contents": contents(), "7 bytes": contents(bytes(7)), "9 bytes": contents(bytes(9)),
    "contents of two": contents(bytes(8), bytes(8)), "empty contents": contents(b""),
    "no input": lambda r: (r.inputs.pop(), contents()(r)),
    "an input twice": lambda r: (r.inputs.append(r.inputs[0]), contents(bytes(8), bytes(8))(r)),
    "raw and typed": lambda r: r.inputs[0].contents.fp32_contents.extend([1, 2]),
    "typed of another type": lambda r: (
        contents()(r), r.inputs[0].contents.int_contents.extend([1, 2])),
    "typed of two types": lambda r: (
        contents()(r), r.inputs[0].contents.int_contents.extend([1, 2]),
        r.inputs[0].contents.fp32_contents.extend([1, 2])),
    "typed, one too few": lambda r: (
        contents()(r), r.inputs[0].contents.fp32_contents.extend([1])),
    "typed, one too many": lambda r: (
        contents()(r), r.inputs[0].contents.fp32_contents.extend([1, 2, 3])),
    "output that is not there": lambda r: r.outputs.add(name="z"),
    "output without name": lambda r: r.outputs.add(name=""),
    "output twice": lambda r: (r.outputs.add(name="y"), r.outputs.add(name="y")),
    "unknown model": lambda r: setattr(r, "model_name", "none"),
    "no model": lambda r: setattr(r, "model_name", ""),
    "version 9": lambda r: setattr(r, "model_version", "9"),
    "version x": lambda r: setattr(r, "model_version", "x"),
    "priority": parameter("priority", uint64_param=1),
    "own parameter": parameter("own", string_param="v"),
    "timeout": parameter("timeout", int64_param=10_000_000),
    "sequence": parameter("sequence_id", int64_param=1),
    "input in shared memory": lambda r: (
        contents()(r), parameter("shared_memory_region", "input", string_param="r")(r),
        parameter("shared_memory_byte_size", "input", int64_param=8)(r)),
    "output in shared memory": parameter("shared_memory_region", "output", string_param="r"),
    "classification": parameter("classification", "output", int64_param=1),
}  # fmt: skip


def bad_calls():
    for what, change in CHANGES.items():
        yield Call(what, "ModelInfer", changed(change))
    for name in NUMBERS:
        if name in CONTENTS and CONTENTS[name] in ("int_contents", "uint_contents"):
            tensor = Input(name="x", datatype=name, shape=[1, 2])
            getattr(tensor.contents, CONTENTS[name]).extend([1, 300])
            request = pb.ModelInferRequest(model_name=f"same_{name}", inputs=[tensor])
            yield Call(f"{name} of [1, 300]", "ModelInfer", request)
    text = Input(name="x", datatype="BYTES", shape=[1, 2])
    for what, piece in {"cut off": b"\1\0\0\0", "too long": b"\1\0\0\0a\0\0\0\0b",
                        "one too few": b"\1\0\0\0a", "no length": b"a"}.items():  # fmt: skip
        request = pb.ModelInferRequest(
            model_name="same_BYTES", inputs=[text], raw_input_contents=[piece]
        )
        yield Call(f"BYTES {what}", "ModelInfer", request)


def plain_calls():
    """Health, descriptions, statistics and the repository."""
    yield Call("live", "ServerLive", pb.ServerLiveRequest())
    yield Call("ready", "ServerReady", pb.ServerReadyRequest())
    yield Call("server metadata", "ServerMetadata", pb.ServerMetadataRequest())
    kinds = {"ModelReady": pb.ModelReadyRequest, "ModelMetadata": pb.ModelMetadataRequest,
             "ModelConfig": pb.ModelConfigRequest,
             "ModelStatistics": pb.ModelStatisticsRequest}  # fmt: skip
    for method, kind in kinds.items():
        for name, version in itertools.product(("scale", "two", "none"), ("", "1", "9", "x")):
            yield Call(f"{method} {name} '{version}'", method, kind(name=name, version=version))
    yield Call("index", "RepositoryIndex", pb.RepositoryIndexRequest())
    loading = pb.RepositoryModelLoadRequest(model_name="none")
    yield Call("load of none", "RepositoryModelLoad", loading)
    unloading = pb.RepositoryModelUnloadRequest(model_name="none")
    yield Call("unload of none", "RepositoryModelUnload", unloading)


CALLS = [*good_calls(), *bad_calls(), *plain_calls()]
DESCRIBED = {
    "ModelStatistics": "statistics over gRPC", "RepositoryIndex": "repository index over gRPC",
    "ModelConfig": "model configuration over gRPC", "ServerMetadata": "server metadata over gRPC",
}  # fmt: skip


def ask(address: str, calls: list[Call]) -> list[Answer]:
    answers = []
    with grpc.insecure_channel(address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for call in calls:
            try:
                message = getattr(stub, call.method)(call.message, timeout=60)
                answers.append(Answer("OK", message, ""))
            except grpc.RpcError as error:
                answers.append(Answer(error.code().name, None, error.details()))
    return answers


def as_document(message) -> dict:
    """A message with all its members, but for the name of a model's platform; outputs by name."""
    document = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    document.pop("platform", None)
    if "raw_output_contents" in document:
        raw = document.pop("raw_output_contents")
        pairs = zip(document["outputs"], raw, strict=True)
        document["outputs"] = {output["name"]: (output, data) for output, data in pairs}
    return document


def difference(call: Call, core: Answer, triton: Answer) -> str:
    """What is different in two answers of one status; empty where nothing is."""
    if core.code != "OK":
        return "" if core.details and triton.details else "a failure without a word"
    ours, theirs = as_document(core.message), as_document(triton.message)
    if call.method in DESCRIBED:
        told = undocumented(DESCRIBED[call.method], ours, theirs)
        return f"{sorted(told)}" if told else ""
    return "" if ours == theirs else f"{ours} is not {theirs}"


@pytest.mark.deep
@pytest.mark.limit(600)
def test_core_answers_as_triton_does_or_as_the_page_says(tmp_path):
    triton = Triton(tmp_path / "triton")
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    core = GrpcCore(tmp_path / "core").start()
    add_models(core, triton, graphs)
    triton.start()
    try:
        asked = list(zip(CALLS, ask(core.grpc_address, CALLS), ask(triton.grpc_address, CALLS),
                         strict=True))  # fmt: skip
    finally:
        triton.stop()
    assert core.stop() == 0
    assert len(asked) >= 200
    same = [(call.what, difference(call, c, t)) for call, c, t in asked if c.code == t.code]
    assert not [pair for pair in same if pair[1]]
    seen = Counter((t.code, c.code) for _, c, t in asked if c.code != t.code)
    assert set(seen) == documented_statuses("[A-Z_]{2,}"), seen
