# SPDX-License-Identifier: MIT
"""Clients of the IPC door that break the protocol, lie about memory or vanish: they are told or
dropped, the others are served on, and nothing of theirs is left behind."""

from __future__ import annotations

import ctypes
import os
import random
import socket
import struct
import time
from collections.abc import Iterator

import numpy as np
import pytest
from onnx import TensorProto

from tests.support.graphs import identity, slow
from tests.support.ipc import (
    Client, Frame, IpcCore, MlosError, RawIpc, encode_infer, hello_frame, settled, wire,
)  # fmt: skip
from tests.support.ipc_ring import GROW, SEAL_WRITE, SHRINK, RawRing, memfd

X = np.ones((1, 4), np.float32)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpcCore]:
    """Core with `f` (float32), `s` (string) and `slow`."""
    folder = tmp_path_factory.mktemp("hostile")
    core = IpcCore(folder, "--in-flight-bytes-max", "96MiB", "--body-bytes-max", "64MiB").start()
    kinds = {"f": TensorProto.FLOAT, "s": TensorProto.STRING}
    for name, dtype in kinds.items():
        assert core.register(name, identity(folder / f"{name}.onnx", dtype)).status_code == 200
    assert core.register("slow", slow(folder / "slow.onnx", 100)).status_code == 200
    with Client(str(core.socket)) as client:
        client.infer("f", {"x": X})
    yield core
    assert core.stop() == 0


@pytest.fixture(autouse=True)
def untouched(core: IpcCore) -> Iterator[None]:
    """After each test Core answers as before and holds no more than before."""
    before = core.resources()
    yield
    with Client(str(core.socket)) as client:
        assert (client.infer("f", {"x": X}).outputs["y"] == X).all()
    assert settled(core, before), f"before {before}, now {core.resources()}"


def infer_frame(request_id: int = 7, **changes: object) -> bytes:
    """A whole inference of `f`."""
    parts = encode_infer("f", {"x": X}, [], 0, False)
    return wire.frame(Frame.INFER, request_id, b"".join(map(bytes, parts)))


def header(size: int, kind: int = Frame.HEALTH, fds: int = 0, reserved: int = 0, number: int = 7):
    return wire.HEADER.pack(size, kind, fds, reserved, number)


BREACHES = {
    "frame of 0 bytes": (header(0), "MALFORMED_REQUEST"),
    "frame shorter than its header": (header(15), "MALFORMED_REQUEST"),
    "frame of 2 GiB": (header(1 << 31), "PAYLOAD_TOO_LARGE"),
    "frame of 4 GiB": (header(0xFFFFFFFF), "PAYLOAD_TOO_LARGE"),
    "frame one byte too long": (header((16 << 20) + 1), "PAYLOAD_TOO_LARGE"),
    "reserved bytes": (header(16, reserved=1), "MALFORMED_REQUEST"),
    "request number 0": (header(16, number=0), "MALFORMED_REQUEST"),
    "a second hello": (hello_frame(), "MALFORMED_REQUEST"),
    "5 descriptors announced": (header(16, fds=5), "MALFORMED_REQUEST"),
    "a descriptor that does not come": (header(16, fds=1), "MALFORMED_REQUEST"),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "PAYLOAD_TOO_LARGE"),
}


@pytest.mark.parametrize("case", BREACHES.values(), ids=BREACHES)
def test_a_breach_is_told_and_ends_the_connection(core, case):
    data, reason = case
    with RawIpc(core.socket) as raw:
        raw.send(data)
        kind, request_id, body = raw.answer()
        assert (kind, request_id) == (Frame.ERROR, 0)
        assert MlosError.decode(memoryview(body)).reason == reason
        assert raw.ended()


HELLOS = {
    "wrong magic": (hello_frame(magic=1), "MALFORMED_REQUEST"),
    "version of tomorrow": (hello_frame(low=2, high=9), "UNIMPLEMENTED"),
    "no version": (hello_frame(low=0, high=0), "UNIMPLEMENTED"),
    "no hello": (header(16), "MALFORMED_REQUEST"),
    "short hello": (wire.frame(Frame.HELLO, 1, b"\0" * 8), "MALFORMED_REQUEST"),
    "long hello": (wire.frame(Frame.HELLO, 1, b"\0" * 64), "MALFORMED_REQUEST"),
    "garbage": (bytes(range(256)), "PAYLOAD_TOO_LARGE"),
}


@pytest.mark.parametrize("case", HELLOS.values(), ids=HELLOS)
def test_a_bad_hello_ends_the_connection(core, case):
    data, reason = case
    with RawIpc(core.socket, hello=False) as raw:
        raw.send(data)
        assert raw.error().reason == reason
        assert raw.ended()


def test_a_number_in_flight_is_not_used_again(core):
    with RawIpc(core.socket) as raw:
        parts = encode_infer("slow", {"x": np.ones(1, np.float32)}, [], 0, False)
        frame = wire.frame(Frame.INFER, 7, b"".join(map(bytes, parts)))
        raw.send(frame + frame)
        assert raw.error().reason == "CONFLICT"


def entry(name=b"x", dtype=1, shape=(1, 4), region=0, offset=128, size=16) -> bytes:
    head = wire.ENTRY.pack(len(name), dtype, len(shape), region, offset, size)
    return head + struct.pack(f"<{len(shape)}q", *shape) + wire.text(name)


def infer_body(*entries: bytes, outputs: int = 0, flags: int = 0, tail: int = 256) -> bytes:
    counts = (1, len(entries) - outputs, outputs, flags)
    body = wire.INFER.pack(*counts, 0) + wire.text(b"f") + b"".join(entries)
    return body.ljust(tail, b"\0")


LIES = {
    "empty": (b"", "MALFORMED_REQUEST", ""),
    "cut": (infer_body(entry())[:40], "MALFORMED_REQUEST", ""),
    "65535 inputs": (wire.INFER.pack(1, 65535, 0, 0, 0) + wire.text(b"f"), "MALFORMED_REQUEST", ""),
    "unknown flag": (infer_body(entry(), flags=16), "INVALID_FIELD", "flags"),
    "a sequence without an id": (infer_body(bytes(8), flags=2), "INVALID_FIELD", "sequence_id"),
    "an id longer than the frame": (
        infer_body(b"\xff" * 8, flags=2), "MALFORMED_REQUEST", ""),
    "a start of no sequence": (infer_body(entry(), flags=4), "INVALID_FIELD", "sequence_start"),
    "padding": (infer_body(entry()).replace(b"f\0", b"f\1", 1), "MALFORMED_REQUEST", ""),
    "65 dimensions": (infer_body(entry(shape=(1,) * 65), tail=1024), "MALFORMED_REQUEST", ""),
    "no such dtype": (infer_body(entry(dtype=77)), "DTYPE_MISMATCH", "x"),
    "dtype 0": (infer_body(entry(dtype=0)), "DTYPE_MISMATCH", "x"),
    "bytes beyond the frame": (infer_body(entry(offset=256)), "INVALID_FIELD", "x"),
    "offset overflows": (infer_body(entry(offset=2**64 - 64)), "INVALID_FIELD", "x"),
    "offset not aligned": (infer_body(entry(offset=130)), "INVALID_FIELD", "x"),
    "bytes over the entries": (infer_body(entry(offset=0)), "INVALID_FIELD", "x"),
    "no such region": (infer_body(entry(region=9)), "INVALID_FIELD", "x"),
    "output with a shape": (infer_body(entry(), entry(b"y"), outputs=1), "INVALID_FIELD", "y"),
    "name of 64 KiB": (
        infer_body(entry(b"n" * 65535, offset=1 << 17), tail=1 << 18),
        "UNKNOWN_INPUT", "n" * 65535),
}  # fmt: skip


@pytest.mark.parametrize("case", LIES.values(), ids=LIES)
def test_an_inference_that_lies_is_refused(core, case):
    body, reason, field = case
    with RawIpc(core.socket) as raw:
        raw.send(wire.frame(Frame.INFER, 7, body))
        error = raw.error()
        assert (error.reason, error.code) == (reason, "INVALID_ARGUMENT"), error
        assert error.field == field[:16384]
        raw.send(infer_frame(8))
        assert raw.answer()[:2] == (Frame.RESULT, 8)


STRINGS = {
    "too few": struct.pack("<I", 1) + b"a",
    "too many": struct.pack("<I", 0) * 3,
    "beyond the end": struct.pack("<I", 0xFFFFFFFF) + b"abcd",
    "half a length": struct.pack("<I", 0) + b"\1\0",
    "none": b"",
}


@pytest.mark.parametrize("data", STRINGS.values(), ids=STRINGS)
def test_strings_that_do_not_fill_their_shape(core, data):
    body = wire.INFER.pack(1, 1, 0, 0, 0) + wire.text(b"s")
    body += entry(dtype=8, shape=(1, 2), size=len(data))
    with RawIpc(core.socket) as raw:
        raw.send(wire.frame(Frame.INFER, 7, body.ljust(128, b"\0") + data))
        assert raw.error().reason == "SHAPE_MISMATCH"


def test_frames_of_unknown_types_are_answered(core):
    with RawIpc(core.socket) as raw:
        raw.send(wire.frame(0x77, 5, b"whatever"))
        kind, request_id, body = raw.answer()
        assert (kind, request_id) == (Frame.ERROR, 5)
        assert MlosError.decode(memoryview(body)).reason == "UNIMPLEMENTED"


def test_bytes_may_come_one_by_one(core):
    with RawIpc(core.socket, hello=False) as raw:
        for byte in hello_frame() + infer_frame():
            raw.send(bytes([byte]))
        assert raw.answer()[0] == Frame.HELLO_OK
        assert raw.answer()[:2] == (Frame.RESULT, 7)


def test_connections_cut_anywhere(core):
    rng = random.Random(5)
    whole = hello_frame() + infer_frame(2) + infer_frame(3) + header(1 << 20, Frame.INFER)
    for _ in range(200):
        with RawIpc(core.socket, hello=False) as raw:
            raw.send(whole[: rng.randrange(len(whole))])
            if rng.random() < 0.5:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_rings_cut_anywhere(core):
    rng = random.Random(6)
    whole = infer_frame(2) + infer_frame(3)
    for _ in range(60):
        with RawIpc(core.socket) as raw:
            ring = RawRing(raw)
            for number in range(rng.randrange(4)):
                ring.put(infer_frame(50 + number))
            raw.send(whole[: rng.randrange(len(whole))])


def test_what_never_comes_takes_no_memory(core):
    """Frames announced and not sent hold next to nothing of the 96 MiB that all may hold."""
    raws = [RawIpc(core.socket) for _ in range(40)]
    for raw in raws:
        raw.send(header(16 << 20, Frame.INFER) + b"x" * 100)
    with Client(str(core.socket)) as client:
        big = np.ones((250_000, 4), np.float32)
        assert (client.infer("f", {"x": big}).outputs["y"] == 1).all()
    for raw in raws:
        raw.close()


def test_more_than_the_budget_is_refused_and_the_connection_lives(core):
    raws = [RawIpc(core.socket) for _ in range(8)]
    body = b"\0" * ((16 << 20) - 64)
    for raw in raws:
        raw.send(header(16 << 20, Frame.INFER) + body)
    with RawIpc(core.socket) as raw:
        raw.send(header(16 << 20, Frame.INFER) + body + b"\0" * 48)
        assert raw.error().reason == "OVERLOADED"
        raw.send(infer_frame(8))
        assert raw.answer()[:2] == (Frame.RESULT, 8)
    for raw in raws:
        raw.close()


def test_a_flood_of_descriptors_is_closed(core):
    read, write = os.pipe()
    try:
        for count in (5, 100, 253):
            with RawIpc(core.socket) as raw:
                raw.send(header(16), fds=[read] * count)
                assert raw.error().reason == "MALFORMED_REQUEST"
                assert raw.ended()
        with RawIpc(core.socket) as raw:
            raw.send(header(16, fds=2), fds=[read, write])
            assert raw.error().reason == "INVALID_FIELD"
            raw.send(header(16, number=9), fds=[read])
            assert raw.answer()[:2] == (Frame.DOCUMENT, 9)
            assert raw.error().reason == "MALFORMED_REQUEST"
    finally:
        os.close(read)
        os.close(write)


def pipe_end() -> int:
    read, write = os.pipe()
    os.close(write)
    return read


def temporary_file() -> int:
    fd = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR)
    os.posix_fallocate(fd, 0, 4096)
    return fd


def read_only(size: int) -> int:
    fd = memfd(size)
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    os.close(fd)
    return again


DESCRIPTORS = {
    "no seals": (lambda: memfd(4096, 0), wire.READ, "INVALID_FIELD"),
    "may shrink": (lambda: memfd(4096, GROW), wire.READ, "INVALID_FIELD"),
    "may grow": (lambda: memfd(4096, SHRINK), wire.READ, "INVALID_FIELD"),
    "empty": (lambda: memfd(0), wire.READ, "INVALID_FIELD"),
    "a hole of 1 TiB": (lambda: memfd(1 << 40, fill=False), wire.READ, "PAYLOAD_TOO_LARGE"),
    "a hole": (lambda: memfd(1 << 20, fill=False), wire.READ, "INVALID_FIELD"),
    "folder": (lambda: os.open("/", os.O_RDONLY), wire.READ, "INVALID_FIELD"),
    "pipe": (pipe_end, wire.READ, "INVALID_FIELD"),
    "socket": (lambda: socket.socket(socket.AF_UNIX).detach(), wire.READ, "INVALID_FIELD"),
    "device": (lambda: os.open("/dev/zero", os.O_RDONLY), wire.READ, "INVALID_FIELD"),
    "memory": (lambda: os.open("/proc/self/mem", os.O_RDONLY), wire.READ, "INVALID_FIELD"),
    "path": (lambda: os.open("/tmp", os.O_PATH), wire.READ, "INVALID_FIELD"),
    "tmpfs file": (temporary_file, wire.READ, "INVALID_FIELD"),
    "output into sealed": (
        lambda: memfd(4096, SHRINK | GROW | SEAL_WRITE), wire.WRITE, "INVALID_FIELD"),
    "output into read-only": (lambda: read_only(4096), wire.WRITE, "INVALID_FIELD"),
    "access 3": (lambda: memfd(4096), 3, "INVALID_FIELD"),
}  # fmt: skip


@pytest.mark.parametrize("case", DESCRIPTORS.values(), ids=DESCRIPTORS)
def test_only_sealed_memory_is_mapped(core, case):
    make, access, reason = case
    fd = make()
    try:
        with RawIpc(core.socket) as raw:
            body = wire.MAP_REGION.pack(1, access)
            raw.send(wire.frame(Frame.MAP_REGION, 7, body, descriptors=1), fds=[fd])
            assert raw.error().reason == reason
            raw.send(infer_frame(8))
            assert raw.answer()[:2] == (Frame.RESULT, 8)
    finally:
        os.close(fd)


def map_region(raw: RawIpc, fd: int, number: int = 1, access: int = wire.READ) -> None:
    body = wire.MAP_REGION.pack(number, access)
    raw.send(wire.frame(Frame.MAP_REGION, 7, body, descriptors=1), fds=[fd])
    assert raw.answer()[0] == Frame.REGION


def test_sealed_memory_does_not_shrink_under_core(core):
    fd = memfd(1 << 20)
    with RawIpc(core.socket) as raw:
        map_region(raw, fd)
        with pytest.raises(PermissionError):
            os.ftruncate(fd, 0)
        # A hole may be made, and reads as zeros.
        libc = ctypes.CDLL(None, use_errno=True)
        libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(1 << 20))
        raw.send(wire.frame(Frame.INFER, 8, infer_body(entry(region=1, offset=0))))
        assert raw.answer()[:2] == (Frame.RESULT, 8)
    os.close(fd)


PLACES = {
    "beyond the end": {"offset": 4096},
    "over the end": {"offset": 4032, "size": 128, "shape": (1, 32)},
    "offset overflows": {"offset": 2**64 - 64},
    "not aligned": {"offset": 8},
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_places_outside_a_region(core, place):
    fd = memfd(4096)
    with RawIpc(core.socket) as raw:
        map_region(raw, fd)
        map_region(raw, fd, number=2, access=wire.WRITE)
        raw.send(wire.frame(Frame.INFER, 8, infer_body(entry(region=1, **place))))
        error = raw.error()
        assert (error.reason, error.field) == ("INVALID_FIELD", "x")
        wanted = entry(b"y", 0, (), 2, place["offset"], place.get("size", 16))
        raw.send(wire.frame(Frame.INFER, 9, infer_body(entry(), wanted, outputs=1)))
        error = raw.error()
        assert (error.reason, error.field) == ("INVALID_FIELD", "y")
    os.close(fd)


def test_regions_are_for_one_purpose_and_have_one_number(core):
    fd = memfd(4096)
    with RawIpc(core.socket) as raw:
        map_region(raw, fd)
        map_region(raw, fd, number=2, access=wire.WRITE)
        raw.send(wire.frame(Frame.INFER, 8, infer_body(entry(region=2, offset=0))))
        assert raw.error().field == "x"
        wanted = entry(b"y", 0, (), 1, 0, 64)
        raw.send(wire.frame(Frame.INFER, 8, infer_body(entry(), wanted, outputs=1)))
        assert raw.error().field == "y"
        body = wire.MAP_REGION.pack(1, wire.READ)
        raw.send(wire.frame(Frame.MAP_REGION, 9, body, descriptors=1), fds=[fd])
        assert raw.error().field == "region_id"
        raw.send(wire.frame(Frame.UNMAP_REGION, 9, wire.MAP_REGION.pack(5, 0)))
        assert raw.error().field == "region_id"
    os.close(fd)


def test_regions_are_bounded(core):
    fd = memfd(4096)
    with RawIpc(core.socket) as raw:
        for number in range(1, 65):
            map_region(raw, fd, number)
        body = wire.MAP_REGION.pack(65, wire.READ)
        raw.send(wire.frame(Frame.MAP_REGION, 7, body, descriptors=1), fds=[fd])
        assert raw.error().reason == "OVERLOADED"
    os.close(fd)


def test_too_many_in_flight_are_refused_at_once(core):
    with Client(str(core.socket)) as client:
        x = {"x": np.ones(1, np.float32)}
        pending = [client.submit("slow", x) for _ in range(client.requests_max + 10)]
        for request in pending:
            request.cancel()
        reasons = [refused(request) for request in pending]
        assert reasons.count("OVERLOADED") >= 10
        assert set(reasons) <= {"OVERLOADED", "CANCELLED", ""}


def refused(request) -> str:
    try:
        request.result()
    except MlosError as error:
        return error.reason
    return ""


def test_a_client_that_does_not_read_is_not_read_from(core):
    with RawIpc(core.socket) as raw:
        big = np.ones((2000, 4), np.float32)
        parts = encode_infer("f", {"x": big}, [], 0, False)
        body = b"".join(map(bytes, parts))
        raw.socket.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            for sent in range(2, 5000):
                raw.send(wire.frame(Frame.INFER, sent, body))
        assert sent < 1000
        with Client(str(core.socket)) as client:
            assert client.health()["status"] == "healthy"


def test_a_ring_answers_as_the_socket_does(core):
    with RawIpc(core.socket) as raw:
        ring = RawRing(raw)
        for i in range(50):
            ring.put(infer_frame(100 + i))
            kind, number, body = ring.get()
            assert (kind, number) == (Frame.RESULT, 100 + i)
            assert body.endswith(X.tobytes())
        # Answers wait where all slots are taken.
        for i in range(4):
            ring.put(infer_frame(200 + i))
        deadline = time.monotonic() + 10
        while ring.words[16] != ring.tail & 0xFFFFFFFF and time.monotonic() < deadline:
            time.sleep(0.001)
        for i in range(4):
            ring.put(infer_frame(300 + i))
        assert [ring.get()[1] for _ in range(8)] == [*range(200, 204), *range(300, 304)]
        raw.send(infer_frame(9))
        assert raw.answer()[:2] == (Frame.RESULT, 9)


def test_what_does_not_fit_a_slot_is_said(core):
    with RawIpc(core.socket) as raw:
        ring = RawRing(raw, slot_bytes=1024)
        ring.put(wire.frame(Frame.LIST_MODELS, 5))
        kind, _, body = ring.get()
        assert kind == Frame.ERROR
        assert MlosError.decode(memoryview(body)).reason == "PAYLOAD_TOO_LARGE"
        ring.put(wire.frame(Frame.INFER, 6, infer_body(entry(b"n" * 600), tail=1000)))
        kind, _, body = ring.get()
        error = MlosError.decode(memoryview(body))
        assert (error.reason, error.field) == ("INVALID_FIELD", "n" * 600)


GARBAGE = {
    "tail beyond": lambda ring: ring.publish(5),
    "tail before": lambda ring: ring.publish(0xFFFFFFFF),
    "tail anywhere": lambda ring: ring.publish(0x12345678),
    "frame of 0 bytes": lambda ring: ring.put(header(0)),
    "frame longer than its slot": lambda ring: ring.put(header(4097)),
    "frame of 4 GiB": lambda ring: ring.put(header(0xFFFFFFFF)),
    "descriptor": lambda ring: ring.put(header(16, fds=1)),
    "number 0": lambda ring: ring.put(header(16, number=0)),
}


@pytest.mark.parametrize("act", GARBAGE.values(), ids=GARBAGE)
def test_garbage_in_a_ring_ends_the_connection(core, act):
    with RawIpc(core.socket) as raw:
        ring = RawRing(raw)
        act(ring)
        error = raw.error()
        assert error.reason in ("MALFORMED_REQUEST", "PAYLOAD_TOO_LARGE")
        assert raw.ended()


RING_FORMS = {
    "no slots": (0, 4096), "3 slots": (3, 4096), "2048 slots": (2048, 4096),
    "small slots": (4, 512), "odd slots": (4, 4100), "large slots": (4, 2 << 20),
    "smaller memory": (64, 65536),
}  # fmt: skip


@pytest.mark.parametrize("form", RING_FORMS.values(), ids=RING_FORMS)
def test_rings_of_bad_form(core, form):
    fd = memfd(65536)
    with RawIpc(core.socket) as raw:
        body = struct.pack("<II", *form)
        raw.send(wire.frame(Frame.ATTACH_RING, 7, body, descriptors=1), fds=[fd])
        assert raw.error().reason == "INVALID_FIELD"
    os.close(fd)


def test_ring_threads_end_with_their_connections(core):
    for _ in range(10):
        raws = [RawIpc(core.socket) for _ in range(4)]
        for raw in raws:
            RawRing(raw).put(infer_frame())
        for raw in raws:
            raw.close()


def test_one_ring_to_a_connection_and_not_too_many(core):
    raws = []
    with RawIpc(core.socket) as raw:
        RawRing(raw)
        fd = memfd(65536)
        body = struct.pack("<II", 4, 4096)
        raw.send(wire.frame(Frame.ATTACH_RING, 8, body, descriptors=1), fds=[fd])
        assert raw.error().reason == "ALREADY_EXISTS"
        raw.send(infer_frame(9))
        assert raw.answer()[:2] == (Frame.RESULT, 9)
        # With the first, all that one user may have of 32.
        for _ in range(27):
            raws.append(RawIpc(core.socket))
            RawRing(raws[-1])
        with RawIpc(core.socket) as late:
            late.send(wire.frame(Frame.ATTACH_RING, 8, body, descriptors=1), fds=[fd])
            assert late.error().reason == "OVERLOADED"
        os.close(fd)
    for raw in raws:
        raw.close()
