# SPDX-License-Identifier: MIT
"""What a connection of the IPC door costs while it is idle, and what is left of one that ends."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from tests.support.graphs import identity, slow
from tests.support.ipc import Client, Frame, IpcCore, RawIpc, encode_infer, wire
from tests.support.ipc_ring import RawRing

X = np.ones((1, 4), np.float32)
ONE = {"x": np.ones(1, np.float32)}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpcCore]:
    """Core that runs one request of `slow` at a time; and `f`."""
    folder = tmp_path_factory.mktemp("lifetimes")
    one_thread = ("--compute-threads", "1", "--intra-op-threads", "1", "--max-batch-size", "1")
    core = IpcCore(folder, *one_thread).start()
    assert core.register("f", identity(folder / "f.onnx", TensorProto.FLOAT)).status_code == 200
    assert core.register("slow", slow(folder / "slow.onnx", 1500)).status_code == 200
    with Client(str(core.socket)) as client:
        client.infer("slow", ONE)  # its run time is known from now on
    yield core
    assert core.stop() == 0


def cpu_seconds(core: IpcCore) -> float:
    """What Core has computed so far, in all its threads."""
    fields = Path(f"/proc/{core.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_ring_costs_no_cpu(core):
    """A thread that polled on would take a second of it."""
    parts = encode_infer("f", {"x": X}, [], 0, False)
    with RawIpc(core.socket) as raw:
        ring = RawRing(raw)
        for i in range(50):
            ring.put(wire.frame(Frame.INFER, 100 + i, b"".join(map(bytes, parts))))
            assert ring.get()[:2] == (Frame.RESULT, 100 + i)
        before = cpu_seconds(core)
        time.sleep(1)
        assert cpu_seconds(core) - before < 0.3


def counts(core: IpcCore) -> tuple[int, int]:
    """Of `slow`: how many were answered, and how many were cancelled."""
    stats = next(m for m in core.get("/stats").json()["models"] if m["model_id"] == "slow")
    return stats["successful_requests"], stats["errors"].get("CANCELLED", 0)


def test_the_work_of_a_client_that_goes_is_dropped_at_once(core):
    """Its waiting requests do not wait for what runs: they are cancelled, and its memory is given
    back, while the request of another client still runs."""
    answered, cancelled = counts(core)
    with Client(str(core.socket)) as other:
        ahead = other.submit("slow", ONE)
        client = Client(str(core.socket))
        region = client.input_region(1 << 20)
        client.output_region(1 << 20)
        waiting = [client.submit("slow", {"x": region.put(ONE["x"])}) for _ in range(3)]
        client.health()  # behind them: they wait now
        client.close()
        end = time.monotonic() + 30
        while counts(core) != (answered, cancelled + len(waiting)):
            assert time.monotonic() < end and counts(core)[0] == answered, counts(core)
            time.sleep(0.005)
        while "memfd:mlos" in Path(f"/proc/{core.pid}/maps").read_text():
            assert time.monotonic() < end, "a region of a client that is gone is still mapped"
            time.sleep(0.005)
        assert counts(core)[0] == answered, "what runs was waited for"
        assert ahead.result().outputs["y"].tolist() == [1]
