# SPDX-License-Identifier: MIT
"""The IPC door under test: the Python client, and a socket that says anything."""

from __future__ import annotations

import array
import socket
import sys
import time
from pathlib import Path

from tests.support import paths
from tests.support.core import Core

sys.path.insert(0, str(paths.ROOT / "sdk" / "python"))

from mlos.client import Client, MlosError, wire  # noqa: E402
from mlos.client.messages import encode_infer, read_result  # noqa: E402
from mlos.client.wire import Frame  # noqa: E402

__all__ = [
    "Client",
    "Frame",
    "IpcCore",
    "MlosError",
    "RawIpc",
    "encode_infer",
    "hello_frame",
    "read_result",
    "settled",
    "wire",
]


class IpcCore(Core):
    """A Core whose IPC door is open, at `socket`."""

    def __init__(self, folder: Path, *args: str):
        super().__init__(folder, *args)
        self.socket = folder / "core.sock"
        self.args += ["--socket", str(self.socket)]

    def command(self) -> list[str]:
        return [part for part in super().command() if part != "--no-ipc"]


class RawIpc:
    """A connection whose bytes and descriptors are the test's own."""

    def __init__(self, path: Path | str, hello: bool = True, timeout_s: float = 10.0):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.socket.settimeout(timeout_s)
        if hello:
            self.send(hello_frame())
            assert self.answer()[0] == Frame.HELLO_OK

    def send(self, data: bytes, fds: list[int] | None = None) -> None:
        """Sends all of it, the descriptors with its first byte."""
        if fds:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
            sent = self.socket.sendmsg([data], rights)
            data = data[sent:]
        if data:
            self.socket.sendall(data)

    def answer(self) -> tuple[int, int, bytes]:
        """Type, request id and body of the next frame; ConnectionError where there is none."""
        size, kind, _, _, request_id = wire.HEADER.unpack(self._read(wire.HEADER.size))
        return kind, request_id, self._read(size - wire.HEADER.size)

    def error(self) -> MlosError:
        """The next frame, which must be a failure."""
        kind, _, body = self.answer()
        assert kind == Frame.ERROR, f"a frame of type {kind:#x}: {body!r}"
        return MlosError.decode(memoryview(body))

    def ended(self) -> bool:
        """Whether Core has closed the connection, without another frame."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> RawIpc:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError("Core has closed the connection")
            data += part
        return data


def hello_frame(magic: int = wire.MAGIC, low: int = wire.VERSION, high: int = wire.VERSION):
    """The first frame of a connection."""
    return wire.frame(Frame.HELLO, 1, wire.HELLO.pack(magic, low, high, 0))


def settled(core, before, timeout_s: float = 20.0) -> bool:
    """Whether Core comes back to the descriptors and threads it had, or fewer: a connection of an
    earlier test may have been on its way out."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        now = core.resources()
        if now.fds <= before.fds and now.threads <= before.threads:
            return True
        time.sleep(0.02)
    return False
