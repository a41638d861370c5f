# SPDX-License-Identifier: MIT
"""Races for memory that a client shares with Core: it changes it in each of the ways in which that
can be done, while Core uses it. It harms its own answers at most. MLOS_RACE_SECONDS each."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.integration.races.turns import turns
from tests.support.graphs import identity, model, scale, value
from tests.support.ipc import Client, Frame, IpcCore, MlosError, RawIpc, encode_infer, wire
from tests.support.ipc_ring import ADD_SEALS, GROW, SHRINK, RawRing, memfd
from tests.support.waiting import wait_until

pytestmark = pytest.mark.limit(300)

COUNT = 1 << 16
SYS_FUTEX, FUTEX_WAKE, FUTEX_REQUEUE = 202, 1, 3
# In a ring's memory: the word that rings for requests.
BELL = 128
GOOD = {"x": np.array([1.0, 2.0], np.float32)}


def gather(path: Path) -> None:
    """`y` = 16 numbers at the indices `x`, through a Reshape, which hands on its input."""
    shape = numpy_helper.from_array(np.array([-1], np.int64), "shape")
    table = numpy_helper.from_array(np.arange(16, dtype=np.float32), "table")
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["flat"]),
             helper.make_node("Gather", ["table", "flat"], ["y"])]  # fmt: skip
    onnx.save(model(nodes, [value("x", ["n"], TensorProto.INT64)], [value("y", ["n"])],
                    [shape, table]), str(path))  # fmt: skip


def top(path: Path) -> None:
    """`y` = the greatest numbers of `x`, through an Add of zero, which ONNX Runtime leaves out."""
    k = numpy_helper.from_array(np.array([COUNT // 2], np.int64), "k")
    zero = numpy_helper.from_array(np.array(0, np.float32), "zero")
    nodes = [helper.make_node("Add", ["x", "zero"], ["same"]),
             helper.make_node("TopK", ["same", "k"], ["y", "at"])]  # fmt: skip
    onnx.save(model(nodes, [value("x", ["n"])], [value("y", ["m"])], [k, zero]), str(path))


def product(path: Path) -> None:
    """`y` = `x` · w, which reads its numbers in place."""
    w = numpy_helper.from_array(np.ones((64, 8), np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    onnx.save(model(nodes, [value("x", ["rows", 64])], [value("y", ["rows", 8])], [w]), str(path))


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpcCore]:
    folder = tmp_path_factory.mktemp("changing")
    core = IpcCore(folder / "core").start()
    for name, make in (("gather", gather), ("top", top), ("product", product)):
        make(folder / f"{name}.onnx")
        assert core.register(name, folder / f"{name}.onnx").status_code == 200
    for name, dtype in (("floats", TensorProto.FLOAT), ("strings", TensorProto.STRING)):
        assert core.register(name, identity(folder / f"{name}.onnx", dtype)).status_code == 200
    assert core.register("good", scale(folder / "good.onnx", 2.0)).status_code == 200
    yield core
    assert core.stop() == 0


@contextlib.contextmanager
def repeating(act: Callable[[], object]) -> Iterator[None]:
    """A process does that over and over until the end of the block."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            while True:
                act()
        os._exit(1)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        assert os.WIFSIGNALED(status), "it ended by itself"


def changing(array: np.ndarray, first: np.ndarray, second: np.ndarray):
    """Two values are written over the memory of `array` in turn until the end of the block."""
    np.copyto(array, first)

    def change() -> None:
        np.copyto(array, second)
        np.copyto(array, first)

    return repeating(change)


def integers() -> tuple[type, tuple[int, ...], object, object]:
    far = np.full(COUNT, 1 << 40, np.int64)
    return np.int64, (COUNT,), np.zeros(COUNT, np.int64), far


def floats() -> tuple[type, tuple[int, ...], object, object]:
    rng = np.random.default_rng(1)
    return np.float32, (COUNT,), rng.random(COUNT, np.float32), rng.random(COUNT, np.float32)


def rows() -> tuple[type, tuple[int, ...], object, object]:
    shape = (1024, 64)
    return np.float32, shape, np.ones(shape, np.float32), np.full(shape, np.nan, np.float32)


NUMBERS: dict[str, tuple[str, Callable[[], tuple]]] = {
    "integers": ("gather", integers),
    "floats that are sorted": ("top", floats),
    "floats in place": ("product", rows),
}


def check_good(other: Client) -> None:
    """Another client's answer is right."""
    assert np.array_equal(other.infer("good", GOOD).outputs["y"], GOOD["x"] * 2)


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_are_rewritten(core, kind):
    name, numbers = NUMBERS[kind]
    dtype, shape, first, second = numbers()
    answered = 0
    with (Client(str(core.socket)) as client, Client(str(core.socket)) as other,
          client.input_region(8 << 20) as region,
          changing(region.array(dtype, shape), first, second)):  # fmt: skip
        for _ in turns(lambda: answered > 0 or name == "gather"):
            try:
                client.infer(name, {"x": region.tensor(dtype, shape)})
                answered += 1
            except MlosError as error:
                assert error.reason in ("INFERENCE_REJECTED", "INVALID_FIELD"), error
            check_good(other)


def test_strings_are_rewritten(core):
    """They are copied before they are looked at."""
    lengths = [struct.pack("<I", length) for length in (0xFFFFFFFF, 0, 5, 4)]
    with (Client(str(core.socket)) as client, Client(str(core.socket)) as other,
          client.input_region(1 << 16) as region):  # fmt: skip
        tensor = region.put(np.array([["abcd"] * 64], dtype=object))
        for turn in turns():
            pending = client.submit("strings", {"x": tensor})
            for _ in range(turn % 100):
                region.bytes[0:4] = lengths[turn % 4]
            try:
                assert pending.result().outputs["y"].shape == (1, 64)
            except MlosError as error:
                assert error.reason == "SHAPE_MISMATCH", error
            region.bytes[0:4] = lengths[3]
            check_good(other)


@pytest.mark.parametrize("name", ["gather", "product"])
def test_holes_are_punched(core, name):
    """They read as zeros."""
    dtype, shape, most = (np.int64, (1 << 14,), 15) if name == "gather" else (
        np.float32, (1024, 64), 64)  # fmt: skip
    with (Client(str(core.socket)) as client, Client(str(core.socket)) as other,
          client.input_region(1 << 20) as region):  # fmt: skip
        ones = region.array(dtype, shape)
        memory = region._map  # noqa: SLF001  the pages are gone for Core too

        def punch() -> None:
            memory.madvise(mmap.MADV_REMOVE)
            ones[:] = 1

        with repeating(punch):
            for _ in turns():
                answer = client.infer(name, {"x": region.tensor(dtype, shape)}).outputs["y"]
                assert (0 <= answer).all() and (answer <= most).all()
                check_good(other)


def floats_in(region: int, request: int, offset: int, model: bytes = b"floats") -> bytes:
    """An inference over four floats of a region."""
    name = wire.text(b"x")
    place = wire.ENTRY.pack(1, 1, 2, region, offset, 16) + struct.pack("<2q", 1, 4) + name
    head = wire.INFER.pack(len(model), 1, 0, 0, 0) + wire.text(model)
    return wire.frame(Frame.INFER, request, head + place)


def mapping(region: int, request: int) -> bytes:
    body = wire.MAP_REGION.pack(region, wire.READ)
    return wire.frame(Frame.MAP_REGION, request, body, descriptors=1)


def test_memory_is_truncated_while_it_is_mapped(core):
    """Just before it is sealed; what Core maps has the size that Core takes it for."""
    size = 1 << 20
    mapped = 0
    with Client(str(core.socket)) as other:
        for turn in turns(lambda: mapped > 0):
            fd = os.memfd_create("racing", os.MFD_ALLOW_SEALING)
            os.posix_fallocate(fd, 0, size)

            def shrink(fd: int = fd, turn: int = turn) -> None:
                time.sleep(turn % 20 * 1e-5)
                os.ftruncate(fd, 4096)
                fcntl.fcntl(fd, ADD_SEALS, SHRINK | GROW)

            with RawIpc(core.socket) as raw:
                racer = threading.Thread(target=shrink)
                racer.start()
                raw.send(mapping(1, 7), fds=[fd])
                kind, _, body = raw.answer()
                racer.join()
                os.close(fd)
                if kind != Frame.REGION:
                    assert MlosError.decode(memoryview(body)).reason == "INVALID_FIELD"
                    continue
                mapped += 1
                assert struct.unpack_from("<IIQ", body)[2] == 4096
                raw.send(floats_in(1, 8, 4096 - 64))
                assert raw.answer()[:2] == (Frame.RESULT, 8)
            check_good(other)


def test_regions_are_exchanged_under_requests(core):
    """Other memory gets the number of a region while requests that use the first are under way, and
    some connections end in the middle of it."""
    memory = [memfd(4096), memfd(4096)]
    for content, fd in enumerate(memory):
        os.pwrite(fd, np.full(1024, content, np.float32).tobytes(), 0)
    with Client(str(core.socket)) as other:
        for turn in turns():
            with RawIpc(core.socket) as raw:
                raw.send(mapping(1, 1), fds=[memory[0]])
                raw.send(floats_in(1, 2, 0) + wire.frame(
                    Frame.UNMAP_REGION, 3, wire.MAP_REGION.pack(1, 0)))  # fmt: skip
                raw.send(mapping(1, 4), fds=[memory[1]])
                raw.send(floats_in(1, 5, 0))
                if turn % 3 == 0:
                    continue
                answers = {number: (kind, body) for kind, number, body in
                           (raw.answer() for _ in range(5))}  # fmt: skip
                for number, content in ((2, 0), (5, 1)):
                    kind, body = answers[number]
                    assert kind == Frame.RESULT
                    assert body.endswith(np.full(4, content, np.float32).tobytes())
            check_good(other)
    for fd in memory:
        os.close(fd)


def ask_through(ring: RawRing, request: int) -> None:
    parts = encode_infer("good", GOOD, [], 0, False)
    ring.put(wire.frame(Frame.INFER, request, b"".join(map(bytes, parts))))


def test_sleepers_of_a_ring_are_woken(core):
    """All the time: nothing is lost, and nothing comes twice."""
    with RawIpc(core.socket) as raw, Client(str(core.socket)) as other:
        ring = RawRing(raw)
        address = ctypes.addressof(ctypes.c_uint32.from_buffer(ring.memory, BELL))

        def wake() -> None:
            ctypes.CDLL(None).syscall(
                SYS_FUTEX, ctypes.c_void_p(address), FUTEX_WAKE, 1000, 0, 0, 0)  # fmt: skip

        with repeating(wake):
            for turn in turns():
                ask_through(ring, turn + 1)
                kind, number, body = ring.get()
                assert (kind, number) == (Frame.RESULT, turn + 1)
                assert body.endswith((GOOD["x"] * 2).tobytes())
                check_good(other)


def test_sleepers_of_a_ring_are_requeued(core):
    before = threads_of(core)
    with Client(str(core.socket)) as other:
        for turn in turns():
            with RawIpc(core.socket) as raw:
                ring = RawRing(raw)
                with repeating(lambda: move_sleepers(ring)):
                    for request in range(turn % 4):
                        ask_through(ring, request + 1)
                    check_good(other)
    wait_until(lambda: threads_of(core) <= before)


def test_the_words_of_a_ring_are_rewritten(core):
    """And the frames in it: it ends, or answers whatever it says."""
    before = threads_of(core)
    with Client(str(core.socket)) as other:
        for turn in turns():
            with RawIpc(core.socket) as raw:
                ring = RawRing(raw)
                words = np.frombuffer(ring.memory, np.uint32)
                rng = np.random.default_rng(turn)
                # The words of the ring are in its first page, and the frames behind it.
                span = 128 if turn % 2 else len(words)

                def scribble() -> None:
                    words[rng.integers(span)] = rng.integers(1 << 32)

                with repeating(scribble):
                    for request in range(4):
                        ask_through(ring, request + 1)
                        check_good(other)
                del words
    wait_until(lambda: threads_of(core) <= before)


def threads_of(core: IpcCore) -> int:
    return len(list(Path(f"/proc/{core.pid}/task").iterdir()))


def move_sleepers(ring: RawRing) -> int:
    """Whoever sleeps on the bell of requests sleeps on another word from now on; how many did."""
    bell, other = (ctypes.addressof(ctypes.c_uint32.from_buffer(ring.memory, offset))
                   for offset in (BELL, 1024))  # fmt: skip
    pointer = ctypes.c_void_p
    return ctypes.CDLL(None).syscall(
        SYS_FUTEX, pointer(bell), FUTEX_REQUEUE, 0, pointer(1000), pointer(other), 0)  # fmt: skip


def test_a_ring_whose_sleepers_were_moved_ends_with_its_connection(core):
    before = threads_of(core)
    for _ in range(8):
        with RawIpc(core.socket) as raw:
            ring = RawRing(raw)
            wait_until(lambda: move_sleepers(ring) > 0)
    wait_until(lambda: threads_of(core) <= before)
    with Client(str(core.socket)) as client:
        assert np.array_equal(client.infer("good", GOOD).outputs["y"], GOOD["x"] * 2)


def test_core_ends_while_a_ring_cannot_be_woken(tmp_path):
    core = IpcCore(tmp_path / "core").start()
    with RawIpc(core.socket) as raw:
        ring = RawRing(raw)
        wait_until(lambda: move_sleepers(ring) > 0)
        assert core.stop() == 0
