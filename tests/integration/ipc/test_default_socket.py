# SPDX-License-Identifier: MIT
"""Where Core listens if it is not told: no file, lock or server of another user is in its way."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path

import pytest

from tests.integration.ipc.machine import STRANGER, Machine, stranger_listening
from tests.support.ipc import Client

pytestmark = pytest.mark.skipif(not Machine.possible(), reason="needs root and mounts of its own")

SQUATTED = "something at this path belongs to another user"
def healthy(path: Path) -> bool:
    with Client(path) as client:
        return client.health()["status"] == "healthy"


def test_the_former_socket_is_served_beside_the_default_one(machine, make):
    core = make().start()
    sockets = [machine.run / "mlos/mlos.sock", machine.tmp / "mlos.sock"]
    assert all(map(healthy, sockets))
    assert (machine.run / "mlos").stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in sockets} == {0o600}
    assert core.stop() == 0
    assert not list((machine.run / "mlos").iterdir())
    assert not list(machine.tmp.iterdir())


def test_a_socket_that_is_named_is_the_only_one(machine, make):
    core = make()
    core.args += ["--socket", str(machine.folder / "x.sock")]
    core.start()
    assert healthy(machine.folder / "x.sock")
    assert not list(machine.tmp.iterdir())
    assert not (machine.run / "mlos").exists()


@pytest.mark.parametrize(("mode", "owner", "used"), [
    (0o700, 0, True), (0o755, 0, True), (0o777, 0, False), (0o770, 0, False),
    (0o700, STRANGER, False), (0o1777, STRANGER, False),
])  # fmt: skip
def test_the_runtime_folder_is_used_if_it_is_cores_own(machine, make, mode, owner, used):
    folder = machine.made("runtime", mode, owner)
    make(XDG_RUNTIME_DIR=str(folder)).start()
    assert (folder / "mlos.sock").exists() == used
    assert (machine.run / "mlos/mlos.sock").exists() != used
    assert healthy(machine.tmp / "mlos.sock")


@pytest.mark.parametrize("value", ["", "runtime", "/nowhere/at/all"])
def test_a_runtime_folder_that_is_none_counts_as_unset(machine, make, value):
    make(XDG_RUNTIME_DIR=value).start()
    assert healthy(machine.run / "mlos/mlos.sock")


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_system_folder_of_another_user_is_not_used(machine, make, kind):
    theirs = machine.made("run/mlos" if kind == "folder" else "theirs", 0o755, STRANGER)
    if kind == "link":
        (machine.run / "mlos").symlink_to(theirs)
    core = make().start()
    assert healthy(core.state_dir / "mlos.sock")
    assert not list(theirs.iterdir())


def squat(path: Path, kind: str) -> None:
    """Something of another user."""
    if kind == "file":
        path.write_text("theirs")
    elif kind == "link":
        path.symlink_to("/etc/hostname")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    os.lchown(path, STRANGER, STRANGER)


@pytest.mark.parametrize("name", ["mlos.sock", "mlos.sock.lock"])
@pytest.mark.parametrize("kind", ["file", "link", "folder", "pipe", "socket"])
def test_a_squatted_former_socket_is_left_alone_with_a_warning(machine, make, name, kind):
    path = machine.tmp / name
    squat(path, kind)
    before = path.lstat()
    core = make().start()
    assert healthy(machine.run / "mlos/mlos.sock")
    assert "not serving IPC at a second socket" in core.log()
    assert core.stop() == 0
    after = path.lstat()
    assert (after.st_ino, after.st_uid, after.st_mode, after.st_mtime) == (
        before.st_ino, before.st_uid, before.st_mode, before.st_mtime)  # fmt: skip


def test_a_strangers_server_is_left_alone(machine, make):
    with stranger_listening(machine.tmp / "mlos.sock"):
        core = make().start()
        assert healthy(machine.run / "mlos/mlos.sock")
        assert SQUATTED in core.log()


def test_a_live_cores_former_socket_is_left_to_it(machine, make):
    first = make()
    first.args += ["--socket", "/tmp/mlos.sock"]
    first.start()
    second = make().start()
    assert healthy(machine.run / "mlos/mlos.sock")
    assert "another process listens on this socket" in second.log()
    assert second.stop() == 0
    assert healthy(machine.tmp / "mlos.sock")


def test_sockets_that_a_killed_core_has_left_are_replaced(machine, make):
    core = make().start()
    core.kill()
    assert (machine.tmp / "mlos.sock").exists()
    make().start()
    assert healthy(machine.run / "mlos/mlos.sock")
    assert healthy(machine.tmp / "mlos.sock")


def test_locked_folders_do_not_hold_up_the_start(machine, make):
    held = [os.open(folder, os.O_RDONLY) for folder in (machine.tmp, machine.run)]
    (machine.run / "mlos").mkdir()
    held.append(os.open(machine.run / "mlos", os.O_RDONLY))
    try:
        for fd in held:
            fcntl.flock(fd, fcntl.LOCK_EX)
        make().start()
        assert healthy(machine.run / "mlos/mlos.sock")
        assert healthy(machine.tmp / "mlos.sock")
    finally:
        for fd in held:
            os.close(fd)


def test_a_second_core_says_at_once_that_the_socket_is_in_use(machine, make):
    make().start()
    second = make()
    start = time.monotonic()
    code = second.launch().wait(20)
    assert time.monotonic() - start < 10
    assert code == 1
    line = "error: socket '/run/mlos/mlos.sock': another process listens on this socket\n"
    assert second.log().endswith(line)
