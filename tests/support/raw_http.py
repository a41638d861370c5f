# SPDX-License-Identifier: MIT
"""Requests no HTTP library would send: bytes as they are given, over a plain socket."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class RawReply:
    """The first reply on a connection and whether the server then closed it."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool

    @property
    def document(self) -> dict:
        return json.loads(self.body)


def connect(port: int, timeout_s: float = 30.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout_s)


def head(line: str, *headers: str, host: str = "localhost") -> bytes:
    """A request head with a Host."""
    return "\r\n".join([line, f"Host: {host}", *headers, "", ""]).encode("latin-1")


def exchange(port: int, data: bytes, timeout_s: float = 30.0) -> RawReply:
    """Sends `data`, as much of it as the server takes, and reads all that comes until the server
    closes, or stops to send for `timeout_s`."""
    with connect(port, timeout_s) as sock:
        send(sock, data)
        return parse(*read_all(sock))


def send(sock: socket.socket, data: bytes) -> None:
    """Sends what the server takes: it may close in the middle."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(data)


def read_all(sock: socket.socket) -> tuple[bytes, bool]:
    """Everything until the server closes (True) or the socket's timeout has passed (False)."""
    received = b""
    try:
        while piece := sock.recv(1 << 16):
            received += piece
    except TimeoutError:
        return received, False
    except ConnectionResetError:
        return received, True
    return received, True


def parse(received: bytes, closed: bool) -> RawReply:
    """The first reply in `received`; status 0 where there is none."""
    top, _, rest = received.partition(b"\r\n\r\n")
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", top)
    lines = top.decode("latin-1").split("\r\n")[1:]
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    return RawReply(int(match[1]) if match else 0, headers, rest[:length], closed)
