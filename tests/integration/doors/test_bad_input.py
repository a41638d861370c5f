# SPDX-License-Identifier: MIT
"""The classes of bad input that have broken inference servers: which test shows each, on which
door; and those that no other file has."""

from __future__ import annotations

import ast
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from onnx import TensorProto, helper
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support import oip
from tests.support.graphs import model, scale, value
from tests.support.ipc import Client, MlosError
from tests.support.open_core import OpenCore
from tests.support.raw_h2 import INFER, RawH2, message
from tests.support.raw_http import connect, exchange

HERE = Path(__file__).parents[1]

# What was seen in the field, and the tests that show what happens here.
ROWS = {
    "chunks of one byte by the hundred thousand": ["http_wire:oversized"],
    "chunks that never end": ["http_wire:oversized", "http_wire:gzip_bodies"],
    "a body without length or chunks": ["http_wire:oversized"],
    "a million headers, a header or a line of 100 MB": [
        "http_wire:oversized", "grpc_wire:headers_too_large_are_refused",
        "grpc_wire:a_bomb_of_indexed_headers_takes_no_memory",
        "grpc_wire:endless_continuation_is_cut_off"],
    "request smuggling": ["http_wire:smuggling", "oip_errors:two_lengths_are_refused"],
    "slow heads": ["http_wire:slow_heads_and_bodies", "grpc_wire:who_does_not_get_on_is_cut_off",
                   "ipc_access:what_does_not_come_in_time_ends"],
    "slow bodies, and replies that are not read": [
        "http_wire:slow_heads_and_bodies", "http_wire:a_caller_that_does_not_read_is_cut_off",
        "grpc_wire:who_does_not_read_the_reply_is_cut_off",
        "ipc_hostile:a_client_that_does_not_read_is_not_read_from"],
    "an expectation that is not followed": ["http_wire:unfulfilled_expectation_ends"],
    "compression bombs": ["http_wire:gzip_bodies", "oip_errors:bad_bodies",
                          "grpc_wire:a_gzip_bomb_is_refused"],
    "paths that climb, in every spelling": ["http_wire:paths", "oip_errors:bad_paths"],
    "foreign hosts and origins, with every method": [
        "http_wire:foreign_hosts_and_origins_on_every_method"],
    "thousands of connections of one peer": [
        "http_wire:many_connections_of_one_peer", "ipc_access:connections_are_bounded",
        "doors/bad_input:grpc_connections_of_one_peer_are_bounded"],
    "rapid reset, made resets and other floods": ["grpc_wire:a_flood_is_told_to_calm_down"],
    "streams by the thousand": ["grpc_wire:streams_beyond_the_limit_are_refused"],
    "a length of 4 GiB announced": [
        "grpc_wire:an_announced_length_takes_no_memory",
        "grpc_wire:many_announced_lengths_take_no_memory",
        "ipc_hostile:what_never_comes_takes_no_memory"],
    "protobuf that swells or lies": [
        "grpc_wire:protobuf_that_would_swell_is_refused", "grpc_wire:a_bad_call_ends_alone",
        "doors/bad_input:protobuf_that_lies"],
    "a stream of answers that is not read": [
        "grpc_wire:who_does_not_read_a_stream_is_held_back_and_cut_off"],
    "JSON half a million levels deep": [
        "http_tensors:refused_bodies", "oip_errors:bad_bodies", "http_api:refused_registrations",
        "doors/bad_input:deep_json_on_every_route"],
    "shapes that overflow": [
        "http_tensors:refused_bodies", "oip_errors:bad_bodies",
        "grpc_oip:what_is_wrong_is_refused_and_named",
        "ipc_hostile:an_inference_that_lies_is_refused"],
    "sizes of zero": ["doors/bad_input:a_size_of_zero_is_a_size"],
    "one body too large, and many that are together": [
        "http_wire:oversized", "http_tensors:bytes_in_flight_are_limited_for_all_together",
        "http_tensors:a_body_that_can_never_fit",
        "oip_wire:no_room_is_said_with_a_time_to_come_back",
        "grpc_oip:a_large_tensor_passes_and_one_too_large_is_refused",
        "ipc_hostile:more_than_the_budget_is_refused_and_the_connection_lives"],
    "messages that tell of the inside": ["doors/bad_input:no_message_tells_of_the_inside"],
    "an output beyond all memory": ["doors/bad_input:an_output_beyond_the_arena_is_refused"],
    "names of models": ["http_wire:paths", "http_api:refused_registrations",
                        "doors/bad_input:names_that_are_none"],
    "memory by name": ["oip_client:shared_memory_is_refused",
                       "grpc_oip:what_is_not_offered_is_unimplemented"],
    "memory that shrinks": ["ipc_hostile:only_sealed_memory_is_mapped",
                            "ipc_hostile:sealed_memory_does_not_shrink_under_core"],
    "memory that changes while it is read": [
        "ipc_hostile:a_client_that_writes_while_it_is_read",
        "ipc_access:a_listed_user_is_served_and_its_memory_copied"],
    "descriptors of anything else": ["ipc_hostile:only_sealed_memory_is_mapped",
                                     "ipc_hostile:a_flood_of_descriptors_is_closed"],
    "clients that die": ["ipc_hostile:connections_cut_anywhere", "ipc_hostile:rings_cut_anywhere",
                         "ipc_api:a_client_that_goes_leaves_nothing",
                         "doors/cuts:many_cut_connections"],
    "users that may not": ["ipc_access:users_that_are_not_listed_are_refused",
                           "ipc_access:the_mode_keeps_others_out"],
    "frames of length 0 and 2^31, partial, garbage": [
        "ipc_hostile:a_breach_is_told_and_ends_the_connection",
        "ipc_hostile:a_bad_hello_ends_the_connection",
        "ipc_hostile:garbage_in_a_ring_ends_the_connection"],
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_tests(row):
    for place in ROWS[row]:
        path, _, name = place.partition(":")
        folder, _, file = path.rpartition("/")
        tree = ast.parse((HERE / folder / f"test_{file}.py").read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert f"test_{name}" in names, place


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
        for ask in DOORS.values():
            assert ask(core, "echo", {"x": np.ones(2, np.float32)}) == ""


def ask_http(core: OpenCore, name: str, inputs: dict[str, np.ndarray]) -> str:
    reply = core.post(f"/v2/models/{name}/infer", data=oip.json_body(inputs))
    assert reply.status_code < 500 or reply.status_code == 507, reply.text
    return "" if reply.status_code == 200 else reply.json()["reason"] + reply.json()["error"]


def ask_grpc(core: OpenCore, name: str, inputs: dict[str, np.ndarray]) -> str:
    tensors = [
        pb.ModelInferRequest.InferInputTensor(name=key, datatype=oip.datatype(a), shape=a.shape)
        for key, a in inputs.items()
    ]
    raw = [oip.to_bytes(array) for array in inputs.values()]
    request = pb.ModelInferRequest(model_name=name, inputs=tensors, raw_input_contents=raw)
    with grpc.insecure_channel(core.grpc_address) as channel:
        try:
            service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=60)
        except grpc.RpcError as error:
            assert error.code() not in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
            return dict(error.trailing_metadata())["mlos-reason"] + error.details()
    return ""


def ask_ipc(core: OpenCore, name: str, inputs: dict[str, np.ndarray]) -> str:
    with Client(str(core.socket)) as client:
        try:
            client.infer(name, inputs)
        except MlosError as error:
            assert error.code != "INTERNAL"
            return error.reason + str(error)
    return ""


DOORS = {"http": ask_http, "grpc": ask_grpc, "ipc": ask_ipc}


@pytest.mark.parametrize("door", DOORS)
def test_an_output_beyond_the_arena_is_refused(core, door):
    for count in (1 << 28, 1 << 40, (1 << 63) - 1):
        inputs = {"x": np.ones(1, np.float32), "n": np.array([count], np.int64)}
        assert DOORS[door](core, "expand", inputs), count


ZEROS = [(0,), (0, 2), (2, 0), (0, 0, 0)]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("shape", ZEROS, ids=str)
def test_a_size_of_zero_is_a_size(core, door, shape):
    """Nothing divides by it: a vector of no element is one, and another rank is refused."""
    told = DOORS[door](core, "echo", {"x": np.ones(shape, np.float32)})
    assert told.startswith("SHAPE_MISMATCH") if len(shape) != 1 else told == ""


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


@pytest.mark.parametrize("door", DOORS)
def test_names_that_are_none(core, door):
    """No such name reaches a path, a shell or a message as a whole."""
    for name in NAMES:
        if door == "http":
            reply = core.post("/models/register", json={"model_id": name, "path": "/none"})
            told, text = reply.json()["reason"], reply.json()["message"]
        else:
            text = DOORS[door](core, name, {"x": np.ones(1, np.float32)})
            told = re.match("[A-Z_]*", text)[0]
        assert told.startswith(("INVALID_MODEL_ID", "MISSING_FIELD")), (name[:50], text[:500])
        assert len(text) < 1000


# Addresses, paths, file names and types of the source, names of its parts.
INSIDE = re.compile(r"0x[0-9a-f]{6,}|/(tmp|proc|var|usr|etc|root|home)/|\bpid\b|\.(cc|h)\b|std::|"
                    r"mlos::|terminate|assert|Traceback|google|nghttp2|simdjson|boost")  # fmt: skip


def test_no_message_tells_of_the_inside(core):
    """Bad requests by the hundred, made of good ones by a change at each place."""
    good = oip.json_body({"x": np.ones(2, np.float32)})
    texts = []
    for place in range(0, len(good), 2):
        for change in (b"", b"\xff", b'"', b"[", b"1e400"):
            body = good[:place] + change + good[place + 1 :]
            reply = core.post("/v2/models/echo/infer", data=body)
            assert reply.status_code in (200, 400, 404, 501), (body, reply.text)
            texts.append(reply.text)
    for path in ("/nothing", "/models/none", "/v2/models/none", "/plugins/none"):
        texts.append(core.get(path).text)
    for path in ("/etc/passwd", "/proc/self/mem", "/dev/zero", "/nonexistent/m.onnx", "/"):
        texts.append(core.register("m", path).json()["message"])
    texts.append(exchange(core.port, b"GARBAGE\r\n\r\n").body.decode())
    for text in texts:
        assert not INSIDE.search(text), text


def test_grpc_connections_of_one_peer_are_bounded(core):
    """Those beyond the limit are closed; others on other doors are answered all the time."""
    sockets = [connect(core.grpc_port) for _ in range(400)]
    try:
        assert core.get("/health").status_code == 200
        with Client(str(core.socket)) as client:
            assert client.health()["status"] == "healthy"
        closed = sum(ended(sock) for sock in sockets)
        assert closed >= 150
    finally:
        for sock in sockets:
            sock.close()


def ended(sock: socket.socket) -> bool:
    """Whether Core has closed a connection on which it was told nothing."""
    sock.settimeout(0.05)
    try:
        while piece := sock.recv(4096):
            if b"\x07" in piece[3:4]:
                return True
        return True
    except TimeoutError:
        return False
    except ConnectionError:
        return True
