# SPDX-License-Identifier: MIT
"""ONNX's own node tests through Core: every case that ONNX Runtime runs in Python gives the same
bits through each door that can carry its types. A model is registered once and asked through all of
them."""

from __future__ import annotations

import ctypes
import hashlib
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.model import TestCase
from onnx.backend.test.case.node import collect_testcases
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support import oip, paths
from tests.support.ipc import Client, MlosError
from tests.support.open_core import OpenCore
from tests.support.tensors import BFLOAT16, from_reply, is_float, to_json

pytestmark = pytest.mark.release_only

SHARDS = 4

# What every door carries, as ONNX calls it.
CARRIED = {
    "float16", "bfloat16", "float", "double", "bool", "string", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64",
}  # fmt: skip
PAGE = paths.ROOT / "docs/API-REFERENCE.md"


@dataclass
class Doors:
    """Core and a connection to each of its doors."""

    core: OpenCore
    grpc: service_pb2_grpc.GRPCInferenceServiceStub
    ipc: Client


Arrays = dict[str, np.ndarray]


def ask_core(doors: Doors, name: str, inputs: Arrays) -> Arrays:
    """POST /models/{id}/inference."""
    body = {
        key: {"shape": list(array.shape), "data": to_json(array.ravel())}
        for key, array in inputs.items()
    }
    reply = doors.core.post(doors.core.model_path(name, "inference"), json=body)
    assert reply.status_code == 200, f"{name}: {reply.text[:500]}"
    return from_reply(reply.json())


def ask_oip(doors: Doors, name: str, inputs: Arrays) -> Arrays:
    """POST /v2/models/{id}/infer, numbers and text in JSON."""
    reply = doors.core.post(f"/v2/models/{name}/infer", data=oip.json_body(inputs))
    assert reply.status_code == 200, f"{name}: {reply.text[:500]}"
    return oip.from_reply(reply.content, reply.headers.get(oip.LENGTH))


def ask_oip_binary(doors: Doors, name: str, inputs: Arrays) -> Arrays:
    """The same in binary, both ways."""
    body, headers = oip.binary_body(inputs)
    reply = doors.core.post(f"/v2/models/{name}/infer", data=body, headers=headers)
    assert reply.status_code == 200, f"{name}: {reply.content[:500]}"
    return oip.from_reply(reply.content, reply.headers.get(oip.LENGTH))


def ask_grpc_raw(doors: Doors, name: str, inputs: Arrays) -> Arrays:
    """ModelInfer with raw_input_contents."""
    tensors = [
        pb.ModelInferRequest.InferInputTensor(
            name=key, datatype=oip.datatype(array), shape=array.shape
        )
        for key, array in inputs.items()
    ]
    raw = [oip.to_bytes(array) for array in inputs.values()]
    request = pb.ModelInferRequest(model_name=name, inputs=tensors, raw_input_contents=raw)
    reply = doors.grpc.ModelInfer(request, timeout=60)
    return {
        output.name: oip.from_bytes(content, output.datatype).reshape(output.shape)
        for output, content in zip(reply.outputs, reply.raw_output_contents, strict=True)
    }


def ask_ipc(doors: Doors, name: str, inputs: Arrays) -> Arrays:
    """An INFER frame."""
    return doors.ipc.infer(name, inputs).outputs


@dataclass(frozen=True)
class Way:
    """One way to ask."""

    ask: Callable[[Doors, str, Arrays], Arrays]
    # Text has only one NaN.
    any_nan: bool = False


WAYS = {
    "JSON": Way(ask_core, any_nan=True),
    "OIP JSON": Way(ask_oip, any_nan=True),
    "OIP binary": Way(ask_oip_binary),
    "gRPC raw": Way(ask_grpc_raw),
    "IPC": Way(ask_ipc),
}


def types(values: list) -> set[str]:
    """The types of a graph's inputs or outputs: of tensors the element's, as ONNX calls it."""
    kinds = {value.type.WhichOneof("value"): value.type for value in values}
    tensors = [v.type.tensor_type for v in values if v.type.WhichOneof("value") == "tensor_type"]
    names = {TensorProto.DataType.Name(tensor.elem_type).lower() for tensor in tensors}
    return names | {kind.removesuffix("_type") for kind in kinds if kind != "tensor_type"}


def documented() -> set[str]:
    """The types that ONNX Runtime runs and Core refuses, as the page lists them."""
    (row,) = re.findall(r"\(`UNSUPPORTED_MODEL`\): (.*?)\.", PAGE.read_text(), re.DOTALL)
    return set(re.findall(r"`(\w+)`", row))


def is_text(array: np.ndarray) -> bool:
    """Whether a tensor holds strings."""
    return array.dtype.kind in "OUS" and all(isinstance(item, str) for item in array.ravel())


def same_bits(actual: np.ndarray, expected: np.ndarray, any_nan: bool = False) -> bool:
    """Equal shape, dtype and bits; with `any_nan`, any NaN equals any NaN."""
    if actual.shape != expected.shape:
        return False
    if is_text(expected):
        return actual.astype(object).tolist() == expected.astype(object).tolist()
    if actual.dtype != expected.dtype:
        return False
    if not is_float(expected.dtype) or not any_nan or not actual.size:
        return actual.tobytes() == expected.tobytes()
    unsigned = np.dtype(f"u{expected.dtype.itemsize}")
    equal = actual.view(unsigned) == expected.view(unsigned)
    return bool(np.all(equal | (np.isnan(actual) & np.isnan(expected))))


def to_ort(array: np.ndarray, element: int) -> onnxruntime.OrtValue:
    """A value for ONNX Runtime, also of a type that its Python does not know."""
    array = np.array(array, order="C")
    if array.dtype.isbuiltin == 1:  # 2 is a type that another package has added
        return onnxruntime.OrtValue.ortvalue_from_numpy(array)
    bits = array.view(f"u{array.dtype.itemsize}")
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, element)


def from_ort(value: onnxruntime.OrtValue) -> np.ndarray | None:
    """What ONNX Runtime gave; None for a type that nothing here compares."""
    if value.data_type() != "tensor(bfloat16)":
        known = value.data_type()[len("tensor(") : -1] in CARRIED
        return value.numpy() if known else None
    shape = value.shape()
    data = ctypes.string_at(value.data_ptr(), int(np.prod(shape)) * BFLOAT16.itemsize)
    return np.frombuffer(data, BFLOAT16).reshape(shape)


def run_reference(case: TestCase, inputs: list[object]) -> list[object] | None:
    """ONNX Runtime's outputs, or None where it refuses the case."""
    values = case.model.graph.input
    kinds = types([*values, *case.model.graph.output])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            case.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        names = [value.name for value in session.get_inputs()]
        if kinds & {"sequence", "optional"} or kinds <= CARRIED - {"bfloat16"}:
            return session.run(None, dict(zip(names, inputs, strict=False)))
        elements = [value.type.tensor_type.elem_type for value in values]
        given = {n: to_ort(*x) for n, *x in zip(names, inputs, elements, strict=False)}
        return [from_ort(value) for value in session.run_with_ort_values(None, given)]
    except Exception:  # noqa: BLE001  whatever it refuses is not a case it runs
        return None


def compare(case: TestCase, doors: Doors, inputs: list, expected: list) -> list[str]:
    """Asks a registered case in every way; the ways that gave the same bits. AssertionError where
    Core differs."""
    names = [value.name for value in case.model.graph.input]
    given = dict(zip(names, map(np.asarray, inputs), strict=False))
    equal = []
    for title, way in WAYS.items():
        actual = way.ask(doors, case.name, given)
        for value, wanted in zip(case.model.graph.output, expected, strict=True):
            same = same_bits(actual[value.name], wanted, way.any_nan)
            assert same, f"{case.name}: output {value.name} differs through {title}"
        equal.append(f"equal through {title}")
    return equal


def outcomes(case: TestCase, doors: Doors, folder: Path) -> list[str]:
    """What became of a case: where it was equal, or why it was left out."""
    inputs = [numpy_helper.to_array(value) if isinstance(value, TensorProto) else value
              for value in case.data_sets[0][0]]  # fmt: skip
    foreign = types([*case.model.graph.input, *case.model.graph.output]) - CARRIED
    expected, again = run_reference(case, inputs), run_reference(case, inputs)
    if expected is None:
        return [", ".join(["not run by ONNX Runtime in Python", *sorted(foreign)])]
    graph = folder / f"{case.name}.onnx"
    graph.write_bytes(case.model.SerializeToString())
    if foreign:
        assert foreign <= documented(), f"{case.name}: {PAGE.name} does not list {foreign}"
        with pytest.raises(MlosError) as refused:
            doors.ipc.register_model(case.name, graph)
        assert refused.value.reason == "UNSUPPORTED_MODEL", refused.value
        return [", ".join(["refused for a type that Core does not carry", *sorted(foreign)])]
    if not all(map(same_bits, again, expected)):
        return ["random"]
    doors.ipc.register_model(case.name, graph)
    equal = compare(case, doors, inputs, expected)
    doors.ipc.remove_model(case.name)
    graph.unlink()
    return equal


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    """Core with one thread for a run, as the reference has."""
    core = OpenCore(tmp_path / "core", "--intra-op-threads", "1").start()
    with grpc.insecure_channel(core.grpc_address) as channel, Client(str(core.socket)) as ipc:
        yield Doors(core, service_pb2_grpc.GRPCInferenceServiceStub(channel), ipc)
    core.stop()


def in_shard(case: TestCase, shard: int) -> bool:
    """Spreads the cases evenly, the same way on every machine."""
    return int(hashlib.sha256(case.name.encode()).hexdigest(), 16) % SHARDS == shard


@pytest.mark.limit(600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_case_that_onnx_runtime_runs(shard, doors, tmp_path, record_property):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [case for case in collect_testcases() if in_shard(case, shard)]
    counts: Counter[str] = Counter()
    differences = []
    for case in cases:
        try:
            counts.update(outcomes(case, doors, tmp_path))
        except Exception as error:  # noqa: BLE001  each is named at the end
            differences.append(f"{case.name}: {error}")
    for what, count in counts.items():
        record_property(f"ONNX node tests, {what}", count)
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(differences[:40])
    assert all(counts[f"equal through {title}"] > 300 for title in WAYS), counts
