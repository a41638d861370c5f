# SPDX-License-Identifier: MIT
"""Frames over a Unix socket, and the threads that wait for them."""

from __future__ import annotations

import array
import select
import socket
import struct
import threading
import time

from mlos.client import wire
from mlos.client.error import MlosError, ProtocolError
from mlos.client.places import connect_trusted

# Between two looks whether another thread still reads.
_OTHER_READER_S = 0.01


def _connect(path: str, timeout_s: float) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Not settimeout: that would give up at once where Core has others to accept first.
        _limit_sending(connected, timeout_s)
        connected.connect(path)
        _limit_sending(connected, 0)
    except BaseException:
        connected.close()
        raise
    return connected


def _limit_sending(connected: socket.socket, seconds: float) -> None:
    limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


class Connection:
    """A socket whose answers come in any order. One of the waiting threads reads and
    wakes the others. Thread-safe."""

    def __init__(self, path: str | None, timeout_s: float, server_user: str | int | None = None):
        self._socket = connect_trusted(path, server_user, lambda place: _connect(place, timeout_s))
        self._send_lock = threading.Lock()
        self._lock = threading.Condition()
        self._reading = False
        self._broken: Exception | None = None
        self._answers: dict[int, tuple[int, memoryview] | None] = {}

    def close(self) -> None:
        """Ends it; waiting threads get a ProtocolError."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def expect(self, request_id: int) -> None:
        """Says that an answer to this request will be waited for."""
        with self._lock:
            self._answers[request_id] = None

    def send(self, kind: int, request_id: int, parts: list, fd: int | None = None) -> None:
        """Sends one frame, its body in parts. ProtocolError where the other end is gone."""
        size = wire.HEADER.size + sum(map(len, parts))
        if size > wire.FRAME_BYTES_MAX:
            raise ValueError(f"{size} bytes are too many for a frame; put large arrays in a region")
        header = wire.HEADER.pack(size, kind, 0 if fd is None else 1, 0, request_id)
        rights = []
        if fd is not None:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        views = [memoryview(part) for part in (header, *parts) if len(part)]
        with self._send_lock:
            try:
                self._send_all(views, rights)
            except OSError as error:
                # It may have said why, before it went.
                self._drain(request_id)
                raise ProtocolError(f"the connection is gone: {error}") from error

    def _send_all(self, views: list[memoryview], rights: list) -> None:
        while views:
            try:
                sent = self._socket.sendmsg(views, rights, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._make_room()
                continue
            rights = []
            while views and sent >= len(views[0]):
                sent -= len(views.pop(0))
            if sent:
                views[0] = views[0][sent:]

    def _make_room(self) -> None:
        """Waits until more can be sent. Core reads no more from a client that takes no answers, so
        those that come meanwhile are read, here where no other thread does."""
        with self._lock:
            if self._broken is not None:
                raise self._broken
            if not self._reading:
                self._read_for_all(None, select.POLLIN | select.POLLOUT)
                return
        # The other thread may have read what it waited for, and be gone.
        self._await(select.POLLOUT, _OTHER_READER_S)

    def _drain(self, request_id: int) -> None:
        if request_id in self._answers:
            self.wait(request_id, 1.0)

    def wait(self, request_id: int, timeout_s: float | None) -> tuple[int, memoryview]:
        """The type and body of the answer, once."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        with self._lock:
            while True:
                if self._answers.get(request_id) is not None:
                    return self._answers.pop(request_id)
                if self._broken is not None:
                    raise self._broken
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError("no answer yet")
                if self._reading:
                    self._lock.wait(left)
                else:
                    self._read_for_all(left)

    def _read_for_all(self, timeout_s: float | None, events: int = select.POLLIN) -> None:
        """Reads one answer, for whoever waits for it, once one of `events` is there."""
        self._reading = True
        self._lock.release()
        try:
            answer, broken = self._read_one(timeout_s, events), None
        except (OSError, ProtocolError, MlosError) as error:
            answer, broken = None, error
        finally:
            self._lock.acquire()
            self._reading = False
            self._lock.notify_all()
        if isinstance(broken, OSError):
            broken = ProtocolError(f"the connection is gone: {broken}")
        if broken is not None:
            self._broken = broken
        elif answer is not None:
            request_id, kind, body = answer
            # Nobody waits for an answer that was given up.
            if request_id in self._answers:
                self._answers[request_id] = (kind, body)

    def _read_one(
        self, timeout_s: float | None, events: int
    ) -> tuple[int, int, memoryview] | None:
        if timeout_s is not None or events != select.POLLIN:
            if not self._await(events, timeout_s) & ~select.POLLOUT:
                return None
        size, kind, _, _, request_id = wire.HEADER.unpack(self._read(wire.HEADER.size))
        if not wire.HEADER.size <= size <= wire.FRAME_BYTES_MAX:
            raise ProtocolError(f"a frame of {size} bytes came")
        body = self._read(size - wire.HEADER.size)
        if request_id == 0:
            # Of the connection, which Core then closes.
            raise MlosError.decode(body) if kind == wire.Frame.ERROR else ProtocolError("no answer")
        return request_id, kind, body

    def _await(self, events: int, timeout_s: float | None) -> int:
        """Those of `events` that are there, or an end; 0 where none came in time."""
        if self._socket.fileno() < 0:
            raise ProtocolError("the connection is closed")
        poll = select.poll()
        poll.register(self._socket, events)
        return sum(found for _, found in poll.poll(None if timeout_s is None else timeout_s * 1000))

    def _read(self, size: int) -> memoryview:
        view = memoryview(bytearray(size))
        got = 0
        while got < size:
            count = self._socket.recv_into(view[got:])
            if count == 0:
                raise ProtocolError("the connection is gone")
            got += count
        return view
