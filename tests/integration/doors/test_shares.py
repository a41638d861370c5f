# SPDX-License-Identifier: MIT
"""One address takes all the connections it can get and does as little with them as it can. Another
one connects all the same, up to half of all, and is answered on each; alone, one has all but an
eighth."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.flood import connect, descriptors
from tests.support.open_core import OpenCore
from tests.support.raw_h2 import (
    INFER,
    PREFACE,
    HeadersFrame,
    RawH2,
    SettingsFrame,
    message,
)
from tests.support.raw_http import head, send

LIMIT = 64
# HTTP keeps an eighth of its connections for health checks.
ORDINARY = {"http": LIMIT - LIMIT // 8, "grpc": LIMIT}

Attack = Callable[[socket.socket], None]


def silent(_: socket.socket) -> None:
    """Connects, and no more."""


# ---- HTTP ----


def http_slow_head(sock: socket.socket) -> None:
    send(sock, b"GET /models HTTP/1.1\r\nHo")


def http_slow_body(sock: socket.socket) -> None:
    send(sock, head("POST /models/m/inference HTTP/1.1", "Content-Length: 100") + b"{")


def http_slow_reader(sock: socket.socket) -> None:
    """Large replies, asked for again and again and not read."""
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
        while True:
            sock.send(head("GET /openapi.json HTTP/1.1"))


class HttpCaller:
    """A connection of the other address."""

    def __init__(self, core: OpenCore):
        self.socket = socket.create_connection(("127.0.0.1", core.port), timeout=30)

    def is_answered(self) -> bool:
        """Whether it is open still, and a request on it is answered."""
        send(self.socket, head("GET /models HTTP/1.1"))
        received = b""
        while b'"models"' not in received:
            try:
                piece = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return False
            if not piece:
                return False
            received += piece
        return received.startswith(b"HTTP/1.1 200 ")

    def close(self) -> None:
        self.socket.close()


# ---- gRPC ----


def grpc_slow_head(sock: socket.socket) -> None:
    send(sock, PREFACE + SettingsFrame(0).serialize() + HeadersFrame(1, b"\x82").serialize())


def grpc_slow_body(sock: socket.socket) -> None:
    raw = RawH2(0, connected=sock)
    raw.send(raw.call(1, INFER, message(b"a", length=100), end=False))


def grpc_slow_reader(sock: socket.socket) -> None:
    """A window of no bytes: no reply is taken."""
    raw = RawH2(0, hello=False, connected=sock)
    settings = SettingsFrame(0, settings={SettingsFrame.INITIAL_WINDOW_SIZE: 0})
    raw.send(PREFACE + settings.serialize() + raw.call(1))


class GrpcCaller:
    """As HttpCaller."""

    def __init__(self, core: OpenCore):
        self.raw = RawH2(core.grpc_port)
        self.streams = 0

    def is_answered(self) -> bool:
        stream = 2 * self.streams + 1
        self.streams += 1
        self.raw.send(self.raw.call(stream))
        return self.raw.trailers(stream).get("grpc-status") == "0"

    def close(self) -> None:
        self.raw.socket.close()


CALLERS = {"http": HttpCaller, "grpc": GrpcCaller}
ATTACKS = [
    ("http", silent), ("http", http_slow_head), ("http", http_slow_body),
    ("http", http_slow_reader), ("grpc", silent), ("grpc", grpc_slow_head),
    ("grpc", grpc_slow_body), ("grpc", grpc_slow_reader),
]  # fmt: skip


@pytest.fixture
def core(tmp_path: Path) -> Iterator[OpenCore]:
    """Core with a thread for each door, so that all connections are one share."""
    threads = ("--http-threads", "1", "--grpc-threads", "1")
    with descriptors(20 * LIMIT):
        core = OpenCore(tmp_path / "core", "--connections-max", str(LIMIT), *threads).start()
        core.session.close()
        yield core
        assert core.stop() == 0


def port_of(core: OpenCore, door: str) -> int:
    return core.port if door == "http" else core.grpc_port


def attack_from_one_address(core: OpenCore, door: str, attack: Attack,
                            stack: contextlib.ExitStack) -> None:  # fmt: skip
    for _ in range(2 * LIMIT):
        sock = stack.enter_context(connect(port_of(core, door), 0, sources=1))
        attack(sock)


@pytest.mark.parametrize(
    ("door", "attack"), ATTACKS, ids=lambda value: getattr(value, "__name__", value)
)
def test_one_address_keeps_no_other_from_half(core: OpenCore, door: str, attack: Attack):
    with contextlib.ExitStack() as stack:
        attack_from_one_address(core, door, attack, stack)
        mine = []
        for _ in range(ORDINARY[door] // 2):
            mine.append(stack.enter_context(contextlib.closing(CALLERS[door](core))))
            assert mine[-1].is_answered(), f"connection {len(mine)}"
        attack_from_one_address(core, door, attack, stack)
        assert all(caller.is_answered() for caller in mine)


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_one_who_is_alone_has_all_but_an_eighth(core: OpenCore, door: str):
    with contextlib.ExitStack() as stack:
        mine = []
        for _ in range(LIMIT + 20):
            mine.append(stack.enter_context(contextlib.closing(CALLERS[door](core))))
            assert mine[-1].is_answered(), f"connection {len(mine)}"
        left = sum(caller.is_answered() for caller in mine)
        assert left == ORDINARY[door] - ORDINARY[door] // 8
