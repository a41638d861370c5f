# SPDX-License-Identifier: MIT
"""A machine's shared folders that are a test's own, and other users who put things there."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import paths
from tests.support.core import Core

STRANGER = 65534
# The queue of a listening socket holds one connection more than this.
_BACKLOG = 0


class Machine:
    """Its `tmp`, `run` and `lib` are /tmp, /run and /var/lib for the commands it makes; needs root.
    Below `folder` everything has the same path inside and outside, and other users can get there.
    """

    def __init__(self) -> None:
        # Not in /tmp, which is another one inside.
        self._folder = tempfile.TemporaryDirectory(prefix="mlos-test-", dir="/var/tmp")
        self.folder = Path(self._folder.name)
        self.folder.chmod(0o711)
        self.tmp = self.made("tmp", 0o1777)
        self.run = self.made("run", 0o755)
        self.lib = self.made("lib", 0o755)

    @staticmethod
    def possible() -> bool:
        """Whether this process may have folders of its own, and finds what was built on them."""
        if f"{paths.build_dir()}/".startswith(("/tmp/", "/run/", "/var/lib/")):
            return False
        done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
        return os.geteuid() == 0 and done.returncode == 0

    def made(self, name: str, mode: int, owner: int = 0) -> Path:
        """A new folder."""
        folder = self.folder / name
        folder.mkdir()
        folder.chmod(mode)
        os.chown(folder, owner, owner)
        return folder

    def command(self, command: list[str]) -> list[str]:
        """The command, run on this machine; its process is the one that is started."""
        places = {self.tmp: "/tmp", self.run: "/run", self.lib: "/var/lib"}
        mounts = [f"mount --bind '{own}' {place}" for own, place in places.items()]
        script = " && ".join((*mounts, 'exec "$@"'))
        return ["unshare", "--mount", "sh", "-c", script, "sh", *command]

    def remove(self) -> None:
        self._folder.cleanup()


class DefaultCore(Core):
    """A Core on such a machine, which nobody tells where to listen."""

    def __init__(self, machine: Machine, name: str, **env: str):
        super().__init__(machine.folder / name, env=env)
        self.machine = machine

    def command(self) -> list[str]:
        return self.machine.command([part for part in super().command() if part != "--no-ipc"])


@contextmanager
def stranger_listening(path: Path, core: Path | None = None) -> Iterator[None]:
    """Another user serves at `path`: hands everything on to the Core at `core`, as somebody who
    wants to read along, or accepts nobody and has a full queue."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def serve(ready: Callable[[], None]) -> None:
        become_stranger()
        listening.bind(str(path))
        path.chmod(0o777)
        listening.listen(_BACKLOG)
        waiting = None if core else _connected(path)
        ready()
        while core:
            client, _ = listening.accept()
            with client, _connected(core) as served:
                _relay(client, served)
        signal.pause()
        del waiting

    with _child(serve):
        yield
    path.unlink()


def become_stranger() -> None:
    """This process goes on as another user, for good, who may still get where root was."""
    os.setgroups([])
    os.setgid(STRANGER)
    os.setuid(STRANGER)


@contextmanager
def _child(act: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """Runs `act` in a process until the end, from when it says that it is ready."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            act(lambda: os.write(write, b"!"))
        finally:
            os._exit(1)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as pipe:
            assert pipe.read(1) == b"!", "the stranger could not listen"
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _connected(path: Path) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.connect(str(path))
    return connected


def _relay(client: socket.socket, core: socket.socket) -> None:
    others = {client: core, core: client}
    while True:
        for end in select.select(list(others), [], [])[0]:
            try:
                data = end.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return
            others[end].sendall(data)
