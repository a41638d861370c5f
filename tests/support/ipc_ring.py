# SPDX-License-Identifier: MIT
"""Memory to hand to Core, and a ring in it whose words are the test's own."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import struct
import time

from tests.support.ipc import Frame, MlosError, RawIpc, wire

ADD_SEALS, SHRINK, GROW, SEAL_WRITE = 1033, 2, 4, 8


def memfd(size: int, seals: int = SHRINK | GROW, fill: bool = True) -> int:
    """A memfd; with `fill` its pages are there."""
    fd = os.memfd_create("test", os.MFD_ALLOW_SEALING)
    os.posix_fallocate(fd, 0, size) if fill and size else os.ftruncate(fd, size)
    fcntl.fcntl(fd, ADD_SEALS, seals)
    return fd


class RawRing:
    """A ring whose words are the test's own. MlosError where Core serves no other."""

    def __init__(self, raw: RawIpc, slots: int = 4, slot_bytes: int = 4096):
        self.slots, self.slot_bytes = slots, slot_bytes
        size = 4096 + 2 * slots * slot_bytes
        fd = memfd(size)
        self.memory = mmap.mmap(fd, size)
        self.words = memoryview(self.memory).cast("I")
        body = struct.pack("<II", slots, slot_bytes)
        raw.send(wire.frame(Frame.ATTACH_RING, 7, body, descriptors=1), fds=[fd])
        os.close(fd)
        kind, _, answer = raw.answer()
        if kind == Frame.ERROR:
            raise MlosError.decode(memoryview(answer))
        assert kind == Frame.RING
        self.tail = self.head = 0

    def put(self, frame: bytes) -> None:
        start = 4096 + self.tail % self.slots * self.slot_bytes
        self.memory[start : start + len(frame)] = frame
        self.tail += 1
        self.publish(self.tail)

    def publish(self, tail: int) -> None:
        """Sets the tail and rings, whether Core sleeps or not."""
        self.words[0] = tail & 0xFFFFFFFF
        self.words[32] += 1
        address = ctypes.addressof(ctypes.c_uint32.from_buffer(self.memory, 128))
        ctypes.CDLL(None).syscall(202, ctypes.c_void_p(address), 1, 1000, None, None, 0)

    def get(self, timeout_s: float = 10.0) -> tuple[int, int, bytes]:
        end = time.monotonic() + timeout_s
        while self.words[64] == self.head:
            assert time.monotonic() < end, "no answer in the ring"
            time.sleep(0.001)
        start = 4096 + (self.slots + self.head % self.slots) * self.slot_bytes
        size, kind, _, _, number = wire.HEADER.unpack_from(self.memory, start)
        self.head += 1
        body = self.memory[start + 16 : start + size]
        self.words[80] = self.head
        return kind, number, body
