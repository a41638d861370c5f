# SPDX-License-Identifier: MIT
"""Hostile bytes on the HTTP door. One table per class of attack; after each, Core answers others
and holds no more than before."""

from __future__ import annotations

import contextlib
import gzip
import socket
import time
from collections.abc import Iterator

import pytest

from tests.support import Core
from tests.support.graphs import scale
from tests.support.raw_http import RawReply, connect, exchange, head, parse, read_all, send
from tests.support.waiting import with_time_enough

MIB = 1 << 20
INFER = "POST /models/echo/inference HTTP/1.1"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def echo_core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """Core with the model `echo`, short deadlines and small limits."""
    folder = tmp_path_factory.mktemp("echo")
    core = Core(
        folder, "--body-bytes-max", "4MiB", "--in-flight-bytes-max", "64MiB",
        "--header-timeout-ms", "1500", "--body-timeout-ms", "1500", "--write-timeout-ms", "1500",
        "--idle-timeout-ms", "5000", "--connections-per-peer-max", "400",
    ).start()  # fmt: skip
    assert core.register("echo", scale(folder / "echo.onnx")).status_code == 200
    assert core.post("/models/echo/inference", json={"x": [1]}).status_code == 200
    yield core
    core.stop()


@contextlib.contextmanager
def unchanged(core: Core, growth_bytes: int = 24 * MIB) -> Iterator[None]:
    """Afterwards Core answers, and holds the files, threads and memory it held before."""
    core.get("/health")
    before = core.resources()
    yield
    assert core.get("/health").status_code == 200
    now = core.resources_within(before.fds)
    assert now.fds <= before.fds
    assert now.threads == before.threads
    assert now.rss_bytes <= before.rss_bytes + growth_bytes


def assert_refused(reply: RawReply, status: int, reason: str, name: str = "") -> None:
    assert reply.status == status, (name, reply)
    assert reply.document["reason"] == reason, (name, reply)
    assert reply.headers.get("connection") == "close", (name, reply)
    assert reply.closed, name


SMUGGLING = {
    "CL.TE": head(INFER, "Content-Length: 5", CHUNKED) + b"0\r\n\r\n",
    "TE.CL": head(INFER, CHUNKED, "Content-Length: 5") + b"0\r\n\r\n",
    "TE.TE": head(INFER, CHUNKED, CHUNKED) + b"0\r\n\r\n",
    "chunked, identity": head(INFER, "Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "identity, chunked": head(INFER, "Transfer-Encoding: identity, chunked") + b"0\r\n\r\n",
    "xchunked": head(INFER, "Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "two lengths": head(INFER, "Content-Length: 2", "Content-Length: 3") + b"{}",
    "two equal lengths": head(INFER, "Content-Length: 2", "Content-Length: 2") + b"{}",
    "length list": head(INFER, "Content-Length: 2, 2") + b"{}",
    "+5": head(INFER, "Content-Length: +5") + b"{}   ",
    "0x5": head(INFER, "Content-Length: 0x5") + b"{}   ",
    "2^64": head(INFER, "Content-Length: 18446744073709551616"),
    "space before colon": head(INFER, "Content-Length : 2") + b"{}",
    "tab before colon": head(INFER, "Transfer-Encoding\t: chunked") + b"0\r\n\r\n",
    "bare LF": b"GET /health HTTP/1.1\nHost: localhost\n\n",
    "bare LF in a header": head("GET /health HTTP/1.1", "A: b\nContent-Length: 5"),
    "bare CR in a header": head("GET /health HTTP/1.1", "A: b\rContent-Length: 5"),
    "obs-fold": head("GET /health HTTP/1.1", "A: b\r\n c"),
    "NUL": head("GET /health HTTP/1.1", "A: b\0c"),
    "two hosts": head("GET /health HTTP/1.1", "Host: localhost"),
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "absolute target": head("GET http://evil.example/ HTTP/1.1"),
    "space in target": head("GET /health x HTTP/1.1"),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.0": head("GET /health HTTP/3.0"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "chunk size with sign": head(INFER, CHUNKED) + b"+2\r\n{}\r\n0\r\n\r\n",
    "chunk size with 0x": head(INFER, CHUNKED) + b"0x2\r\n{}\r\n0\r\n\r\n",
    "chunk ended by LF": head(INFER, CHUNKED) + b"2\n{}\n0\n\n",
    "chunk too short": head(INFER, CHUNKED) + b"1\r\n{}\r\n0\r\n\r\n",
    "trailer": head(INFER, CHUNKED) + b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
}


@pytest.mark.smoke
def test_smuggling(echo_core):
    with unchanged(echo_core):
        for name, data in SMUGGLING.items():
            smuggled = data + head("GET /stats HTTP/1.1")
            reply = exchange(echo_core.port, smuggled)
            assert_refused(reply, 400, "MALFORMED_REQUEST", name)


def endless(data: bytes, unit: bytes, size: int) -> bytes:
    return data + unit * (size // len(unit))


GZIP_TWICE = head(INFER, "Content-Encoding: gzip, gzip", "Content-Length: 2")
ONE_BYTE_CHUNKS = endless(head(INFER, CHUNKED), b"1\r\na\r\n", 3_000_000)
KIB_CHUNKS = endless(head(INFER, CHUNKED), b"400\r\n" + b"a" * 1024 + b"\r\n", 20 * MIB)

OVERSIZED = {
    "million headers": (
        endless(b"GET /health HTTP/1.1\r\n", b"A: b\r\n", 6_000_000), 431, "HEADER_TOO_LARGE"),
    "100 MB header": (
        endless(b"GET /health HTTP/1.1\r\nA: ", b"a" * 1024, 100 * MIB), 431, "HEADER_TOO_LARGE"),
    "100 MB request line": (endless(b"GET /", b"a" * 1024, 100 * MIB), 414, "URI_TOO_LONG"),
    "length above the limit": (
        head(INFER, "Content-Length: 10000000000"), 413, "PAYLOAD_TOO_LARGE"),
    "chunks that never end": (KIB_CHUNKS, 413, "PAYLOAD_TOO_LARGE"),
    "half a million one-byte chunks": (ONE_BYTE_CHUNKS, 400, "MALFORMED_REQUEST"),
    "endless chunk header": (
        endless(head(INFER, CHUNKED) + b"1;", b"a" * 1024, MIB), 400, "MALFORMED_REQUEST"),
    "no length and no chunks": (endless(head(INFER), b"a" * 1024, MIB), 411, "LENGTH_REQUIRED"),
    "unmet expectation": (
        head(INFER, "Expect: 200-ok", "Content-Length: 2") + b"{}", 417, "EXPECTATION_FAILED"),
    "brotli": (
        head(INFER, "Content-Encoding: br", "Content-Length: 2") + b"{}",
        415, "UNSUPPORTED_ENCODING"),
    "gzip twice": (GZIP_TWICE + b"{}", 415, "UNSUPPORTED_ENCODING"),
}  # fmt: skip


def test_oversized(echo_core):
    with unchanged(echo_core):
        for name, (data, status, reason) in OVERSIZED.items():
            reply = exchange(echo_core.port, data)
            assert_refused(reply, status, reason, name)


def post_gzip(core: Core, body: bytes):
    headers = {"Content-Encoding": "gzip"}
    return core.post("/models/echo/inference", data=body, headers=headers)


def test_gzip_bodies(echo_core):
    good = post_gzip(echo_core, gzip.compress(b'{"x": [1.5]}'))
    assert good.json()["outputs"]["y"] == [1.5]
    two_members = gzip.compress(b'{"x": ') + gzip.compress(b"[2.5]}")
    assert post_gzip(echo_core, two_members).json()["outputs"]["y"] == [2.5]
    bomb = gzip.compress(gzip.compress(b"\0" * (200 * MIB)))
    with unchanged(echo_core):
        for body, status, reason in [
            (gzip.compress(b" " * (200 * MIB)), 413, "PAYLOAD_TOO_LARGE"),
            (bomb, 400, "MALFORMED_JSON"),
            (gzip.compress(b'{"x": [1]}')[:-4], 400, "MALFORMED_REQUEST"),
            (b'{"x": [1]}', 400, "MALFORMED_REQUEST"),
            (b"", 400, "MALFORMED_REQUEST"),
        ]:
            reply = post_gzip(echo_core, body)
            assert (reply.status_code, reply.json()["reason"]) == (status, reason)


def damaged(packed: bytes) -> dict[bytes, str]:
    """A gzip file in different states of damage, and what is said of each."""
    checksum, length = bytearray(packed), bytearray(packed)
    checksum[-6] ^= 1
    length[-2] ^= 1
    return {
        packed[:-1]: "is cut off",
        packed[:-8]: "is cut off",
        bytes(checksum): "has a checksum that its content does not have",
        bytes(length): "has a length that its content does not have",
        packed + b"garbage at the end": "has bytes behind its end",
    }


def test_damage_of_a_gzip_body_is_named(echo_core):
    for body, problem in damaged(gzip.compress(b'{"x": [1.5]}')).items():
        reply = post_gzip(echo_core, body)
        assert (reply.status_code, reply.json()["reason"]) == (400, "MALFORMED_REQUEST"), problem
        assert reply.json()["message"] == f"the body, sent as gzip, {problem}"


PATHS = {
    "/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd": "INVALID_MODEL_ID",
    "/models/..%5c..%5cwindows": "INVALID_MODEL_ID",
    "/models/..": "INVALID_MODEL_ID",
    "/models/.": "INVALID_MODEL_ID",
    "/models/%252e%252e%252f": "INVALID_MODEL_ID",
    "/models/a%2F%2Fb": "INVALID_MODEL_ID",
    "/models/a%2F..%2Fb": "INVALID_MODEL_ID",
    "/models/hf%2Fa%2F": "INVALID_MODEL_ID",
    "/models/-rf": "INVALID_MODEL_ID",
    "/models/a;x": "INVALID_MODEL_ID",
    "/models/caf%C3%A9": "INVALID_MODEL_ID",
    "/models/" + "a" * 200: "INVALID_MODEL_ID",
    "/models/%00": "MALFORMED_REQUEST",
    "/models/a%0d%0aX:y": "MALFORMED_REQUEST",
    "/models/%c0%ae%c0%ae%c0%af": "MALFORMED_REQUEST",
    "/models/%ff": "MALFORMED_REQUEST",
    "/models/%2": "MALFORMED_REQUEST",
    "/models/%zz": "MALFORMED_REQUEST",
    "//models": "ROUTE_NOT_FOUND",
    "/models//x": "ROUTE_NOT_FOUND",
    "/models/../health": "ROUTE_NOT_FOUND",
    "/models/a/../../health": "ROUTE_NOT_FOUND",
    "/health/": "ROUTE_NOT_FOUND",
    "/health;x": "ROUTE_NOT_FOUND",
    "/models/CON": "MODEL_NOT_FOUND",
}


def test_paths(echo_core):
    for path, reason in PATHS.items():
        reply = exchange(echo_core.port, head(f"GET {path} HTTP/1.1", "Connection: close"))
        assert reply.document["reason"] == reason, path
        assert reply.status == (404 if reason.endswith("NOT_FOUND") else 400), path
        # Beside the id, which is shown as it was asked for.
        assert "/etc" not in reply.document["message"].replace("'../../etc/passwd'", "")


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"]


def test_foreign_hosts_and_origins_on_every_method(echo_core):
    for method in METHODS:
        line = f"{method} /models/echo HTTP/1.1"
        for host in ["evil.example", "localhost.evil.example", "127.0.0.2", "evil.example:8080"]:
            reply = exchange(echo_core.port, head(line, "Connection: close", host=host))
            assert reply.status == 421, (method, host)
        for origin in ["http://evil.example", "null", "http://localhost.evil.example"]:
            reply = exchange(echo_core.port, head(line, "Connection: close", f"Origin: {origin}"))
            assert reply.status == 403, (method, origin)
    assert echo_core.get("/models/echo").status_code == 200
    for host in ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]"]:
        asked = head("GET /health HTTP/1.1", "Connection: close", host=host)
        assert exchange(echo_core.port, asked).status == 200, host


def test_allowed_hosts(make_core):
    core = make_core("--allowed-hosts", "models.example.com").start()
    for host in ["models.example.com", "Models.Example.com:443"]:
        assert core.get("/health", headers={"Host": host}).status_code == 200
    assert core.get("/health", headers={"Host": "evil.example"}).status_code == 421
    origin = {"Origin": "https://models.example.com"}
    assert core.get("/health", headers=origin).status_code == 200


def test_slow_heads_and_bodies(echo_core):
    """Slowloris: many connections that dribble never keep others from being answered."""
    with unchanged(echo_core), contextlib.ExitStack() as stack:
        slow_body = head(INFER, "Content-Length: 9") + b"{"
        slow = []
        for index in range(300):
            slow.append(stack.enter_context(connect(echo_core.port)))
            slow[-1].sendall(b"GET / HTTP/1.1\r\nA" if index % 2 else slow_body)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for sock in slow:
                send(sock, b"a")
            assert echo_core.get("/health", timeout=10).status_code == 200
            time.sleep(0.3)
        replies = [parse(*read_all(sock)) for sock in slow]
    assert {reply.status for reply in replies} == {408}
    assert all(reply.closed for reply in replies)


def test_unfulfilled_expectation_ends(echo_core):
    with connect(echo_core.port) as sock:
        sock.sendall(head(INFER, "Expect: 100-continue", "Content-Length: 10"))
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert_refused(parse(*read_all(sock)), 408, "REQUEST_TIMEOUT")


def test_expectation_is_honoured(echo_core):
    body = b'{"x": [3]}'
    with connect(echo_core.port) as sock:
        length = f"Content-Length: {len(body)}"
        sock.sendall(head(INFER, "Expect: 100-continue", length, "Connection: close"))
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert parse(*read_all(sock)).document["outputs"]["y"] == [3]


def test_a_caller_that_does_not_read_is_cut_off(echo_core):
    numbers = ",".join(["0.12345678"] * 300_000)
    body = f'{{"x":[{numbers}]}}'.encode()

    def is_cut_off(rest_s: float) -> bool:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", echo_core.port))
        with sock:
            sock.sendall(head(INFER, f"Content-Length: {len(body)}") + body)
            time.sleep(rest_s)
            received, closed = read_all(sock)
        return closed and len(received) < len(body)

    with unchanged(echo_core, growth_bytes=48 * MIB):
        with_time_enough(4, is_cut_off)


def test_many_connections_of_one_peer(echo_core):
    with unchanged(echo_core), contextlib.ExitStack() as stack:
        before = echo_core.resources().fds
        for _ in range(900):
            stack.enter_context(connect(echo_core.port))
        asked = head("GET /health HTTP/1.1", "Connection: close")
        assert exchange(echo_core.port, asked).status == 200
        # Those for which there is no room are closed a moment after they are accepted.
        now = echo_core.resources_within(before + 400 + 8)
        assert now.fds <= before + 400 + 8


def test_pipelined_requests_are_answered_in_order(echo_core):
    requests = b""
    for number in range(50):
        body = f'{{"x": [{number}]}}'.encode()
        requests += head(INFER, f"Content-Length: {len(body)}") + body
        requests += head("GET /models HTTP/1.1")
    requests += head("GET /health HTTP/1.1", "Connection: close")
    with connect(echo_core.port) as sock:
        sock.sendall(requests)
        received, closed = read_all(sock)
    assert closed
    replies = []
    while received:
        replies.append(parse(received, closed))
        received = received.partition(b"\r\n\r\n")[2][len(replies[-1].body) :]
    assert [reply.status for reply in replies] == [200] * 101
    assert [r.document["outputs"]["y"] for r in replies[0:100:2]] == [[n] for n in range(50)]


def test_a_caller_that_leaves_harms_nobody(echo_core):
    with unchanged(echo_core):
        for cut in [5, 40, 100, 150]:
            for _ in range(50):
                with connect(echo_core.port) as sock:
                    body = b'{"x": [' + b"1," * 50 + b"1]}"
                    sock.sendall((head(INFER, f"Content-Length: {len(body)}") + body)[:cut])
