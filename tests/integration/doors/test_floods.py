# SPDX-License-Identifier: MIT
"""Connections, streams and bodies in the numbers that have brought servers down: Core holds no more
than its limits allow, answers others all the time, and has everything back at the end."""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter

import pytest
from hyperframe.frame import GoAwayFrame

from tests.integration.doors.stalls import (
    grpc_slow_body,
    grpc_slow_reader,
    http_slow_body,
    http_slow_reader,
)
from tests.support import paths
from tests.support.flood import connect, descriptors, dribble, hold, send_together
from tests.support.graphs import scale
from tests.support.open_core import OpenCore
from tests.support.raw_h2 import (
    ENHANCE_YOUR_CALM,
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    HeadersFrame,
    RawH2,
    RstStreamFrame,
    SettingsFrame,
)
from tests.support.raw_http import head, parse, read_all

MIB = 1 << 20
INFER = "POST /models/echo/inference HTTP/1.1"
SLOW, CONNECTIONS, STREAMS, BODIES = 5_000, 20_000, 100_000, 1_000
STALLED, EACH = 2_000, 64 << 10
# What the connections of one address may be.
PER_PEER = 2048

pytestmark = [pytest.mark.deep, pytest.mark.limit(300)]


@pytest.fixture
def flooded(tmp_path, holdings):
    """Starts a Core with `echo` for a flood of so many descriptors; afterwards it holds what it
    held before."""
    with contextlib.ExitStack() as stack:

        def start(count: int, *arguments: str, growth_bytes: int = 48 * MIB) -> OpenCore:
            stack.enter_context(descriptors(count + 500))
            core = OpenCore(tmp_path / "core", *arguments).start()
            stack.callback(core.stop)
            assert core.register("echo", scale(tmp_path / "echo.onnx")).status_code == 200
            assert core.post("/models/echo/inference", json={"x": [1]}).status_code == 200
            time.sleep(0.5)  # a request counts for a moment after its reply
            before = holdings(core)
            stack.callback(lambda: check_back(core, before, growth_bytes))
            return core

        yield start


def check_back(core: OpenCore, before, growth_bytes: int) -> None:
    assert core.post("/models/echo/inference", json={"x": [1]}).status_code == 200
    now = before.assert_back()
    if not paths.instrumented():
        assert now.rss_bytes - before.resources.rss_bytes < growth_bytes


def is_answered(core: OpenCore) -> None:
    assert core.get("/health", timeout=5).status_code == 200


def test_slow_heads_by_the_thousand(flooded):
    """A byte now and then, on 5,000 connections of three addresses: each ends at its deadline, and
    is told, unless a byte that crosses the end resets it."""
    # The allocator keeps what it once gave: less than 24 KiB for each connection.
    core = flooded(SLOW, "--header-timeout-ms", "4000", growth_bytes=SLOW * 24 << 10)
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(core.port, i, sources=3)) for i in range(SLOW)]
        for sock in slow:
            sock.sendall(b"GET / HTTP/1.1\r\nA")
        received: dict[socket.socket, bytes] = {}
        end = time.monotonic() + 60
        while len(received) < SLOW and time.monotonic() < end:
            for at in range(0, SLOW, 500):
                dribble(slow[at : at + 500], received)
                is_answered(core)
    statuses = Counter(parse(data, True).status for data in received.values())
    assert statuses.total() == SLOW, "connections that outlived their deadline"
    assert statuses[408] > 0 and set(statuses) <= {0, 408}, statuses


def test_connections_of_one_peer_by_the_ten_thousand(flooded):
    """Those beyond the limit are closed, and a request of the same address is answered."""
    core = flooded(PER_PEER, "--connections-per-peer-max", str(PER_PEER))
    before = core.resources().fds
    with hold(core.port, CONNECTIONS, processes=4):
        assert core.resources().fds <= before + PER_PEER + 16
        is_answered(core)
        with connect(core.port, 0, sources=1) as sock:
            sock.sendall(head("GET /health HTTP/1.1", "Connection: close"))
            assert parse(*read_all(sock)).status == 200


STALLS = {
    "http-bodies": http_slow_body,
    "http-readers": http_slow_reader,
    "grpc-bodies": grpc_slow_body,
    "grpc-readers": grpc_slow_reader,
}


@pytest.mark.parametrize("name", STALLS)
def test_stalled_callers_by_the_thousand_cost_64_kib_each(flooded, name):
    """Others are answered all the time."""
    patience = ("--body-timeout-ms", "600000", "--write-timeout-ms", "600000")
    core = flooded(STALLED, *patience, growth_bytes=STALLED * EACH)
    port = core.port if name.startswith("http") else core.grpc_port
    before = core.resources().rss_bytes
    with contextlib.ExitStack() as stack:
        for i in range(STALLED):
            sock = stack.enter_context(connect(port, i, sources=1, receive_bytes=16 << 10))
            STALLS[name](sock)
            if i % 100 == 0:
                infers(core)
        for _ in range(20):
            infers(core)
            is_answered(core)
        if not paths.instrumented():
            assert core.resources().rss_bytes - before <= STALLED * EACH


def infers(core: OpenCore) -> None:
    reply = core.post("/models/echo/inference", json={"x": [1]}, timeout=5)
    assert reply.status_code == 200, reply.text


def test_streams_by_the_hundred_thousand_that_nobody_reads(flooded):
    """Core does without the connection: its client has acknowledged how many it may open."""
    core = flooded(100)
    before = core.resources().rss_bytes
    with RawH2(core.grpc_port) as client:
        client.read(SettingsFrame)
        for at in range(0, STREAMS, 500):
            frames = [HeadersFrame(2 * (at + i) + 1, client.head(), flags=["END_HEADERS"])
                      for i in range(500)]  # fmt: skip
            if not client.send(b"".join(frame.serialize() for frame in frames)):
                break
            is_answered(core)
        if not paths.instrumented():
            assert core.resources().rss_bytes - before < 48 * MIB
        seen = client.read(None, 5)
    resets = {frame.error_code for frame in seen if isinstance(frame, RstStreamFrame)}
    goodbyes = {frame.error_code for frame in seen if isinstance(frame, GoAwayFrame)}
    assert resets <= {REFUSED_STREAM}
    assert goodbyes <= {ENHANCE_YOUR_CALM, PROTOCOL_ERROR, NO_ERROR}
    assert resets or goodbyes or client.closed


def test_large_bodies_by_the_thousand_at_once(flooded):
    """Bodies of the largest size, of which a budget of 256 MiB holds a few at a time."""
    limits = ["--body-bytes-max", "16MiB", "--in-flight-bytes-max", "256MiB"]
    # The allocator keeps what it once gave: no more than was counted.
    core = flooded(BODIES, *limits, growth_bytes=256 * MIB)
    body = b'{"x": [' + b"1," * (8 * MIB - 8) + b"1]}"
    assert 16 * MIB - 16 < len(body) <= 16 * MIB
    before = core.resources().rss_bytes
    request = head(INFER, f"Content-Length: {len(body)}", "Connection: close") + body
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(connect(core.port, i, sources=1)) for i in range(BODIES)]
        replies = send_together(sockets, request)
        if not paths.instrumented():
            assert core.resources().rss_bytes - before < 320 * MIB
    statuses = Counter(reply.status for reply in replies)
    assert statuses[503] > 0 and set(statuses) <= {200, 503}, statuses
    refused = [reply for reply in replies if reply.status == 503]
    assert {reply.document["reason"] for reply in refused} == {"OVERLOADED"}
    assert {reply.headers["retry-after"] for reply in refused} == {"1"}
