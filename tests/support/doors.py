# SPDX-License-Identifier: MIT
"""Every door that runs models, asked in the same words: one request as plain data, and what each
door makes of it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

import grpc
import numpy as np
import pytest
import requests
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support import oip
from tests.support.ipc import Frame, MlosError, RawIpc, wire
from tests.support.open_core import OpenCore
from tests.support.protos import mlos_v1
from tests.support.tensors import to_json

inference_pb, inference_grpc = mlos_v1("inference")

# Numbers of dtypes over IPC.
_NUMBERS = {"float32": 1, "int32": 6, "int64": 7, "bool": 9, "float64": 11}
_WAIT_S = 60


@dataclass(frozen=True)
class Tensor:
    """An input whose shape, if it is given, need not be that of its values."""

    name: str
    values: np.ndarray
    said_shape: tuple[int, ...] | None = None
    # The bytes where they are no values of the dtype.
    said_bytes: bytes | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape if self.said_shape is None else self.said_shape

    @property
    def dtype(self) -> str:
        return self.values.dtype.name

    @property
    def datatype(self) -> str:
        return oip.datatype(self.values)

    @property
    def data(self) -> bytes:
        return self.values.tobytes() if self.said_bytes is None else self.said_bytes

    @property
    def numbers(self) -> list:
        """The elements for JSON."""
        return to_json(self.values.ravel()) if self.said_bytes is None else list(self.said_bytes)


@dataclass(frozen=True)
class Ask:
    """An inference. `timeout_ms` 0: as long as Core lets it run; `headers` are HTTP's, and
    `parameters` the Open Inference Protocol's."""

    model: str
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[str, ...] = ()
    timeout_ms: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, int | str] = field(default_factory=dict)


class Told(NamedTuple):
    """How a door answered: the name of its gRPC code, the reason, the field and what it says; all
    empty for a good answer. The code over HTTP is that of the body; `status` is the answer's."""

    code: str = ""
    reason: str = ""
    field: str = ""
    text: str = ""
    status: int = 0


GOOD = Told()


def ask_http(core: OpenCore, ask: Ask) -> Told:
    """POST /models/{id}/inference; each input once, with the shape it states."""
    inputs = [
        f'{json.dumps(t.name)}: {{"shape": {json.dumps(t.shape)}, "data": {json.dumps(t.numbers)}}}'
        for t in ask.inputs
    ]
    path = f"/models/{quote(ask.model, safe='')}/inference"
    reply = _post(core, path, f"{{{', '.join(inputs)}}}", ask)
    if reply.status_code == 200:
        return GOOD
    error = reply.json()
    assert error.keys() >= {"status", "code", "reason", "field", "message"}, error
    return Told(error["code"], error["reason"], error["field"], error["message"], reply.status_code)


def ask_oip_http(core: OpenCore, ask: Ask) -> Told:
    """POST /v2/models/{id}/infer."""
    inputs = [
        {"name": t.name, "shape": t.shape, "datatype": t.datatype, "data": t.numbers}
        for t in ask.inputs
    ]
    body: dict[str, object] = {"inputs": inputs}
    if ask.outputs:
        body["outputs"] = [{"name": name} for name in ask.outputs]
    if ask.parameters:
        body["parameters"] = ask.parameters
    path = f"/v2/models/{quote(ask.model, safe='')}/infer"
    reply = _post(core, path, json.dumps(body), ask)
    if reply.status_code == 200:
        return GOOD
    error = reply.json()
    assert set(error) == {"error", "code", "reason", "field"}, error
    return Told(error["code"], error["reason"], error["field"], error["error"], reply.status_code)


def ask_oip_grpc(core: OpenCore, ask: Ask) -> Told:
    """inference.GRPCInferenceService/ModelInfer, with raw contents. The parameter `timeout` is
    Core's to keep; a deadline of the call would be kept by the client's library."""
    message = pb.ModelInferRequest
    tensors = [
        message.InferInputTensor(name=t.name, datatype=t.datatype, shape=t.shape)
        for t in ask.inputs
    ]
    outputs = [message.InferRequestedOutputTensor(name=name) for name in ask.outputs]
    request = message(
        model_name=ask.model,
        inputs=tensors,
        outputs=outputs,
        raw_input_contents=[t.data for t in ask.inputs],
    )
    parameters = dict(ask.parameters)
    if ask.timeout_ms:
        parameters["timeout"] = ask.timeout_ms * 1000
    for name, said in parameters.items():
        kind = "string_param" if isinstance(said, str) else "int64_param"
        setattr(request.parameters[name], kind, said)
    return _call(core, service_pb2_grpc.GRPCInferenceServiceStub, "ModelInfer", request)


def ask_grpc(core: OpenCore, ask: Ask) -> Told:
    """mlos.v1.InferenceService/Infer."""
    tensors = [
        inference_pb.Tensor(name=t.name, dtype=t.dtype, shape=t.shape, data=t.data)
        for t in ask.inputs
    ]
    request = inference_pb.InferRequest(model_id=ask.model, inputs=tensors, outputs=ask.outputs)
    return _call(core, inference_grpc.InferenceServiceStub, "Infer", request, ask.timeout_ms)


def ask_ipc(core: OpenCore, ask: Ask) -> Told:
    """A frame INFER, with its data inside."""
    with RawIpc(core.socket, timeout_s=_WAIT_S) as raw:
        raw.send(wire.frame(Frame.INFER, 2, _ipc_body(ask)))
        kind, _, body = raw.answer()
    if kind == Frame.RESULT:
        return GOOD
    assert kind == Frame.ERROR
    error = MlosError.decode(memoryview(body))
    return Told(error.code, error.reason, error.field, str(error))


DOORS = {
    "http": ask_http,
    "oip-http": ask_oip_http,
    "grpc": ask_grpc,
    "oip-grpc": ask_oip_grpc,
    "ipc": ask_ipc,
}


Arrays = dict[str, np.ndarray]
# Core, a model, inputs, and the time that Core has for it: None for no limit.
Asking = Callable[[OpenCore, str, Arrays, "float | None"], str]


def outcome_at(ask: Callable[[OpenCore, Ask], Told]) -> Asking:
    """Asks at that door; "OK" or the reason of the failure."""

    def asking(core: OpenCore, model: str, inputs: Arrays, timeout_s: float | None = None) -> str:
        tensors = tuple(Tensor(name, array) for name, array in inputs.items())
        return ask(core, Ask(model, tensors, timeout_ms=int((timeout_s or 0) * 1e3))).reason or "OK"

    return asking


over_http, over_grpc, over_ipc = map(outcome_at, (ask_http, ask_oip_grpc, ask_ipc))
ASKING = pytest.mark.parametrize(
    "ask", [over_http, over_grpc, over_ipc], ids=["http", "grpc", "ipc"]
)


def _post(core: OpenCore, path: str, body: str, ask: Ask) -> requests.Response:
    headers = dict(ask.headers)
    if ask.timeout_ms:
        headers["X-Request-Timeout-Ms"] = str(ask.timeout_ms)
    return core.post(path, data=body, headers=headers, timeout=_WAIT_S)


def _call(core: OpenCore, stub: type, method: str, request: object, timeout_ms: int = 0) -> Told:
    timeout_s = timeout_ms / 1000 or _WAIT_S
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(core.grpc_address, options) as channel:
        try:
            getattr(stub(channel), method)(request, timeout=timeout_s)
        except grpc.RpcError as error:
            trailers = dict(error.trailing_metadata() or ())
            reason, name = trailers.get("mlos-reason", ""), trailers.get("mlos-field", "")
            assert name or "mlos-field" not in trailers
            return Told(error.code().name, reason, name, error.details())
    return GOOD


def _ipc_body(ask: Ask) -> bytes:
    """The request, its entries, and the data at aligned places behind them."""
    name = ask.model.encode()
    counts = (len(name), len(ask.inputs), len(ask.outputs), 0)
    head = wire.INFER.pack(*counts, ask.timeout_ms * 1000) + wire.text(name)
    entries_bytes = sum(len(_entry(t, 0)) for t in ask.inputs)
    outputs = b"".join(
        wire.ENTRY.pack(len(name.encode()), 0, 0, 0, 0, 0) + wire.text(name.encode())
        for name in ask.outputs
    )
    entries, data = b"", b""
    start = wire.padded(len(head) + entries_bytes + len(outputs), wire.TENSOR_ALIGNMENT)
    for tensor in ask.inputs:
        entries += _entry(tensor, start + len(data))
        data += tensor.data.ljust(wire.padded(len(tensor.data), wire.TENSOR_ALIGNMENT), b"\0")
    return (head + entries + outputs).ljust(start, b"\0") + data


def _entry(tensor: Tensor, offset: int) -> bytes:
    name, shape = tensor.name.encode(), tensor.shape
    number = _NUMBERS[tensor.dtype]
    head = wire.ENTRY.pack(len(name), number, len(shape), 0, offset, len(tensor.data))
    return head + struct.pack(f"<{len(shape)}q", *shape) + wire.text(name)
