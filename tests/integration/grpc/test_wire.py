# SPDX-License-Identifier: MIT
"""Hostile HTTP/2 and gRPC framing (rows B of the list of bad input): each is cut off with the
reason said where there is someone to hear it, Core answers others, and its memory stays bounded."""

from __future__ import annotations

import gzip
import os
import time
import zlib
from collections.abc import Callable, Iterator

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hyperframe.frame import GoAwayFrame, PingFrame, PriorityFrame
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support.graphs import scale
from tests.support.grpc_core import GrpcCore
from tests.support.raw_h2 import (
    ENHANCE_YOUR_CALM,
    INFER,
    LIVE,
    PREFACE,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    RawH2,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
    message,
)

MIB = 1 << 20
GROWTH_MAX = 48 * MIB
STATUS = {name: str(code.value[0]) for name, code in grpc.StatusCode.__members__.items()}


TIMEOUTS = ("--header-timeout-ms", "1000", "--body-timeout-ms", "1000",
            "--write-timeout-ms", "1000")  # fmt: skip


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcCore]:
    folder = tmp_path_factory.mktemp("wire")
    core = GrpcCore(folder, *TIMEOUTS).start()
    assert core.register("t/scale@1", scale(folder / "scale.onnx", 2.0)).status_code == 200
    infer(core)
    yield core
    assert core.stop() == 0


@pytest.fixture(scope="module")
def hasty_core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcCore]:
    """Closes idle connections soon. On a busy machine that is before a client has said what it is
    about to say, so it is only for tests of idleness."""
    timeouts = (*TIMEOUTS, "--idle-timeout-ms", "1200")
    core = GrpcCore(tmp_path_factory.mktemp("hasty"), *timeouts).start()
    yield core
    assert core.stop() == 0


def infer(core: GrpcCore) -> None:
    """Another client is answered."""
    array = np.arange(1000, dtype=np.float32)
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1000])
    with grpc.insecure_channel(core.grpc_address) as channel:
        reply = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(
            pb.ModelInferRequest(
                model_name="t/scale@1", inputs=[tensor], raw_input_contents=[array.tobytes()]
            ),
            timeout=30,
        )
    assert reply.raw_output_contents[0] == (array * 2).tobytes()


@pytest.fixture(autouse=True)
def unharmed(core: GrpcCore) -> Iterator[None]:
    """After each test Core answers, and has not grown by more than a connection is worth."""
    before = core.resources()
    yield
    infer(core)
    after = core.resources()
    if os.environ.get("MLOS_BUILD_DIR", "build") == "build":  # sanitizers keep what was freed
        assert after.rss_bytes - before.rss_bytes < GROWTH_MAX
    assert after.threads == before.threads


def resets(client: RawH2, at: int) -> bytes:
    """Asked and taken back: rapid reset."""
    return b"".join(
        HeadersFrame(i, client.head(), flags=["END_HEADERS"]).serialize()
        + RstStreamFrame(i, 8).serialize()
        for i in range(at, at + 2000, 2)
    )


def made_resets(client: RawH2, at: int) -> bytes:
    """Streams on which the client makes the server say RST_STREAM: MadeYouReset."""
    return b"".join(
        HeadersFrame(i, client.head(), flags=["END_HEADERS"]).serialize()
        + WindowUpdateFrame(i, 0x7FFFFFFF).serialize()
        for i in range(at, at + 2000, 2)
    )


def unknown(kind: int, payload: bytes) -> bytes:
    """A frame of a type that HTTP/2 does not have."""
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + bytes(4) + payload


FLOODS: dict[str, Callable[[RawH2, int], bytes]] = {
    "rapid reset": resets,
    "made resets": made_resets,
    "ping": lambda client, at: PingFrame(0, b"12345678").serialize() * 1000,
    "settings": lambda client, at: SettingsFrame(0, {4: 65535}).serialize() * 1000,
    "empty data": lambda client, at: (
        (HeadersFrame(1, client.head(), flags=["END_HEADERS"]).serialize() if at == 1 else b"")
        + DataFrame(1, b"").serialize() * 1000
    ),
    "priority": lambda client, at: PriorityFrame(1, 0, 16, False).serialize() * 1000,
    "window update": lambda client, at: WindowUpdateFrame(0, 1).serialize() * 1000,
    "unknown type": lambda client, at: unknown(0xFA, b"12345678") * 1000,
    "large unknown type": lambda client, at: unknown(0xFA, bytes(16_000)) * 20,
    "padding": lambda client, at: (
        (HeadersFrame(1, client.head(), flags=["END_HEADERS"]).serialize() if at == 1 else b"")
        + DataFrame(1, b"", pad_length=255, flags=["PADDED"]).serialize() * 200
    ),
    "data for an answered call": lambda client, at: (
        (HeadersFrame(1, client.head("/no.Service/Method"), flags=["END_HEADERS"]).serialize()
         if at == 1 else b"")
        + DataFrame(1, bytes(1000)).serialize() * 100
    ),
    "a little of each": lambda client, at: b"".join(
        frame.serialize()
        for frame in [PingFrame(0, b"12345678"), SettingsFrame(0, {4: 65535}),
                      PriorityFrame(1, 0, 16, False), WindowUpdateFrame(0, 1)]
    ) * 200 + unknown(0xFA, b"") * 200,
}  # fmt: skip


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_is_told_to_calm_down(core: GrpcCore, kind: str):
    with RawH2(core.grpc_port) as client:
        for at in range(1, 400_000, 2000):
            if not client.send(FLOODS[kind](client, at)):
                break
            if client.goaway(0.001) is not None:
                break
        assert client.goaway() == ENHANCE_YOUR_CALM


def test_a_caller_that_cancels_every_other_call_is_served(core: GrpcCore):
    """Also one with large metadata; what gRPC's clients send beside calls counts in too."""
    with RawH2(core.grpc_port) as client:
        for batch in range(1, 4000, 80):
            for at in range(batch, batch + 80, 4):
                call = client.call(at)
                large = client.head(LIVE, ("x-token", f"{at}-" + "v" * 2000))
                head = HeadersFrame(at + 2, large, flags=["END_HEADERS"]).serialize()
                beside = [RstStreamFrame(at + 2, 8), PingFrame(0, b"12345678"),
                          WindowUpdateFrame(0, 13)]  # fmt: skip
                client.send(call + head + b"".join(frame.serialize() for frame in beside))
            assert client.trailers(at)["grpc-status"] == STATUS["OK"], at


def test_data_on_its_way_to_a_call_that_was_answered_is_no_flood(core: GrpcCore):
    """A caller may have sent its whole window before it hears that its call was refused."""
    with RawH2(core.grpc_port) as client:
        client.read(SettingsFrame)  # with the windows
        body = message(bytes(900_000))
        for at in range(1, 40, 2):
            client.send(HeadersFrame(at, client.head("/no.Service/Method"),
                                     flags=["END_HEADERS"]).serialize())  # fmt: skip
            assert client.trailers(at)["grpc-status"] == STATUS["UNIMPLEMENTED"]
            frames = [DataFrame(at, body[i : i + 16_000]).serialize()
                      for i in range(0, len(body), 16_000)]  # fmt: skip
            assert client.send(b"".join(frames))
        client.send(client.call(101))
        assert client.trailers(101)["grpc-status"] == STATUS["OK"]


def test_endless_continuation_is_cut_off(core: GrpcCore):
    with RawH2(core.grpc_port) as client:
        client.send(HeadersFrame(1, client.head()).serialize())
        piece = ContinuationFrame(1, b"\0\1a\1b" * 3000).serialize()
        for _ in range(1000):
            if not client.send(piece):
                break
        assert client.goaway() in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR)


def test_headers_too_large_are_refused(core: GrpcCore):
    with RawH2(core.grpc_port) as client:
        block = client.head(LIVE, *[(f"x-{i}", "v" * 1000) for i in range(40)])
        frames = HeadersFrame(1, block[:16000]).serialize()
        frames += b"".join(
            ContinuationFrame(1, block[i : i + 16000]).serialize()
            for i in range(16000, len(block), 16000)
        )
        end = ContinuationFrame(1, b"", flags=["END_HEADERS"]).serialize()
        client.send(frames + end)
        reply = client.trailers(1)
        assert reply["grpc-status"] == STATUS["RESOURCE_EXHAUSTED"]
        assert reply["mlos-reason"] == "HEADER_TOO_LARGE"


def test_a_bomb_of_indexed_headers_takes_no_memory(core: GrpcCore):
    """One large field in the table, named by a byte each: 60 MB of headers in 15 KB."""
    with RawH2(core.grpc_port) as client:
        block = client.head(LIVE, ("x-large", "v" * 4000))
        index = client.encoder.encode([("x-large", "v" * 4000)])
        client.send(HeadersFrame(1, block + index * 9000, flags=["END_HEADERS"]).serialize())
        client.send(DataFrame(1, message(b""), flags=["END_STREAM"]).serialize())
        assert client.trailers(1)["mlos-reason"] == "HEADER_TOO_LARGE"


def test_streams_beyond_the_limit_are_refused(core: GrpcCore):
    with RawH2(core.grpc_port) as client:
        client.read(SettingsFrame)
        for i in range(1, 2 * 1000, 2):
            client.send(HeadersFrame(i, client.head(), flags=["END_HEADERS"]).serialize())
        frames = client.read(GoAwayFrame, 2)
        refused = [f for f in frames if isinstance(f, RstStreamFrame)]
        codes = {f.error_code for f in refused}
        assert codes <= {REFUSED_STREAM} and (refused or client.goaway() is not None)


@pytest.mark.parametrize("flag, length", [(0, 0xFFFFFFFF), (0, 257 * MIB), (1, 0xFFFFFFFF)])
def test_an_announced_length_takes_no_memory(core: GrpcCore, flag: int, length: int):
    with RawH2(core.grpc_port) as client:
        client.send(client.call(1, INFER, message(b"", flag, length), end=False))
        assert client.trailers(1)["grpc-status"] == STATUS["RESOURCE_EXHAUSTED"]


def test_many_announced_lengths_take_no_memory(core: GrpcCore):
    before = core.resources().rss_bytes
    with RawH2(core.grpc_port) as client:
        for i in range(1, 200, 2):
            client.send(client.call(i, INFER, message(b"", 0, 255 * MIB), end=False))
        time.sleep(0.2)
        assert core.resources().rss_bytes - before < GROWTH_MAX
        assert client.trailers(1)["mlos-reason"] == "REQUEST_TIMEOUT"


BAD_CALLS = {
    "flag of 2": (INFER, message(b"", 2), "INVALID_ARGUMENT"),
    "cut message": (INFER, message(b"abc", 0, 10), "INVALID_ARGUMENT"),
    "cut prefix": (INFER, b"\0\0", "INVALID_ARGUMENT"),
    "no message": (INFER, b"", "INVALID_ARGUMENT"),
    "two messages": (LIVE, message(b"") * 2, "INVALID_ARGUMENT"),
    "no protobuf": (INFER, message(b"\xff" * 100), "INVALID_ARGUMENT"),
    "overlong varint": (INFER, message(b"\x08" + b"\x80" * 20), "INVALID_ARGUMENT"),
    "compressed without a word": (INFER, message(b"abc", 1), "INVALID_ARGUMENT"),
    "gzip cut off": (INFER, message(b"\x1f\x8b\x08\0\0", 1), "INVALID_ARGUMENT"),
    "document too large": (LIVE, message(b"", 0, 2 * MIB), "RESOURCE_EXHAUSTED"),
    "unknown method": ("/inference.GRPCInferenceService/None", message(b""), "UNIMPLEMENTED"),
    "unknown path": ("/" + "a" * 5000, message(b""), "UNIMPLEMENTED"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_a_bad_call_ends_alone(core: GrpcCore, case: str):
    path, data, code = BAD_CALLS[case]
    with RawH2(core.grpc_port) as client:
        client.send(client.call(1, path, data))
        reply = client.trailers(1)
        assert reply["grpc-status"] == STATUS[code], reply
        client.send(client.call(3))
        assert client.trailers(3)["grpc-status"] == "0"


@pytest.mark.parametrize("timeout", ["", "1", "S", "-1S", "123456789S", "1x", "1.5S"])
def test_a_bad_timeout_is_refused(core: GrpcCore, timeout: str):
    with RawH2(core.grpc_port) as client:
        client.send(client.call(1, extra=(("grpc-timeout", timeout),)))
        reply = client.trailers(1)
        if timeout == "":
            assert reply["grpc-status"] == "0"
        else:
            assert reply["mlos-field"] == "grpc-timeout"


@pytest.mark.parametrize("timeout", ["0S", "0n", "1n", "999n", "00000000H"])
@pytest.mark.parametrize(
    "path", ["/grpc.health.v1.Health/Check", "/mlos.v1.InferenceService/Infer"]
)
def test_a_timeout_that_is_over_at_once(core: GrpcCore, path: str, timeout: str):
    with RawH2(core.grpc_port) as client:
        client.send(client.call(1, path, extra=(("grpc-timeout", timeout),)))
        reply = client.trailers(1)
        assert (reply["grpc-status"], reply["mlos-reason"]) == ("4", "DEADLINE_EXCEEDED")


def test_a_deadline_ends_a_call_that_goes_on(core: GrpcCore):
    with RawH2(core.grpc_port) as client:
        block = client.head("/mlos.v1.InferenceService/InferBidi", ("grpc-timeout", "100m"))
        client.send(HeadersFrame(1, block, flags=["END_HEADERS"]).serialize())
        assert client.trailers(1)["grpc-status"] == STATUS["DEADLINE_EXCEEDED"]


@pytest.mark.parametrize(
    "method, content_type, status",
    [("GET", "application/grpc", "405"), ("POST", "application/json", "415"),
     ("POST", "application/grpcx", "415")],
)  # fmt: skip
def test_what_is_no_call_is_told_so(core: GrpcCore, method: str, content_type: str, status: str):
    with RawH2(core.grpc_port) as client:
        block = client.head(LIVE, method=method, content_type=content_type)
        client.send(HeadersFrame(1, block, flags=["END_HEADERS", "END_STREAM"]).serialize())
        assert client.trailers(1)[":status"] == status


def packed_numbers(count: int) -> bytes:
    """int64_contents of `count` zeros, one byte each, that would become eight."""
    contents = b"\x1a" + varint(count) + bytes(count)
    tensor = b"\x2a" + varint(len(contents)) + contents
    return b"\x2a" + varint(len(tensor)) + tensor


def varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


@pytest.mark.parametrize(
    "content",
    [packed_numbers(200 * MIB), b"\x2a\0" * (40 * MIB), b"\x2a\x04\x2a\x02\x42\0" * (20 * MIB)],
    ids=["packed numbers", "empty inputs", "empty strings"],
)
def test_protobuf_that_would_swell_is_refused(core: GrpcCore, content: bytes):
    core_stub = grpc.insecure_channel(core.grpc_address)
    with core_stub as channel:
        send = channel.unary_unary(INFER)
        with pytest.raises(grpc.RpcError) as raised:
            send(content, timeout=60)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


BAD_STARTS = {
    "no preface": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "garbage": bytes(range(256)),
    "unknown stream": PREFACE + SettingsFrame(0).serialize() + DataFrame(5, b"x").serialize(),
    "even stream": PREFACE + SettingsFrame(0).serialize() + HeadersFrame(2, b"").serialize(),
    "huge frame": PREFACE + b"\xff\xff\xff\0\0\0\0\0\1" + bytes(10_000),
    "bad hpack": PREFACE
    + SettingsFrame(0).serialize()
    + HeadersFrame(1, b"\xff" * 40, flags=["END_HEADERS"]).serialize(),
    "settings of 5 bytes": PREFACE + b"\0\0\5\4\0\0\0\0\0" + bytes(5),
    "window of 2^31": PREFACE
    + SettingsFrame(0).serialize()
    + WindowUpdateFrame(0, 0x7FFFFFFF).serialize() * 2,
}


@pytest.mark.parametrize("case", BAD_STARTS)
def test_what_is_no_http2_is_cut_off(core: GrpcCore, case: str):
    with RawH2(core.grpc_port, hello=False) as client:
        client.send(BAD_STARTS[case])
        assert client.goaway() not in (None, 0)
        assert client.wait_closed()


SLOW_STARTS = {
    "nothing": b"",
    "half a preface": PREFACE[:10],
    "headers without an end": PREFACE
    + SettingsFrame(0).serialize()
    + HeadersFrame(1, b"\x82").serialize(),
}


@pytest.mark.parametrize("case", SLOW_STARTS)
def test_who_does_not_get_on_is_cut_off(core: GrpcCore, case: str):
    with RawH2(core.grpc_port, hello=False) as client:
        client.send(SLOW_STARTS[case])
        assert client.wait_closed()


def test_an_idle_connection_is_closed_in_order(hasty_core: GrpcCore):
    with RawH2(hasty_core.grpc_port) as client:
        client.send(client.call(1))
        assert client.trailers(1)["grpc-status"] == "0"
        assert client.goaway() == 0


def test_a_watch_lasts_beyond_idleness_while_its_caller_lives(hasty_core: GrpcCore):
    with grpc.insecure_channel(hasty_core.grpc_address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=""))
        assert next(watch).status == 1
        time.sleep(3)
        assert watch.is_active() and watch.cancel()


def test_a_caller_who_does_not_answer_pings_is_gone(hasty_core: GrpcCore):
    with RawH2(hasty_core.grpc_port) as client:
        client.send(client.call(1, "/grpc.health.v1.Health/Watch", message(b"")))
        assert client.goaway() == 0
        assert any(isinstance(f, PingFrame) and "ACK" not in f.flags for f in client.frames)
        assert client.wait_closed()


def test_damage_of_a_compressed_message_is_named(core: GrpcCore):
    good = gzip.compress(b"")
    wrong = good[:-6] + b"\x01" + good[-5:]
    with RawH2(core.grpc_port) as client:
        for stream, (body, problem) in enumerate(
            [(good, ""), (good[:-1], "is cut off"), (good + b"garbage", "has bytes behind its end"),
             (wrong, "has a checksum that its content does not have")]
        ):  # fmt: skip
            data = message(body, 1)
            client.send(client.call(2 * stream + 1, data=data, extra=(("grpc-encoding", "gzip"),)))
            reply = client.trailers(2 * stream + 1)
            code = "INVALID_ARGUMENT" if problem else "OK"
            assert (reply["grpc-status"], problem in reply.get("grpc-message", "")) == (
                STATUS[code], True), (problem, reply)  # fmt: skip


def gzip_bomb(size: int) -> bytes:
    return zlib.compress(bytes(size), 9, wbits=31)


@pytest.mark.parametrize("path", [INFER, LIVE, "/mlos.v1.InferenceService/InferBidi"])
def test_a_gzip_bomb_is_refused(core: GrpcCore, path: str):
    bomb = message(gzip_bomb(32 * MIB), 1)
    with RawH2(core.grpc_port) as client:
        client.send(HeadersFrame(1, client.head(path, ("grpc-encoding", "gzip")),
                                 flags=["END_HEADERS"]).serialize())  # fmt: skip
        send_body(client, 1, bomb)
        assert client.trailers(1)["grpc-status"] == STATUS["RESOURCE_EXHAUSTED"]


def big_request(size: int = 2 * MIB) -> bytes:
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[size // 4])
    made = pb.ModelInferRequest(
        model_name="t/scale@1", inputs=[tensor], raw_input_contents=[bytes(size)]
    )
    return message(made.SerializeToString())


def send_body(client: RawH2, stream_id: int, body: bytes) -> None:
    """Sends a body within the windows of the server, which gives them back as it reads; not to its
    end where the server has answered before."""
    step = 16384
    client.read(SettingsFrame)
    settings = next(f for f in client.frames if isinstance(f, SettingsFrame) and f.settings)
    window = settings.settings[SettingsFrame.INITIAL_WINDOW_SIZE]
    for i in range(0, len(body), step):
        while window < step:
            if client.closed or client.ended(stream_id):
                return
            seen = len(client.frames)
            client.read(WindowUpdateFrame, 0.02, stream_id=-1)
            window += sum(
                f.window_increment
                for f in client.frames[seen:]
                if isinstance(f, WindowUpdateFrame) and f.stream_id == stream_id
            )
        piece = body[i : i + step]
        window -= len(piece)
        last = i + step >= len(body)
        client.send(
            DataFrame(stream_id, piece, flags=["END_STREAM"] if last else []).serialize()
        )


def test_who_does_not_read_the_reply_is_cut_off(core: GrpcCore):
    """The window of 64 KiB is never opened again: the stream is given up, its memory with it."""
    with RawH2(core.grpc_port, timeout_s=30) as client:
        client.read(SettingsFrame)
        head = HeadersFrame(1, client.head(INFER), flags=["END_HEADERS"]).serialize()
        client.send(head)
        send_body(client, 1, big_request())
        client.read(RstStreamFrame, 10, stream_id=1)
        assert any(isinstance(f, RstStreamFrame) and f.stream_id == 1 for f in client.frames)


def test_who_does_not_read_a_stream_is_held_back_and_cut_off(core: GrpcCore):
    """Replies that nobody takes stop further requests; they do not pile up."""
    before = core.resources().rss_bytes
    with RawH2(core.grpc_port, timeout_s=30) as client:
        client.read(SettingsFrame)
        path = "/inference.GRPCInferenceService/ModelStreamInfer"
        client.send(HeadersFrame(1, client.head(path), flags=["END_HEADERS"]).serialize())
        body = big_request(128 << 10)
        for _ in range(7):  # within the window
            for i in range(0, len(body), 16384):
                client.send(DataFrame(1, body[i : i + 16384]).serialize())
        client.read(RstStreamFrame, 10, stream_id=1)
        frames = [f for f in client.frames if f.stream_id == 1]
        assert any(isinstance(f, RstStreamFrame) for f in frames)
        assert sum(len(f.data) for f in frames if isinstance(f, DataFrame)) == 65535
        assert core.resources().rss_bytes - before < 16 * MIB


def test_connections_cut_at_random_leave_nothing_behind(core: GrpcCore):
    random = np.random.default_rng(7)
    whole = None
    before = core.resources().fds
    for _ in range(300):
        with RawH2(core.grpc_port) as client:
            tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1000])
            body = pb.ModelInferRequest(
                model_name="t/scale@1", inputs=[tensor], raw_input_contents=[bytes(4000)]
            )
            whole = client.call(1, INFER, message(body.SerializeToString()))
            client.send(whole[: random.integers(1, len(whole) + 1)])
    assert core.resources_within(before + 2).fds <= before + 2
