# SPDX-License-Identifier: MIT
"""Classes of bad input that have broken inference servers, on every door; test_bad_input_rows.py
says which tests show the others."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from onnx import TensorProto, helper
from tritonclient.grpc import service_pb2 as pb

from tests.support import oip
from tests.support.doors import DOORS, GOOD, Ask, Tensor, Told
from tests.support.graphs import model, scale, value
from tests.support.ipc import Client, Frame, MlosError, RawIpc, encode_infer, wire
from tests.support.open_core import OpenCore
from tests.support.raw_h2 import INFER, RawH2, message
from tests.support.raw_http import connect, exchange
from tests.support.waiting import wait_until


def expand(path: Path) -> Path:
    """y = x spread over `n` elements: as large as the caller likes."""
    nodes = [helper.make_node("Expand", ["x", "n"], ["y"])]
    into = [value("x", [1]), value("n", [1], TensorProto.INT64)]
    path.write_bytes(model(nodes, into, [value("y", ["m"])]).SerializeToString())
    return path


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenCore]:
    """Core with `echo` (y = x over a vector) and `expand`, and 64 MiB for engines."""
    folder = tmp_path_factory.mktemp("bad")
    limits = ["--arena-bytes-max", "64MiB", "--connections-per-peer-max", "200"]
    core = OpenCore(folder / "core", *limits).start()
    assert core.register("echo", scale(folder / "echo.onnx")).status_code == 200
    assert core.register("expand", expand(folder / "expand.onnx")).status_code == 200
    yield core
    assert core.stop() == 0


@pytest.fixture(autouse=True)
def answered(request) -> Iterator[None]:
    """After each test others are answered."""
    yield
    if "core" in request.fixturenames:
        core = request.getfixturevalue("core")
        for door in DOORS:
            assert asked(door, core, "echo", {"x": np.ones(2, np.float32)}) == GOOD


def asked(door: str, core: OpenCore, name: str, inputs: dict[str, np.ndarray]) -> Told:
    tensors = tuple(Tensor(key, array) for key, array in inputs.items())
    return DOORS[door](core, Ask(name, tensors))


BEYOND = {
    "1 GiB where engines have 64 MiB": (1 << 28, "OUT_OF_MEMORY"),
    "4 TiB": (1 << 40, "OUT_OF_MEMORY"),
    "no number of bytes": ((1 << 63) - 1, "INFERENCE_REJECTED"),
}


@pytest.mark.parametrize("size", BEYOND)
def test_an_output_beyond_the_arena_is_refused(core, size):
    count, reason = BEYOND[size]
    no_memory = reason == "OUT_OF_MEMORY"
    code, status = ("RESOURCE_EXHAUSTED", 507) if no_memory else ("INVALID_ARGUMENT", 400)
    inputs = {"x": np.ones(1, np.float32), "n": np.array([count], np.int64)}
    for door in DOORS:
        told = asked(door, core, "expand", inputs)
        assert (told.code, told.reason) == (code, reason), (door, told)
        assert told.status == (status if door.endswith("http") else 0), door


ZEROS = [(0,), (0, 2), (2, 0), (0, 0, 0)]


@pytest.mark.parametrize("shape", ZEROS, ids=str)
def test_a_size_of_zero_is_a_size(core, shape):
    """Nothing divides by it: a vector of no element is one, and another rank is refused."""
    reasons = {
        door: asked(door, core, "echo", {"x": np.ones(shape, np.float32)}).reason for door in DOORS
    }
    assert reasons == dict.fromkeys(DOORS, "" if len(shape) == 1 else "SHAPE_MISMATCH")


DEEP = b"[" * 500_000 + b"]" * 500_000
BODIES = {
    "plugin": ("/plugins/register", b'{"id": "p", "config": ' + DEEP + b"}"),
    "model": ("/models/register", b'{"model_id": "m", "z": ' + DEEP + b"}"),
    "inference": ("/models/echo/inference", b'{"x": ' + DEEP + b"}"),
    "wrapped inference": ("/models/echo/inference", b'{"inputs": {"x": ' + DEEP + b"}}"),
    "infer": ("/v2/models/echo/infer", b'{"z": ' + DEEP + b"}"),
    "generate": ("/v2/models/echo/generate", b'{"x": ' + DEEP + b"}"),
    "index": ("/v2/repository/index", b'{"z": ' + DEEP + b"}"),
    "load": ("/v2/repository/models/echo/load", b'{"parameters": ' + DEEP + b"}"),
    "unload": ("/v2/repository/models/none/unload", b'{"parameters": ' + DEEP + b"}"),
}


@pytest.mark.parametrize("case", BODIES)
def test_deep_json_on_every_route(core, case):
    path, body = BODIES[case]
    reply = core.post(path, data=body)
    assert (reply.status_code, reply.json()["reason"]) == (400, "NESTING_TOO_DEEP")


def varint(number: int) -> bytes:
    low = b""
    while number >= 0x80:
        low += bytes([number & 0x7F | 0x80])
        number >>= 7
    return low + bytes([number])


LIES = {
    "a name as a number": b"\x08\x01",
    "a tensor as a number": b"\x28\x01",
    "a tensor in 8 bytes": b"\x29" + bytes(8),
    "a group that does not end": b"\x2b",
    "a group that did not begin": b"\x2c",
    "field number 0": b"\x02\x00",
    "a length beyond the message": b"\x0a\x7f" + b"a",
    "a length of 4 GiB": b"\x0a" + varint(0xFFFFFFFF) + b"a",
    "a length of 2^63": b"\x0a" + varint(1 << 63) + b"a",
    "a varint of eleven bytes": b"\x0a" + b"\xff" * 10 + b"\x01",
    "a name that is no UTF-8": b"\x0a\x02\xff\xfe",
    "the name twice, the second unknown": b"\x0a\x04echo\x0a\x04none",
    "a thousand groups": b"\x9b\x06" * 1000,
}


@pytest.mark.parametrize("case", LIES)
def test_protobuf_that_lies(core, case):
    """What is no message is INVALID_ARGUMENT; of a field that is there twice the last one holds."""
    with RawH2(core.grpc_port) as client:
        client.send(client.call(1, INFER, message(LIES[case])))
        code = client.trailers(1)["grpc-status"]
    allowed = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
    assert code in {str(status.value[0]) for status in allowed}


NAMES = [
    "", ".", "..", "-rf", "a//b", "a/../b", "a/", "/a", "a\\b", "a b", "café", "模型", "a\nb",
    "$(id)", "`id`", "a;b", "%00", "a@b@c", "@v1", "a" * 65_000, "a/" * 32_000 + "a",
]  # fmt: skip


@pytest.mark.parametrize("door", ["http", "grpc", "oip-grpc", "ipc"])
def test_names_that_are_none(core, door):
    """No such name reaches a path, a shell or a message as a whole."""
    for name in NAMES:
        if door == "http":
            reply = core.post("/models/register", json={"model_id": name, "path": "/none"})
            told, text = reply.json()["reason"], reply.json()["message"]
        else:
            _, told, _, text, _ = asked(door, core, name, {"x": np.ones(1, np.float32)})
        assert told in ("INVALID_MODEL_ID", "MISSING_FIELD"), (name[:50], text[:500])
        assert len(text) < 1000


# Addresses, paths, file names and types of the source, names of its parts.
INSIDE = re.compile(r"0x[0-9a-f]{6,}|/(tmp|proc|var|usr|etc|root|home)/|\bpid\b|\.(cc|h)\b|std::|"
                    r"mlos::|terminate|assert|Traceback|google|nghttp2|simdjson|boost")  # fmt: skip


PATHS = ("/etc/passwd", "/proc/self/mem", "/dev/zero", "/nonexistent/m.onnx", "/")


def changed(good: bytes, changes: tuple[bytes, ...]) -> Iterator[bytes]:
    """Bad requests by the hundred, made of a good one by a change at each place."""
    for place in range(len(good)):
        for change in changes:
            yield good[:place] + change + good[place + 1 :]


def http_texts(core: OpenCore) -> Iterator[str]:
    good = oip.json_body({"x": np.ones(2, np.float32)})
    for body in changed(good, (b"", b"\xff", b'"', b"1e400")):
        reply = core.post("/v2/models/echo/infer", data=body)
        assert reply.status_code in (200, 400, 404, 501), (body, reply.text)
        yield reply.text
    for path in ("/nothing", "/models/none", "/v2/models/none", "/plugins/none"):
        yield core.get(path).text
    for path in PATHS:
        yield core.register("m", path).json()["message"]
    yield exchange(core.port, b"GARBAGE\r\n\r\n").body.decode()


def grpc_texts(core: OpenCore) -> Iterator[str]:
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[2])
    good = pb.ModelInferRequest(
        model_name="echo", id="7", inputs=[tensor], raw_input_contents=[bytes(8)]
    )
    allowed = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND,
               grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.PERMISSION_DENIED}  # fmt: skip

    def told(path: str, body: bytes) -> str:
        try:
            channel.unary_unary(path)(body, timeout=60)
        except grpc.RpcError as error:
            assert error.code() in allowed, (path, body, error)
            return f"{error.details()} {dict(error.trailing_metadata())}"
        return ""

    with grpc.insecure_channel(core.grpc_address) as channel:
        for body in changed(good.SerializeToString(), (b"", b"\xff", b"\x00", b"\x7f", b"\x80")):
            yield told(INFER, body)
        yield told("/none.Service/None", b"")
        yield told("/inference.GRPCInferenceService/None", b"")
        for path in PATHS:
            request = b"\x0a\x01m\x12" + varint(len(path)) + path.encode()
            yield told("/mlos.v1.ModelService/RegisterModel", request)


def ipc_texts(core: OpenCore) -> Iterator[str]:
    good = b"".join(map(bytes, encode_infer("echo", {"x": np.ones(2, np.float32)}, [], 0, False)))
    for body in changed(good, (b"", b"\xff", b"\x00", b"\x7f", b"\x80")):
        with RawIpc(core.socket) as raw:
            raw.send(wire.frame(Frame.INFER, 2, body))
            kind, _, answer = raw.answer()
        assert kind in (Frame.RESULT, Frame.ERROR)
        if kind == Frame.ERROR:
            error = MlosError.decode(memoryview(answer))
            assert error.code not in ("INTERNAL", "UNKNOWN"), (body, error)
            yield f"{error.field} {error}"
    with Client(str(core.socket)) as client:
        for path in PATHS:
            with pytest.raises(MlosError) as refused:
                client.register_model("m", path)
            yield str(refused.value)


TEXTS = {"http": http_texts, "grpc": grpc_texts, "ipc": ipc_texts}


@pytest.mark.parametrize("door", TEXTS)
def test_no_message_tells_of_the_inside(core, door):
    texts = list(TEXTS[door](core))
    assert sum(map(bool, texts)) > 100
    for text in texts:
        assert not INSIDE.search(text), text


def test_grpc_connections_of_one_peer_are_bounded(core):
    """Those beyond the limit are closed; others on other doors are answered all the time."""
    sockets = [connect(core.grpc_port) for _ in range(400)]
    try:
        assert core.get("/health").status_code == 200
        with Client(str(core.socket)) as client:
            assert client.health()["status"] == "healthy"
        wait_until(lambda: sum(map(ended, sockets)) >= 150)
    finally:
        for sock in sockets:
            sock.close()


def ended(sock: socket.socket) -> bool:
    """Whether Core has closed a connection on which it was told nothing."""
    sock.setblocking(False)
    try:
        while sock.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
