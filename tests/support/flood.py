# SPDX-License-Identifier: MIT
"""Connections by the thousand, from several addresses of the loopback network.

`python -m tests.support.flood PORT COUNT` opens so many of one address, says "open", and holds them
until its input is closed: more than one process may have descriptors for takes several."""

from __future__ import annotations

import contextlib
import resource
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator

from tests.support import paths, process
from tests.support.raw_http import RawReply, parse

_PIECE = 64 << 10
_IP_BIND_ADDRESS_NO_PORT = 24


@contextlib.contextmanager
def descriptors(count: int) -> Iterator[None]:
    """Lets this process, and what it starts meanwhile, hold `count` descriptors. ValueError where
    that is more than its hard limit."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(count, before[0]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def connect(port: int, number: int, sources: int, receive_bytes: int = 0) -> socket.socket:
    """Connection `number` of many, from the next of so many addresses: 127.0.0.2, 127.0.0.3, …
    With `receive_bytes`, the kernel holds little of what is not read, at both ends."""
    sock = socket.socket()
    sock.settimeout(30)
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
    # The port is chosen when it connects, among all; at the bind it would be one of half of them.
    sock.setsockopt(socket.SOL_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    sock.bind((f"127.0.0.{2 + number % sources}", 0))
    sock.connect(("127.0.0.1", port))
    return sock


def dribble(sockets: list[socket.socket], received: dict[socket.socket, bytes]) -> None:
    """Sends a byte on each that has no answer yet; what came, and b"" for an end, is added."""
    for sock in sockets:
        if sock in received:
            continue
        sock.setblocking(False)
        try:
            received[sock] = sock.recv(4096)
        except BlockingIOError:
            with contextlib.suppress(OSError):
                sock.send(b"a")
        except ConnectionResetError:
            received[sock] = b""


def hold(port: int, count: int, processes: int) -> contextlib.ExitStack:
    """Opens `count` connections from one address, held until what is returned is closed."""
    stack = contextlib.ExitStack()
    holders = []
    for _ in range(processes):
        order = [sys.executable, "-m", "tests.support.flood", str(port), str(count // processes)]
        holder = process.spawn(order, cwd=paths.ROOT, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
        stack.callback(holder.communicate)
        holders.append(holder)
    for holder in holders:
        assert holder.stdout.readline() == "open\n"
    return stack


def send_together(sockets: list[socket.socket], data: bytes) -> list[RawReply]:
    """Sends `data` on all of them at once, a piece on each in turn, and gives the reply of each.
    Who is answered before its end sends no more."""
    sent = dict.fromkeys(sockets, 0)
    received = dict.fromkeys(sockets, b"")
    view = memoryview(data)
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while selector.get_map():
            events = selector.select(timeout=60)
            if not events:
                raise TimeoutError(f"{len(selector.get_map())} requests have no answer")
            for key, mask in events:
                sock = key.fileobj
                if mask & selectors.EVENT_READ and not _receive(sock, received):
                    selector.unregister(sock)
                elif mask & selectors.EVENT_WRITE and not _send(sock, view, sent, received):
                    selector.modify(sock, selectors.EVENT_READ)
    return [parse(received[sock], True) for sock in sockets]


def _send(sock: socket.socket, view: memoryview, sent: dict, received: dict) -> bool:
    """False once there is nothing more to send."""
    if received[sock]:
        return False
    try:
        sent[sock] += sock.send(view[sent[sock] : sent[sock] + _PIECE])
    except BlockingIOError:
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False
    return sent[sock] < len(view)


def _receive(sock: socket.socket, received: dict) -> bool:
    """False once the reply is whole, or will not be."""
    try:
        piece = sock.recv(1 << 16)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False
    received[sock] += piece
    return bool(piece)


def main(port: int, count: int) -> None:
    with descriptors(count + 100), contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connect(port, 0, sources=1))
        print("open", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
