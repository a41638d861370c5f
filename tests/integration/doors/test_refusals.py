# SPDX-License-Identifier: MIT
"""One refusal, the same at every door: its code, its reason and the field it is about. What only
one door can be asked is in the tests of that door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

import grpc
import numpy as np
import pytest
from onnx import TensorProto

from tests.support import paths
from tests.support.doors import DOORS, GOOD, Ask, Tensor, Told
from tests.support.graphs import identity, scale, slow
from tests.support.ipc import Frame, RawIpc, settled, wire
from tests.support.open_core import OpenCore
from tests.support.protos import mlos_v1

models_pb, models_grpc = mlos_v1("model")

ECHO = "ns/echo@v1"
SLOW = "ns/slow@v1"
IDLE = "ns/idle@v1"
FLAGS = "ns/flags@v1"
WIDE = "ns/wide@v1"
NONE = "ns/none@v1"
MIB = 1 << 20

# The gRPC code of a reason, which IPC and the bodies over HTTP name as well, and HTTP's status.
# INVALID_ARGUMENT and 400 for the others.
CODES = {
    "MODEL_NOT_FOUND": ("NOT_FOUND", 404),
    "FILE_NOT_FOUND": ("NOT_FOUND", 404),
    "MODEL_NOT_LOADED": ("FAILED_PRECONDITION", 409),
    "PAYLOAD_TOO_LARGE": ("RESOURCE_EXHAUSTED", 413),
    "DEADLINE_EXCEEDED": ("DEADLINE_EXCEEDED", 504),
}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenCore]:
    """Core with small limits, `echo` (y = 2x over a vector), `flags` (of bools), `wide` (of
    float64), `slow`, and `idle`, which is not loaded. Refusals leave nothing behind in it."""
    folder = tmp_path_factory.mktemp("refusals")
    limits = ["--body-bytes-max", "1MiB", "--in-flight-bytes-max", "2MiB"]
    core = OpenCore(folder / "core", *limits, "--compute-threads", "1").start()
    echo = scale(folder / "echo.onnx", 2.0)
    assert core.register(ECHO, echo).status_code == 200
    assert core.register(IDLE, echo, autoload=False).status_code == 200
    wide = identity(folder / "wide.onnx", TensorProto.DOUBLE)
    assert core.register(WIDE, wide).status_code == 200
    flags = identity(folder / "flags.onnx", TensorProto.BOOL)
    assert core.register(FLAGS, flags).status_code == 200
    assert core.register(SLOW, slow(folder / "slow.onnx", 100)).status_code == 200
    for ask in DOORS.values():
        assert ask(core, Ask(ECHO, (x(),))) == GOOD
    before = core.resources()
    yield core
    assert settled(core, before), f"before {before}, now {core.resources()}"
    if not paths.instrumented():
        assert core.resources().rss_bytes < before.rss_bytes + 32 * MIB
    assert core.stop() == 0


def x(values: object = (1, 2), dtype: str = "float32", **said: object) -> Tensor:
    return Tensor("x", np.array(values, dtype), **said)


class Case(NamedTuple):
    """A request and the reason and field of its refusal, which are the same at every door."""

    ask: Ask
    reason: str
    field: str
    # Doors that cannot be asked so.
    without: tuple[str, ...] = ()
    # A part of what every door says.
    shown: str = ""


# A body over /models states no dtypes and has no choice of outputs.
OWN_HTTP = ("http",)
# Tensors in binary are as large as their bodies.
BINARY = ("grpc", "oip-grpc", "ipc")
# The parameters of a request are the Open Inference Protocol's.
NOT_OIP = ("http", "grpc", "ipc")

CASES = {
    "no such model": Case(Ask(NONE, (x(),)), "MODEL_NOT_FOUND", "model_id"),
    "a model that is not loaded": Case(Ask(IDLE, (x(),)), "MODEL_NOT_LOADED", ""),
    "a name like a flag": Case(Ask("-rf", (x(),)), "INVALID_MODEL_ID", "model_id", shown="'-rf'"),
    "a name that climbs": Case(Ask("../a", (x(),)), "INVALID_MODEL_ID", "model_id", shown="'../a'"),
    "a long name": Case(
        Ask("a" * 2000, (x(),)), "INVALID_MODEL_ID", "model_id", shown=f"'{'a' * 80}…'"),
    "a name in other letters": Case(
        Ask("café", (x(),)), "INVALID_MODEL_ID", "model_id", shown="'café'"),
    "another dtype": Case(Ask(ECHO, (x(dtype="int32"),)), "DTYPE_MISMATCH", "x", OWN_HTTP),
    "another rank": Case(Ask(ECHO, (x([[1], [2]]),)), "SHAPE_MISMATCH", "x"),
    "fewer elements than its shape": Case(
        Ask(ECHO, (x(said_shape=(3,)),)), "SHAPE_MISMATCH", "x"),
    "more elements than its shape": Case(Ask(ECHO, (x(said_shape=(1,)),)), "SHAPE_MISMATCH", "x"),
    "a negative size": Case(Ask(ECHO, (x(said_shape=(-2,)),)), "SHAPE_MISMATCH", "x"),
    "sizes that overflow": Case(
        Ask(ECHO, (x(said_shape=(2**32, 2**32)),)), "SHAPE_MISMATCH", "x"),
    "sizes of 2^62 bytes": Case(
        Ask(ECHO, (x(said_shape=(2**60,)),)), "SHAPE_MISMATCH", "x"),
    "many dimensions": Case(Ask(ECHO, (x(said_shape=(1,) * 60),)), "SHAPE_MISMATCH", "x"),
    "twenty thousand dimensions": Case(
        Ask(ECHO, (x(said_shape=(1,) * 20_000),)), "SHAPE_MISMATCH", "x", ("ipc",)),
    "no input": Case(Ask(ECHO), "MISSING_INPUT", "x"),
    "an unknown input": Case(
        Ask(ECHO, (x(), Tensor("z", np.ones(1, np.float32)))), "UNKNOWN_INPUT", "z", shown="'z'"),
    "an input twice": Case(Ask(ECHO, (x(), x())), "INVALID_FIELD", "x"),
    "an unknown output": Case(
        Ask(ECHO, (x(),), ("z",)), "INVALID_FIELD", "z", OWN_HTTP, "'z'; its outputs are 'y'"),
    "an output twice": Case(Ask(ECHO, (x(),), ("y", "y")), "INVALID_FIELD", "y", OWN_HTTP, "'y'"),
    "a bool of 2": Case(
        Ask(FLAGS, (x([[True]], "bool", said_bytes=b"\2"),)), "VALUE_OUT_OF_RANGE", "x"),
    "a body above the limit": Case(
        Ask(ECHO, (x(np.zeros(300_000)),)), "PAYLOAD_TOO_LARGE", "", ("ipc",)),
    "a body whose tensors never fit": Case(
        Ask(WIDE, (x(np.ones(200_000), "float64"),)), "PAYLOAD_TOO_LARGE", "", BINARY),
    "a deadline that passes": Case(
        Ask(SLOW, (x([1]),), timeout_ms=1), "DEADLINE_EXCEEDED", "", ("grpc",)),
    "a deadline in the request that passes": Case(
        Ask(SLOW, (x([1]),), parameters={"timeout": 500}), "DEADLINE_EXCEEDED", "", NOT_OIP),
    "a negative timeout": Case(
        Ask(ECHO, (x(),), parameters={"timeout": -1}), "INVALID_FIELD", "parameters.timeout",
        NOT_OIP),
    "a timeout in words": Case(
        Ask(ECHO, (x(),), parameters={"timeout": "soon"}), "INVALID_FIELD", "parameters.timeout",
        NOT_OIP),
    "a negative sequence": Case(
        Ask(ECHO, (x(),), parameters={"sequence_id": -1}), "INVALID_FIELD",
        "parameters.sequence_id", NOT_OIP),
    "a start that is a number": Case(
        Ask(ECHO, (x(),), parameters={"sequence_id": 1, "sequence_start": 1}), "INVALID_FIELD",
        "parameters.sequence_start", NOT_OIP),
    "a sequence of a model without state": Case(
        Ask(ECHO, (x(),), parameters={"sequence_id": 1}), "INVALID_FIELD", "sequence_id", NOT_OIP),
}  # fmt: skip


def expected_code(door: str, reason: str) -> tuple[str, int]:
    """The code that a door names, and the status of an answer over HTTP."""
    code, status = CODES.get(reason, ("INVALID_ARGUMENT", 400))
    if not door.endswith("http"):
        return code, 0
    # Over HTTP the status says that it is the size; the body blames the request.
    return ("INVALID_ARGUMENT" if reason == "PAYLOAD_TOO_LARGE" else code), status


@pytest.mark.parametrize("case", CASES)
def test_an_inference_is_refused_alike(core: OpenCore, case: str):
    ask, reason, field, without, shown = CASES[case]
    told, expected = {}, {}
    for name in (door for door in DOORS if door not in without):
        answer = DOORS[name](core, ask)
        assert 0 < len(answer.text) < 500, name
        assert shown in answer.text, (name, answer.text)
        told[name] = answer._replace(text="")
        code, status = expected_code(name, reason)
        expected[name] = Told(code, reason, field, status=status)
    assert told == expected


@pytest.mark.parametrize("door", DOORS)
def test_what_has_no_fault_is_answered(core: OpenCore, door: str):
    """By the same words that the refused requests are made of."""
    assert DOORS[door](core, Ask(ECHO, (x(),), ("y",))) == GOOD
    assert DOORS[door](core, Ask(FLAGS, (x([[True]], "bool"),))) == GOOD
    assert DOORS[door](core, Ask(SLOW, (x([1]),), timeout_ms=10**9)) == GOOD


TIMEOUT = "X-Request-Timeout-Ms"


@pytest.mark.parametrize("text", ["", "0", "-1", "+1", "1.5", "abc", "1, 2"])
def test_a_header_that_is_no_timeout_is_refused(core: OpenCore, text: str):
    for door in ("http", "oip-http"):
        told = DOORS[door](core, Ask(ECHO, (x(),), headers={TIMEOUT: text}))
        assert told[:3] == ("INVALID_ARGUMENT", "INVALID_FIELD", TIMEOUT), door
        assert told.status == 400
        for much in ("9" * 18, "9" * 40):
            assert DOORS[door](core, Ask(ECHO, (x(),), headers={TIMEOUT: much})) == GOOD


# What is asked about models beside inferences: an operation and its fields.
Operation = tuple[str, dict[str, object]]


def over_http(core: OpenCore, operation: Operation) -> Told:
    verb, fields = operation
    path = "/models/" + quote(str(fields.get("model_id", "")), safe="")
    if verb == "register":
        reply = core.post("/models/register", json=fields)
    elif verb in ("load", "unload"):
        reply = core.post(f"{path}/{verb}")
    else:
        reply = core.request({"get": "GET", "remove": "DELETE"}[verb], path)
    error = reply.json()
    assert error.keys() >= {"status", "code", "reason", "field", "message"}, error
    return Told(error["code"], error["reason"], error["field"], error["message"], reply.status_code)


def over_grpc(core: OpenCore, operation: Operation) -> Told:
    verb = operation[0].capitalize() + "Model"
    request = getattr(models_pb, f"{verb}Request")(**operation[1])
    with (
        grpc.insecure_channel(core.grpc_address) as channel,
        pytest.raises(grpc.RpcError) as raised,
    ):
        getattr(models_grpc.ModelServiceStub(channel), verb)(request, timeout=60)
    told = dict(raised.value.trailing_metadata())
    code, text = raised.value.code().name, raised.value.details()
    return Told(code, told["mlos-reason"], told.get("mlos-field", ""), text)


def over_ipc(core: OpenCore, operation: Operation) -> Told:
    verb, fields = operation
    body = json.dumps(fields) if verb == "register" else str(fields["model_id"])
    with RawIpc(core.socket) as raw:
        raw.send(wire.frame(Frame[f"{verb.upper()}_MODEL"], 2, body.encode()))
        error = raw.error()
    return Told(error.code, error.reason, error.field, str(error))


OVER: dict[str, Callable[[OpenCore, Operation], Told]] = {
    "http": over_http,
    "grpc": over_grpc,
    "ipc": over_ipc,
}
PATH = {"path": "/nonexistent/m.onnx"}
OPERATIONS = {
    "registering without a name": ("register", PATH, "MISSING_FIELD", "model_id"),
    "registering without a path": ("register", {"model_id": NONE}, "MISSING_FIELD", "path"),
    "registering what climbs": (
        "register", {"model_id": "../m", **PATH}, "INVALID_MODEL_ID", "model_id"),
    "registering what is like a flag": (
        "register", {"model_id": "-rf", **PATH}, "INVALID_MODEL_ID", "model_id"),
    "registering a name of 64 KiB": (
        "register", {"model_id": "a" * 65_536, **PATH}, "INVALID_MODEL_ID", "model_id"),
    "registering what is not there": (
        "register", {"model_id": NONE, **PATH}, "FILE_NOT_FOUND", "path"),
    "registering a batch below 0": (
        "register", {"model_id": NONE, **PATH, "max_batch_size": -1},
        "VALUE_OUT_OF_RANGE", "max_batch_size"),
    "showing none": ("get", {"model_id": NONE}, "MODEL_NOT_FOUND", "model_id"),
    "loading none": ("load", {"model_id": NONE}, "MODEL_NOT_FOUND", "model_id"),
    "unloading none": ("unload", {"model_id": NONE}, "MODEL_NOT_FOUND", "model_id"),
    "removing none": ("remove", {"model_id": NONE}, "MODEL_NOT_FOUND", "model_id"),
}  # fmt: skip


@pytest.mark.parametrize("case", OPERATIONS)
def test_an_operation_is_refused_alike(core: OpenCore, case: str):
    verb, fields, reason, field = OPERATIONS[case]
    before = core.get("/models").json()["total"]
    told, expected = {}, {}
    for name, over in OVER.items():
        answer = over(core, (verb, fields))
        assert 0 < len(answer.text) < 1000, name
        assert "/nonexistent" not in answer.text, name
        if reason == "INVALID_MODEL_ID":
            assert f"'{fields['model_id'][:80]}" in answer.text, name
        told[name] = answer._replace(text="")
        code, status = expected_code(name, reason)
        expected[name] = Told(code, reason, field, status=status)
    assert told == expected
    assert core.get("/models").json()["total"] == before
