# SPDX-License-Identifier: MIT
"""Who may use the IPC door, what other users' memory is taken for, and how long Core waits."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from tests.support.graphs import identity
from tests.support.ipc import Client, Frame, IpcCore, MlosError, RawIpc, encode_infer, settled, wire
from tests.support.open_core import fixtures_allowed, integers, register_fixture
from tests.support.waiting import wait_until

STRANGER = 65534
X = np.arange(8, dtype=np.float32).reshape(2, 4)


@pytest.fixture
def open_core(tmp_path: Path) -> Iterator[Callable[..., IpcCore]]:
    """Starts a Core whose socket is where any user can reach it."""
    cores = []
    with tempfile.TemporaryDirectory(prefix="mlos-test-") as folder:
        os.chmod(folder, 0o711)

        def start(*arguments: str) -> IpcCore:
            core = IpcCore(tmp_path / f"core{len(cores)}", *arguments)
            core.socket = Path(folder) / "core.sock"
            core.args[-1] = str(core.socket)
            cores.append(core.start())
            assert core.register("f", identity(tmp_path / "f.onnx", TensorProto.FLOAT)).ok
            return core

        yield start
        for core in cores:
            core.stop()


def as_stranger(act: Callable[[], object]) -> object:
    """What `act` returns in a process of another user, or the name and text of what it raises."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(STRANGER)
            os.setuid(STRANGER)
            outcome = act()
        except Exception as error:  # noqa: BLE001  told to the parent
            outcome = [type(error).__name__, str(error)]
        os.write(write, json.dumps(outcome).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        return json.load(pipe)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@needs_root
def test_the_mode_keeps_others_out(open_core):
    core = open_core()
    outcome = as_stranger(lambda: Client(str(core.socket)).health())
    assert outcome[0] == "PermissionError"


@needs_root
def test_users_that_are_not_listed_are_refused(open_core):
    core = open_core("--socket-mode", "0666", "--socket-users", "4242")
    name, text = as_stranger(lambda: Client(str(core.socket)).health())
    assert (name, "PERMISSION_DENIED" in text) == ("MlosError", True)
    with Client(str(core.socket)) as client:
        assert client.ready()


@needs_root
def test_a_listed_user_is_served_and_its_memory_copied(open_core):
    core = open_core("--socket-mode", "0666", "--socket-users", f"4242,{STRANGER}")

    def act() -> list:
        with Client(str(core.socket)) as client, client.input_region(4 << 20) as region:
            small = client.infer("f", {"x": region.put(X, 64)}).outputs["y"]
            # As much as is copied on a thread of its own.
            large = np.arange(1 << 19, dtype=np.float32).reshape(-1, 4)
            with client.output_region(4 << 20) as out:
                places = [("y", out, 0, 4 << 20)]
                back = client.infer("f", {"x": region.put(large)}, outputs=places).outputs["y"]
                return [region.in_place, small.tolist(), bool((back == large).all())]

    before = core.resources()
    assert as_stranger(act) == [False, X.tolist(), True]
    assert settled(core, before)


@needs_root
def test_memory_that_nobody_can_write_is_used_in_place(open_core):
    core = open_core("--socket-mode", "0666")

    def act() -> list:
        fd = os.memfd_create("test", os.MFD_ALLOW_SEALING)
        os.write(fd, X.tobytes().ljust(4096, b"\0"))
        fcntl.fcntl(fd, 1033, 2 | 4 | 8)
        with RawIpc(core.socket) as raw:
            body = wire.MAP_REGION.pack(1, wire.READ)
            raw.send(wire.frame(Frame.MAP_REGION, 7, body, descriptors=1), fds=[fd])
            kind, _, body = raw.answer()
            return [kind, wire.REGION.unpack(body)[1]]

    assert as_stranger(act) == [Frame.REGION, 1]


def test_what_does_not_come_in_time_ends(open_core):
    core = open_core("--body-timeout-ms", "1500")
    with RawIpc(core.socket) as idle, RawIpc(core.socket, hello=False) as silent:
        assert silent.ended()
        with RawIpc(core.socket) as slow:
            slow.send(wire.HEADER.pack(1000, Frame.INFER, 0, 0, 5) + b"abc")
            assert slow.ended()
        # Between frames there is no hurry.
        parts = encode_infer("f", {"x": X}, [], 0, False)
        idle.send(wire.frame(Frame.INFER, 7, b"".join(map(bytes, parts))))
        assert idle.answer()[:2] == (Frame.RESULT, 7)


def test_connections_are_bounded(open_core):
    """One whose client waits for an answer is never ended for another."""
    # One of four stays free for other users.
    core = open_core("--socket-connections-max", "4", *fixtures_allowed())
    register_fixture(core, "patient", "patient")
    with contextlib.ExitStack() as stack:
        raws = [stack.enter_context(RawIpc(core.socket)) for _ in range(3)]
        for raw in raws:
            parts = encode_infer("patient", integers(count=1, hold=1), [], 0, False)
            raw.send(wire.frame(Frame.INFER, 7, b"".join(map(bytes, parts))))
        wait_until(lambda: core.in_flight() == 3)
        with pytest.raises(MlosError, match="OVERLOADED"):
            Client(str(core.socket))
        raws.pop().close()
        wait_until(lambda: admitted(core), why=lambda: "the place that was left is not given again")


def admitted(core: IpcCore) -> bool:
    try:
        Client(str(core.socket)).close()
    except MlosError:
        return False
    return True


@pytest.mark.parametrize("arguments", [
    ("--socket-mode", "0999"), ("--socket-mode", "01000"), ("--socket-users", "me"),
    ("--socket", "/" + "x" * 120),
], ids=lambda arguments: " ".join(arguments)[:30])  # fmt: skip
def test_settings_that_make_no_sense(tmp_path, arguments):
    core = IpcCore(tmp_path / "core")
    core.args += arguments
    with pytest.raises(RuntimeError, match="socket"):
        core.start()
