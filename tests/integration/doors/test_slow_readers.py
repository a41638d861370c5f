# SPDX-License-Identifier: MIT
"""Callers by the hundred who ask for more than their credit and do not read: they cost Core memory
up to their credit, and no thread; another model answers meanwhile. Those who read in the end get
everything, and what the others left is free. One large answer costs its reader the outputs and a
piece of their text, however long that is."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import re
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import numpy as np
import pytest
from hyperframe.frame import DataFrame, HeadersFrame, WindowUpdateFrame
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support import oip, paths
from tests.support.doors import over_grpc, over_http, over_ipc
from tests.support.flood import descriptors
from tests.support.graphs import ramp, scale
from tests.support.ipc import Frame, RawIpc, encode_infer, read_result, wire
from tests.support.open_core import OpenCore, fixtures_allowed, integers, register_fixture
from tests.support.protos import mlos_v1
from tests.support.raw_h2 import INFER, RawH2, message
from tests.support.raw_http import head
from tests.support.waiting import wait_until

READERS = 500
KIB, MIB = 1 << 10, 1 << 20
# What a caller may leave unread (engine::Credit::kBytesMax), and the answers of one stream.
CREDIT = MIB
COUNT, SIZE = 20, 64 * KIB
# The answer that goes beyond the credit, and what a connection takes besides.
EXTRA = SIZE + 96 * KIB

# The numbers of the answers that a reader gets.
Read = Callable[[], list[int]]


@pytest.fixture
def core(tmp_path: Path) -> Iterator[OpenCore]:
    """Core with a model of long answers and another one, which has time for its readers."""
    with descriptors(2 * READERS + 500):
        patience = ("--write-timeout-ms", "600000", "--queue-length-max", "10000")
        core = OpenCore(tmp_path / "core", *fixtures_allowed(), *patience).start()
        register_fixture(core, "patient", "patient")
        assert core.register("quick", scale(tmp_path / "quick.onnx", 2.0)).status_code == 200
        for ask in (over_http, over_grpc, over_ipc):
            assert ask(core, "patient", integers(count=1)) == "OK"
            assert ask(core, "quick", {"x": np.ones(3, np.float32)}) == "OK"
        yield core
        assert core.stop() == 0


def held_bytes(core: OpenCore) -> int:
    page = core.get("/metrics").text
    return int(re.search(r"^mlos_in_flight_bytes (\d+)$", page, re.MULTILINE)[1])


# ---- Readers of HTTP ----


def http_readers(core: OpenCore, stack: contextlib.ExitStack) -> list[Read]:
    body = json.dumps({"count": COUNT, "size": SIZE}).encode()
    line = "POST /v2/models/patient/generate_stream HTTP/1.1"
    request = head(line, f"Content-Length: {len(body)}") + body
    readers = []
    for _ in range(READERS):
        sock = stack.enter_context(small_socket())
        sock.connect(("127.0.0.1", core.port))
        sock.sendall(request)
        readers.append(lambda sock=sock: read_http(sock))
    return readers


def small_socket() -> socket.socket:
    """One that makes the kernel hold little of what is not read, at both ends."""
    sock = socket.socket()
    sock.settimeout(60)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * KIB)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
    return sock


def read_http(sock: socket.socket) -> list[int]:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)
    with http.client.HTTPResponse(sock) as reply:
        reply.begin()
        assert reply.status == 200
        events = reply.read().split(b"\n\n")
    assert events.pop() == b""
    told = [json.loads(event.removeprefix(b"data: ")) for event in events]
    assert all(answer["text_output"] == "x" * SIZE for answer in told)
    return [answer["number"] for answer in told]


# ---- Readers of gRPC ----


def grpc_readers(core: OpenCore, stack: contextlib.ExitStack) -> list[Read]:
    messages, stubs = mlos_v1("inference")
    request = messages.InferRequest(model_id="patient")
    for name, array in integers(count=COUNT, size=SIZE).items():
        request.inputs.add(name=name, dtype="int64", data=array.tobytes())
    # A connection of its own for each, with windows that do not grow.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]
    channels = [
        stack.enter_context(grpc.insecure_channel(core.grpc_address, options)) for _ in range(5)
    ]
    stubs = [stubs.InferenceServiceStub(channel) for channel in channels]
    calls = [stubs[i % len(stubs)].InferStream(request) for i in range(READERS)]
    for call in calls:
        stack.callback(call.cancel)
    return [lambda call=call: read_grpc(call) for call in calls]


def read_grpc(call: grpc.Call) -> list[int]:
    numbers = []
    for response in call:
        outputs = {output.name: output for output in response.outputs}
        assert outputs["text_output"].strings == [b"x" * SIZE]
        numbers.append(int(np.frombuffer(outputs["number"].data, np.int64)[0]))
    return numbers


@pytest.mark.parametrize("open_readers", [http_readers, grpc_readers])
def test_slow_readers_cost_their_credit_and_no_thread(core: OpenCore, open_readers):
    before = core.resources()
    with contextlib.ExitStack() as stack:
        readers = open_readers(core, stack)
        # All of them have their credit unread; those that give it are done.
        wait_until(lambda: held_bytes(core) >= READERS * CREDIT, 60)
        wait_until(lambda: core.resources().threads == before.threads)
        for _ in range(10):
            assert over_http(core, "quick", {"x": np.ones(3, np.float32)}) == "OK"
        assert core.in_flight() == READERS
        # A reader whose socket takes a little more is given it, by a thread for the moment.
        wait_until(lambda: core.resources().threads == before.threads)
        now = core.resources()
        if not paths.instrumented():
            assert now.rss_bytes - before.rss_bytes <= READERS * (CREDIT + EXTRA)
        for read in readers[::2]:
            assert read() == list(range(COUNT))
        # The others leave.
    wait_until(lambda: core.in_flight() == 0, 60)
    wait_until(lambda: held_bytes(core) == 0, 60)


# ---- Readers of IPC ----

# An answer is one frame there. While more than 256 KiB of them wait for a connection, Core reads no
# further requests of it.
ASKED_FIRST, ASKED_THEN = 12, 8


def requests_of(numbers: range) -> bytes:
    """Frames of requests with these numbers for one long answer each."""
    parts = encode_infer("patient", integers(count=1, size=SIZE), [], 0, False)
    body = b"".join(map(bytes, parts))
    return b"".join(wire.frame(Frame.INFER, number, body) for number in numbers)


def read_ipc(raw: RawIpc, count: int) -> list[int]:
    """The numbers of so many answers, which may come in any order."""
    numbers = []
    for _ in range(count):
        kind, number, body = raw.answer()
        assert kind == Frame.RESULT
        assert read_result(memoryview(body), {})[0]["text_output"].item() == "x" * SIZE
        numbers.append(number)
    return sorted(numbers)


def test_slow_readers_of_ipc_cost_what_they_asked_for_and_no_thread(core: OpenCore):
    first = range(1, ASKED_FIRST + 1)
    then = range(first.stop, first.stop + ASKED_THEN)
    answers = READERS * ASKED_FIRST
    before, answered_before = core.resources(), successes(core)
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(RawIpc(core.socket, timeout_s=60)) for _ in range(READERS)]
        for raw in readers:
            raw.send(requests_of(first))
        wait_until(lambda: successes(core) - answered_before == answers, 60)
        for raw in readers:
            raw.send(requests_of(then))
        for _ in range(10):
            assert over_ipc(core, "quick", {"x": np.ones(3, np.float32)}) == "OK"
        wait_until(lambda: core.resources().threads == before.threads)
        assert (successes(core) - answered_before, core.in_flight()) == (answers, 0)
        now = core.resources()
        if not paths.instrumented():
            assert now.rss_bytes - before.rss_bytes <= answers * SIZE + READERS * EXTRA
        for raw in readers[::2]:
            assert read_ipc(raw, ASKED_FIRST + ASKED_THEN) == [*first, *then]
        # The others leave.
    wait_until(lambda: core.in_flight() == 0, 60)
    wait_until(lambda: held_bytes(core) == 0, 60)


def successes(core: OpenCore) -> int:
    """Answers that the model has given to their end."""
    models = core.get("/stats").json()["models"]
    return sum(m["successful_requests"] for m in models if m["model_id"] == "patient")


# ---- One large answer each ----

# Floats whose JSON takes 8 MiB, and what each of the readers may cost beside them.
LONG_READERS, NUMBERS, STEP = 50, 750_000, 0.1234567
LONG_EXTRA = 64 * KIB
# What comes and goes with requests and connections, however many numbers they ask for.
SLACK = 16 * MIB


class LongReader(NamedTuple):
    """One who has asked for all numbers."""

    # Waits until the answer has begun to come.
    begun: Callable[[], object]
    # Reads the rest.
    read: Callable[[], np.ndarray]


OpenReader = Callable[[OpenCore, contextlib.ExitStack], LongReader]
OIP = "/v2/models/ramp/infer"
COUNT_INPUT = {"n": np.array(NUMBERS, np.int64)}


def numbers_of_own(reply: http.client.HTTPResponse) -> np.ndarray:
    return np.array(json.loads(reply.read())["outputs"]["y"], np.float32)


def numbers_of_oip(reply: http.client.HTTPResponse) -> np.ndarray:
    unpack = {None: bytes, "gzip": gzip.decompress, "deflate": zlib.decompress}
    body = unpack[reply.getheader("Content-Encoding")](reply.read())
    return oip.from_reply(body, reply.getheader(oip.LENGTH))["y"]


def over_raw_http(path: str, body: bytes, *headers: str) -> OpenReader:
    read_numbers = numbers_of_oip if path == OIP else numbers_of_own

    def open_reader(core: OpenCore, stack: contextlib.ExitStack) -> LongReader:
        sock = stack.enter_context(small_socket())
        sock.connect(("127.0.0.1", core.port))
        request = head(f"POST {path} HTTP/1.1", f"Content-Length: {len(body)}", *headers)
        sock.sendall(request + body)
        return LongReader(lambda: peek(sock), lambda: read_to_end(sock, read_numbers))

    return open_reader


def peek(sock: socket.socket) -> None:
    assert sock.recv(1, socket.MSG_PEEK)


def read_to_end(sock: socket.socket, read_numbers) -> np.ndarray:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)
    with http.client.HTTPResponse(sock) as reply:
        reply.begin()
        assert reply.status == 200
        return read_numbers(reply)


def over_oip(*headers: str) -> OpenReader:
    return over_raw_http(OIP, oip.json_body(COUNT_INPUT), *headers)


def over_oip_binary() -> OpenReader:
    body, fields = oip.binary_body(COUNT_INPUT)
    return over_raw_http(OIP, body, *(f"{name}: {value}" for name, value in fields.items()))


def mlos_request():
    request = mlos_v1("inference")[0].InferRequest(model_id="ramp")
    request.inputs.add(name="n", dtype="int64", data=COUNT_INPUT["n"].tobytes())
    return request


def oip_request() -> pb.ModelInferRequest:
    request = pb.ModelInferRequest(model_name="ramp")
    request.inputs.add(name="n", datatype="INT64", shape=[])
    request.raw_input_contents.append(COUNT_INPUT["n"].tobytes())
    return request


def over_mlos(core: OpenCore, stack: contextlib.ExitStack) -> LongReader:
    def numbers_of(content: bytes) -> np.ndarray:
        reply = mlos_v1("inference")[0].InferResponse.FromString(content)
        return np.frombuffer(reply.outputs[0].data, np.float32)

    path = "/mlos.v1.InferenceService/Infer"
    return over_raw_h2(core, stack, path, mlos_request(), numbers_of)


def over_oip_grpc(core: OpenCore, stack: contextlib.ExitStack) -> LongReader:
    def numbers_of(content: bytes) -> np.ndarray:
        reply = pb.ModelInferResponse.FromString(content)
        return np.frombuffer(reply.raw_output_contents[0], np.float32)

    return over_raw_h2(core, stack, INFER, oip_request(), numbers_of)


def over_raw_h2(
    core: OpenCore, stack: contextlib.ExitStack, path: str, request, numbers_of
) -> LongReader:
    """Asks for one answer and leaves the windows as they are. gRPC's own clients open them for a
    message that they wait for."""
    client = stack.enter_context(RawH2(core.grpc_port, timeout_s=60))
    client.send(client.call(1, path, message(request.SerializeToString())))

    def read() -> np.ndarray:
        for stream in (0, 1):
            client.send(WindowUpdateFrame(stream, window_increment=1 << 30).serialize())
        assert client.trailers(1)["grpc-status"] == "0"
        data = b"".join(frame.data for frame in client.frames if isinstance(frame, DataFrame))
        assert message(data[5:]) == data
        return numbers_of(data[5:])

    return LongReader(lambda: client.read(HeadersFrame, stream_id=1), read)


def over_mlos_stream(core: OpenCore, stack: contextlib.ExitStack) -> LongReader:
    stub = mlos_v1("inference")[1].InferenceServiceStub(own_channel(core, stack))
    call = stub.InferStream(mlos_request())
    return LongReader(
        call.initial_metadata, lambda: np.frombuffer(next(call).outputs[0].data, np.float32)
    )


def over_oip_stream(core: OpenCore, stack: contextlib.ExitStack) -> LongReader:
    stub = service_pb2_grpc.GRPCInferenceServiceStub(own_channel(core, stack))
    call = stub.ModelStreamInfer(iter([oip_request()]))

    def read() -> np.ndarray:
        return np.frombuffer(next(call).infer_response.raw_output_contents[0], np.float32)

    return LongReader(call.initial_metadata, read)


def own_channel(core: OpenCore, stack: contextlib.ExitStack) -> grpc.Channel:
    """A connection of its own, whose windows do not grow."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0),
               ("grpc.max_receive_message_length", -1)]  # fmt: skip
    return stack.enter_context(grpc.insecure_channel(core.grpc_address, options))


def over_ipc_socket(core: OpenCore, stack: contextlib.ExitStack) -> LongReader:
    raw = stack.enter_context(RawIpc(core.socket, timeout_s=60))
    body = b"".join(map(bytes, encode_infer("ramp", COUNT_INPUT, [], 0, False)))
    raw.send(wire.frame(Frame.INFER, 1, body))

    def read() -> np.ndarray:
        kind, _, answer = raw.answer()
        assert kind == Frame.RESULT
        return read_result(memoryview(answer), {})[0]["y"]

    return LongReader(lambda: peek(raw.socket), read)


DOORS = {
    "own": over_raw_http("/models/ramp/inference", json.dumps({"n": NUMBERS}).encode()),
    "oip": over_oip(),
    "oip-gzip": over_oip("Accept-Encoding: gzip"),
    "oip-deflate": over_oip("Accept-Encoding: deflate"),
    "oip-binary": over_oip_binary(),
    "grpc": over_mlos,
    "grpc-oip": over_oip_grpc,
    "grpc-stream": over_mlos_stream,
    "grpc-oip-stream": over_oip_stream,
    "ipc": over_ipc_socket,
}


@pytest.mark.parametrize("door", DOORS)
def test_a_large_answer_costs_its_outputs_and_a_piece(core: OpenCore, tmp_path: Path, door: str):
    assert core.register("ramp", ramp(tmp_path / "ramp.onnx", STEP)).status_code == 200
    expected = np.arange(NUMBERS).astype(np.float32) * np.float32(STEP)
    open_reader = DOORS[door]
    with contextlib.ExitStack() as stack:
        # What the first answers leave behind is not counted.
        for _ in range(2):
            assert np.array_equal(open_reader(core, stack).read(), expected)
    wait_until(lambda: held_bytes(core) == 0, 60)
    before = core.resources()
    with contextlib.ExitStack() as stack:
        readers = [open_reader(core, stack) for _ in range(LONG_READERS)]
        for reader in readers:
            reader.begun()
        wait_until(lambda: held_bytes(core) >= LONG_READERS * expected.nbytes, 60)
        now = core.resources()
        if not paths.instrumented():
            grown = now.rss_bytes - before.rss_bytes
            assert grown <= LONG_READERS * (expected.nbytes + LONG_EXTRA) + SLACK
        assert over_http(core, "quick", {"x": np.ones(3, np.float32)}) == "OK"
        for reader in readers[::2]:
            assert np.array_equal(reader.read(), expected)
        # The others leave.
    wait_until(lambda: held_bytes(core) == 0, 60)
