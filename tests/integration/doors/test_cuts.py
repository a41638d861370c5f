# SPDX-License-Identifier: MIT
"""Connections that are cut anywhere in a request, on every door: nothing is left of them, and the
clients beside them never notice."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import random
import socket
import ssl
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest
from hpack import Encoder
from hyperframe.frame import DataFrame, HeadersFrame, SettingsFrame

from tests.support import oip, paths
from tests.support.graphs import scale
from tests.support.ipc import Frame, encode_infer, hello_frame, wire
from tests.support.ipc_ring import memfd
from tests.support.open_core import OpenCore
from tests.support.raw_h2 import INFER, PREFACE, message
from tests.support.raw_http import head
from tests.support.tensors import to_json
from tests.support.tls import Authority, TlsCore
from tests.support.traffic import (
    FACTOR,
    SCALE,
    Sample,
    Target,
    finish,
    oip_message,
    samples,
    start,
)

MIB = 1 << 20
GROWTH_MAX = 48 * MIB
STREAM = "/inference.GRPCInferenceService/ModelStreamInfer"


@dataclass
class Script:
    """What a client would send over one connection: pieces, each with the descriptors that go with
    its first byte."""

    pieces: list[tuple[bytes, list[int]]] = field(default_factory=list)

    def add(self, data: bytes, *fds: int) -> None:
        self.pieces.append((data, list(fds)))

    def play(self, sock: socket.socket, length: int) -> None:
        """Sends the first `length` bytes, as far as Core takes them."""
        for data, fds in self.pieces:
            part = data[:length]
            if not part:
                break
            rest = part[socket.send_fds(sock, [part], fds) :] if fds else part
            sock.sendall(rest)
            length -= len(part)

    @property
    def size(self) -> int:
        return sum(len(data) for data, _ in self.pieces)

    def close(self) -> None:
        for _, fds in self.pieces:
            for fd in fds:
                os.close(fd)


def http_script(rng: random.Random, sample: Sample) -> Script:
    """Two requests, the second pipelined behind the first, each in a random form."""
    script = Script()
    for _ in range(2):
        line, headers, body = rng.choice(HTTP_FORMS)(sample)
        script.add(head(f"POST {line} HTTP/1.1", *headers) + body)
    return script


def oip_json(sample: Sample):
    body = oip.json_body(sample.inputs)
    return f"/v2/models/{sample.model}/infer", [f"Content-Length: {len(body)}"], body


def oip_binary(sample: Sample):
    body, extra = oip.binary_body(sample.inputs)
    headers = [f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in extra.items())]
    return f"/v2/models/{sample.model}/infer", headers, body


def oip_chunked(sample: Sample):
    line, _, body = oip_json(sample)
    chunks = [body[i : i + 50] for i in range(0, len(body), 50)]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return line, ["Transfer-Encoding: chunked"], coded + b"0\r\n\r\n"


def oip_gzip(sample: Sample):
    line, _, body = oip_json(sample)
    body = gzip.compress(body)
    return line, ["Content-Encoding: gzip", f"Content-Length: {len(body)}"], body


def generate_stream(sample: Sample):
    body = json.dumps({name: to_json(array) for name, array in sample.inputs.items()}).encode()
    line = f"/v2/models/{sample.model}/generate_stream"
    return line, [f"Content-Length: {len(body)}"], body


HTTP_FORMS = [oip_json, oip_binary, oip_chunked, oip_gzip, generate_stream]


def grpc_script(rng: random.Random, sample: Sample) -> Script:
    """Two calls over one connection and, sometimes, a stream of three requests."""
    encoder = Encoder()
    body = message(oip_message(sample, "1").SerializeToString())
    script = Script()
    script.add(PREFACE + SettingsFrame(0).serialize())
    for number, path in enumerate([INFER, rng.choice([INFER, STREAM])]):
        fields = [(":method", "POST"), (":scheme", "http"), (":path", path),
                  (":authority", "localhost"), ("content-type", "application/grpc"),
                  ("te", "trailers")]  # fmt: skip
        data = body * 3 if path == STREAM else body
        stream_id = 2 * number + 1
        block = encoder.encode(fields)
        script.add(HeadersFrame(stream_id, block, flags=["END_HEADERS"]).serialize())
        for at in range(0, len(data), 16384):
            flags = ["END_STREAM"] if at + 16384 >= len(data) else []
            script.add(DataFrame(stream_id, data[at : at + 16384], flags=flags).serialize())
    return script


def ipc_script(rng: random.Random, sample: Sample) -> Script:
    """A region, a ring, and inferences with tensors inside and in the region."""
    script = Script()
    script.add(hello_frame())
    if rng.random() < 0.5:
        body = wire.MAP_REGION.pack(1, rng.choice([wire.READ, wire.WRITE]))
        script.add(wire.frame(Frame.MAP_REGION, 2, body, descriptors=1), memfd(1 << 16))
    if rng.random() < 0.3:
        body = struct.pack("<II", 4, 4096)
        size = 4096 + 2 * 4 * 4096
        script.add(wire.frame(Frame.ATTACH_RING, 3, body, descriptors=1), memfd(size))
    parts = encode_infer(sample.model, sample.inputs, [], 0, False)
    for number in (4, 5):
        script.add(wire.frame(Frame.INFER, number, b"".join(map(bytes, parts))))
    return script


def connect_tcp(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def connect_unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(30)
    sock.connect(path)
    return sock


def cut_once(rng: random.Random, sock: socket.socket, script: Script) -> None:
    """Plays a script up to a random byte, sometimes looks at an answer, and goes in one of the ways
    a client can go: closing, closing with what came unread, resetting."""
    with sock, contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        whole = rng.random() < 0.2
        script.play(sock, script.size if whole else rng.randrange(script.size))
        if whole and rng.random() < 0.5:
            sock.recv(1 + rng.randrange(100))
        if rng.random() < 0.5:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


MAKE = {"http": http_script, "grpc": grpc_script, "ipc": ipc_script}


def cut(door: str, connect: Callable[[], socket.socket], target: Target, count: int) -> None:
    """Cuts `count` connections to a door."""
    rng = random.Random(f"cuts of {door}")
    # Many of the tiny graphs and, where work is under way when the client goes, of the real one.
    source = samples(len(door), target.real)
    todo = [next(source) for _ in range(200)]
    for _ in range(count):
        script = MAKE[door](rng, rng.choice(todo))
        cut_once(rng, connect(), script)
        script.close()


def cut_all(core: OpenCore, target: Target, count: int) -> None:
    """Cuts `count` connections of each door, on all doors at once."""
    grpc_port = target.grpc_address.rpartition(":")[2]
    ways = {
        "http": lambda: connect_tcp(core.port),
        "grpc": lambda: connect_tcp(int(grpc_port)),
        "ipc": lambda: connect_unix(target.socket),
    }
    with ThreadPoolExecutor(len(ways)) as pool:
        cuts = [pool.submit(cut, door, way, target, count) for door, way in ways.items()]
    for one in cuts:
        one.result()


def check_cuts(core: OpenCore, target: Target, holdings: type, count: int) -> None:
    """What must hold after `count` cuts of each door, beside which a client of each asks all the
    time."""
    cut_all(core, target, 20)
    core.infer(SCALE, {"x": np.ones(3, np.float32)})
    before = holdings(core)
    beside = {way: start(target, way, 0, 50) for way in ("http_json", "grpc_stream", "ipc_socket")}
    for client in beside.values():
        assert client.stdout.readline() == "answered\n"
    cut_all(core, target, count)
    outcomes = {way: finish(client, 120) for way, client in beside.items()}
    assert all(right > 1 and not wrong for right, wrong in outcomes.values()), outcomes
    now = before.assert_back()
    if not paths.instrumented():
        assert now.rss_bytes - before.resources.rss_bytes < GROWTH_MAX


@pytest.mark.limit(200)
def test_cut_connections(open_core, target, holdings, record_property):
    check_cuts(open_core, target, holdings, 100)
    record_property("connections cut", 100 * len(MAKE))


@pytest.mark.deep
@pytest.mark.limit(600)
def test_many_cut_connections(open_core, target, holdings, record_property):
    check_cuts(open_core, target, holdings, 10_000)
    record_property("connections cut", 10_000 * len(MAKE))


def play_tls(sock: socket.socket, context: ssl.SSLContext, data: bytes, length: int) -> None:
    """Shakes hands and sends `data`, but nothing behind the first `length` bytes that TLS makes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    shaken = False
    while not shaken:
        try:
            tls.do_handshake()
            tls.write(data)
            shaken = True
        except ssl.SSLWantReadError:
            pass
        piece = outgoing.read()
        sock.sendall(piece[:length])
        length -= len(piece)
        if length <= 0:
            return
        if not shaken and not incoming.write(sock.recv(1 << 16)):
            return


def cut_tls(core: TlsCore, door: str, count: int) -> None:
    """Cuts `count` connections of a door that speaks TLS: in the handshake, or behind it."""
    rng = random.Random(f"cuts of {door} over TLS")
    context = core.authority.context(alpn=["h2"] if door == "grpc" else None)
    port = core.grpc_port if door == "grpc" else core.port
    x = np.ones(30, np.float32)
    sample = Sample(SCALE, {"x": x}, {"y": x * np.float32(FACTOR)})
    for _ in range(count):
        data = b"".join(piece for piece, _ in MAKE[door](rng, sample).pieces)
        with connect_tcp(port) as sock, contextlib.suppress(ConnectionError, TimeoutError):
            # A handshake takes some 600 bytes of a client's.
            play_tls(sock, context, data, rng.randrange(1, len(data) + 800))
            if rng.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def check_tls_cuts(folder, holdings: type, count: int) -> None:
    authority = Authority(folder / "ca")
    core = TlsCore(folder / "core", authority, authority.issue("server")).start()
    assert core.register(SCALE, scale(folder / "scale.onnx", FACTOR)).status_code == 200
    doors = ("http", "grpc")
    for door in doors:
        cut_tls(core, door, 20)
    core.infer(SCALE, {"x": np.ones(3, np.float32)})
    before = holdings(core)
    with ThreadPoolExecutor(len(doors)) as pool:
        cuts = [pool.submit(cut_tls, core, door, count) for door in doors]
        while not all(one.done() for one in cuts):
            answer = core.infer(SCALE, {"x": np.ones(3, np.float32)})
            assert answer["y"].tolist() == [FACTOR] * 3
    for one in cuts:
        one.result()
    now = before.assert_back()
    if not paths.instrumented():
        assert now.rss_bytes - before.resources.rss_bytes < GROWTH_MAX
    assert core.stop() == 0


@pytest.mark.limit(200)
def test_cut_tls_connections(tmp_path, holdings, record_property):
    check_tls_cuts(tmp_path, holdings, 100)
    record_property("connections cut", 200)


@pytest.mark.deep
@pytest.mark.limit(600)
def test_many_cut_tls_connections(tmp_path, holdings, record_property):
    check_tls_cuts(tmp_path, holdings, 2_500)
    record_property("connections cut", 5_000)
