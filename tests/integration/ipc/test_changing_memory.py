# SPDX-License-Identifier: MIT
"""Clients that change their memory while Core reads it harm their own answers, and nothing else."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.graphs import model, scale, value
from tests.support.ipc import Client, IpcCore, MlosError, RawIpc
from tests.support.ipc_ring import RawRing
from tests.support.waiting import wait_until

COUNT = 1 << 16
SYS_FUTEX, FUTEX_REQUEUE = 202, 3
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
    assert core.register("good", scale(folder / "good.onnx", 2.0)).status_code == 200
    yield core
    assert core.stop() == 0


@contextlib.contextmanager
def changing(array: np.ndarray, first: np.ndarray, second: np.ndarray) -> Iterator[None]:
    """A process writes two values over the memory of `array` in turn until the end of the block."""
    np.copyto(array, first)
    child = os.fork()
    while child == 0:
        np.copyto(array, second)
        np.copyto(array, first)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def integers() -> tuple[type, tuple[int, ...], object, object]:
    far = np.full(COUNT, 1 << 40, np.int64)
    return np.int64, (COUNT,), np.zeros(COUNT, np.int64), far


def floats() -> tuple[type, tuple[int, ...], object, object]:
    rng = np.random.default_rng(1)
    return np.float32, (COUNT,), rng.random(COUNT, np.float32), rng.random(COUNT, np.float32)


def rows() -> tuple[type, tuple[int, ...], object, object]:
    shape = (1024, 64)
    return np.float32, shape, np.ones(shape, np.float32), np.full(shape, np.nan, np.float32)


RACES: dict[str, Callable[[], tuple]] = {"gather": integers, "top": floats, "product": rows}


def race(core: IpcCore, name: str, seconds: float) -> None:
    """Asks for that long, with numbers that change, beside another client."""
    dtype, shape, first, second = RACES[name]()
    answered = 0
    with (Client(str(core.socket)) as client, Client(str(core.socket)) as other,
          client.input_region(8 << 20) as region,
          changing(region.array(dtype, shape), first, second)):  # fmt: skip
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                client.infer(name, {"x": region.tensor(dtype, shape)})
                answered += 1
            except MlosError as error:
                assert error.reason in ("INFERENCE_REJECTED", "INVALID_FIELD"), error
            assert np.array_equal(other.infer("good", GOOD).outputs["y"], GOOD["x"] * 2)
    assert answered > 0 or name == "gather"


@pytest.mark.parametrize("name", RACES)
def test_numbers_that_change_while_a_model_reads_them(core, name):
    race(core, name, 2)
    assert core.get("/health/ready").status_code == 200


@pytest.mark.deep
@pytest.mark.parametrize("name", RACES)
def test_numbers_that_change_for_a_minute(core, name):
    race(core, name, 60)
    assert core.get("/health/ready").status_code == 200


def test_a_hole_that_is_punched_reads_as_zeros(core):
    with Client(str(core.socket)) as client, client.input_region(1 << 20) as region:
        region.array(np.float32, (1024, 64))[:] = 1
        memory = region._map  # noqa: SLF001  the pages are gone for Core too
        memory.madvise(mmap.MADV_REMOVE)
        answer = client.infer("product", {"x": region.tensor(np.float32, (1024, 64))})
        assert (answer.outputs["y"] == 0).all()


def threads_of(core: IpcCore) -> int:
    return len(list(Path(f"/proc/{core.pid}/task").iterdir()))


def move_sleepers(ring: RawRing) -> int:
    """Whoever sleeps on the bell of requests sleeps on another word from now on; how many did."""
    bell, other = (ctypes.addressof(ctypes.c_uint32.from_buffer(ring.memory, offset))
                   for offset in (128, 1024))  # fmt: skip
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
