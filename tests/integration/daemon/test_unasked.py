# SPDX-License-Identifier: MIT
"""Core and axon do nothing that nobody asked for: they speak to nobody but those they are told of,
and write nothing outside of their own folders."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from onnx import TensorProto

from tests.integration.daemon.trace import Trace
from tests.support.axon import Axon
from tests.support.graphs import identity
from tests.support.ipc import Client
from tests.support.open_core import OpenCore, fixtures_allowed, register_fixture

MODEL = "hf/mlos-test/bert-tiny"
# What is no file of the machine's, and where the C library asks for names.
NO_FILES = ("/dev/null", "/dev/tty", "/proc/", "/dev/shm/sem.")
RESOLVER = {"/var/run/nscd/socket"}


class TracedCore(OpenCore):
    """A Core whose system calls are written down."""

    def __init__(self, folder: Path, trace: Trace, *args: str):
        super().__init__(folder, *args)
        self.trace = trace

    def command(self) -> list[str]:
        return self.trace.command(super().command())


def outside(trace: Trace, *folders: Path | str) -> set[str]:
    """What was written that is below none of the folders."""
    own = tuple(f"{folder}/" for folder in folders)
    return {path for path in trace.written()
            if not f"{path}/".startswith(own) and not path.startswith(NO_FILES)}  # fmt: skip


@pytest.mark.release_only
def test_core_in_its_whole_life(tmp_path):
    home = tmp_path / "core"
    trace = Trace(tmp_path / "trace")
    core = TracedCore(home, trace, *fixtures_allowed()).start()
    try:
        ports = {f"AF_INET:{core.port}", f"AF_INET:{core.grpc_port}"}
        graph = identity(tmp_path / "f.onnx", TensorProto.FLOAT)
        assert core.register("f", graph).status_code == 200
        register_fixture(core, "worker_in_place", "worker")
        x = np.zeros((1, 1), np.float32)
        assert (core.infer("f", {"x": x})["y"] == x).all()
        with Client(str(core.socket)) as client:
            assert (client.infer("f", {"x": x}).outputs["y"] == x).all()
        core.get("/metrics")
    finally:
        assert core.stop() == 0
    trace.finish()
    assert not trace.connected()
    assert trace.sockets() <= {"AF_INET", "AF_UNIX"}
    # A door whose port is 0 asks for any first.
    assert trace.bound() <= {*ports, "AF_INET:0", str(core.socket)}
    assert not outside(trace, core.state_dir, core.socket, f"{core.socket}.lock")
    left = {path.name for path in home.iterdir()}
    assert left <= {"state", "core.log", "worker.model"}, "a file in its HOME"


@pytest.mark.release_only
def test_axon_in_a_whole_life(tmp_path, hub, core):
    axon = Axon(tmp_path / "axon", hub.url, core.url)
    asked = {
        "install": (["install", MODEL], [hub.url, hub.cdn_url]),
        "register": (["register", MODEL], [core.url]),
        "list": (["list"], []),
        "verify": (["verify", MODEL], []),
        "uninstall": (["uninstall", "--force", MODEL], [core.url]),
    }
    for name, (arguments, servers) in asked.items():
        trace = Trace(tmp_path / f"trace-{name}")
        done = subprocess.run(
            trace.command(axon.command(*arguments)), env=axon.environment(), cwd=axon.home,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        trace.finish()
        allowed = {f"AF_INET:{urlsplit(server).port}" for server in servers}
        assert trace.connected() <= allowed | RESOLVER, name
        assert not trace.bound(), name
        assert not outside(trace, axon.home), name
