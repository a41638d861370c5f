# SPDX-License-Identifier: MIT
"""Callers that keep a connection and Core waiting: each takes a connected socket."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from tests.support.raw_h2 import INFER, PREFACE, HeadersFrame, RawH2, SettingsFrame, message
from tests.support.raw_http import head, send

Stall = Callable[[socket.socket], None]
_SEND_BUFFER = 16 << 10


def silent(_: socket.socket) -> None:
    """Connects, and no more."""


# ---- HTTP ----


def http_slow_head(sock: socket.socket) -> None:
    send(sock, b"GET /models HTTP/1.1\r\nHo")


def http_slow_body(sock: socket.socket) -> None:
    body = b"[" + b"1," * (8 << 10)
    line = "POST /models/m/inference HTTP/1.1"
    send(sock, head(line, f"Content-Length: {1 << 20}") + body)


def http_slow_reader(sock: socket.socket) -> None:
    """Asks for small replies, without an end, and reads none."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    sock.setblocking(False)
    requests = head("GET /models HTTP/1.1") * 100
    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
        while True:
            sock.send(requests)


# ---- gRPC ----


def grpc_slow_head(sock: socket.socket) -> None:
    send(sock, PREFACE + SettingsFrame(0).serialize() + HeadersFrame(1, b"\x82").serialize())


def grpc_slow_body(sock: socket.socket) -> None:
    raw = RawH2(0, connected=sock)
    raw.send(raw.call(1, INFER, message(b"a" * (8 << 10), length=1 << 20), end=False))


def grpc_slow_reader(sock: socket.socket) -> None:
    """A window of no bytes: no reply is taken."""
    raw = RawH2(0, hello=False, connected=sock)
    settings = SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    calls = b"".join(raw.call(2 * i + 1) for i in range(10))
    raw.send(PREFACE + settings.serialize() + calls)


HTTP_STALLS = [http_slow_head, http_slow_body, http_slow_reader]
GRPC_STALLS = [grpc_slow_head, grpc_slow_body, grpc_slow_reader]
