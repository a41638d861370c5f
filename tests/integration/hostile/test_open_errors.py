# SPDX-License-Identifier: MIT
"""What a registration is told when the kernel does not open or read a file: what the client can
mend is its fault, what passes is Core's load, and only the rest is an error of Core's."""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
from contextlib import contextmanager

import pytest
from onnx import TensorProto

from tests.support import process
from tests.support.axon import Axon
from tests.support.core import Core
from tests.support.graphs import identity

GRAPH = "graph.onnx"
MODEL = "hf/mlos-test/bert-tiny"
PACKED = "model.onnx"
# Of open(2): what Core says, and the HTTP status.
TOLD = {
    "EACCES": ("PERMISSION_DENIED", 403),
    "EPERM": ("PERMISSION_DENIED", 403),
    "ENOENT": ("FILE_NOT_FOUND", 404),
    "ENOTDIR": ("FILE_NOT_FOUND", 404),
    "ENAMETOOLONG": ("FILE_NOT_FOUND", 404),
    "ELOOP": ("UNSAFE_PATH", 400),
    "EISDIR": ("INVALID_FIELD", 400),
    "ENXIO": ("INVALID_FIELD", 400),
    "ENODEV": ("INVALID_FIELD", 400),
    "EMFILE": ("OVERLOADED", 503),
    "ENFILE": ("OVERLOADED", 503),
    "ENOMEM": ("OUT_OF_MEMORY", 507),
    "EIO": ("IO_ERROR", 500),
    "EFAULT": ("IO_ERROR", 500),
}


class FailingCore(Core):
    """A Core that cannot open the file, for that reason."""

    error = ""

    def command(self) -> list[str]:
        path = self.folder / GRAPH
        calls = "open,openat,openat2"
        return process.failing(super().command(), calls, self.error, path, GRAPH)


@pytest.mark.release_only
@pytest.mark.parametrize("error", TOLD)
def test_what_open_answers_is_told(tmp_path, error):
    core = FailingCore(tmp_path / "core")
    core.error = error
    graph = identity(core.folder / GRAPH, TensorProto.FLOAT)
    core.start()
    try:
        told = core.register("f", graph)
        assert (told.json()["reason"], told.status_code) == TOLD[error], told.text
        assert str(tmp_path) not in told.json()["message"]
    finally:
        assert core.stop() == 0


@contextmanager
def descriptors_left(core: Core, count: int):
    """Lets Core open only that many more."""
    usual = resource.prlimit(core.pid, resource.RLIMIT_NOFILE)
    used = {int(fd) for fd in os.listdir(f"/proc/{core.pid}/fd")}
    free = (fd for fd in itertools.count() if fd not in used)
    limit = next(itertools.islice(free, count, None))
    resource.prlimit(core.pid, resource.RLIMIT_NOFILE, (limit, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(core.pid, resource.RLIMIT_NOFILE, usual)


# The first registration without a descriptor left ended Core. Not with UBSan, which asks through a
# pipe whether an object is there.
@pytest.mark.release_only
def test_without_a_descriptor_left_a_request_is_told_to_come_again(make_core, tmp_path, hub):
    core = make_core().start()
    axon = Axon(tmp_path / "axon", hub.url)
    axon.run("install", MODEL, check=True)
    archive = tmp_path / "bert.axon"
    axon.run("install", MODEL, "--output", str(archive), check=True)
    alone = identity(tmp_path / GRAPH, TensorProto.FLOAT)
    for path in (alone, axon.model_dir("mlos-test/bert-tiny"), archive):
        told = []
        for count in itertools.count():
            with descriptors_left(core, count):
                told.append(core.register("m", path))
            if told[-1].status_code == 200:
                break
            assert told[-1].status_code == 503, told[-1].text
            assert told[-1].json()["reason"] == "OVERLOADED"
        assert len(told) > 1, "there were enough"
        assert core.post("/models/m/unload").status_code == 200
        with descriptors_left(core, 0):
            assert core.post("/models/m/load").status_code == 503
            assert core.get("/health").status_code == 200
            assert core.delete("/models/m").status_code == 200


@pytest.mark.release_only
def test_an_error_of_the_disk_is_no_mismatch(tmp_path, hub):
    axon = Axon(tmp_path / "axon", hub.url)
    axon.run("install", MODEL, check=True)
    folder = axon.model_dir("mlos-test/bert-tiny")
    stored = (folder / PACKED).resolve(strict=True)

    def on_broken_disk(command: list[str]) -> list[str]:
        return process.failing(command, "pread64", "EIO", stored, PACKED, folder / PACKED)

    class BrokenDisk(Core):
        def command(self) -> list[str]:
            return on_broken_disk(super().command())

    core = BrokenDisk(tmp_path / "core").start()
    try:
        told = core.register("f", folder)
        assert (told.json()["reason"], told.status_code) == ("IO_ERROR", 500), told.text
    finally:
        assert core.stop() == 0
    done = subprocess.run(on_broken_disk(axon.command("verify")), env=axon.environment(),
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode not in (0, 6), done.stderr
    assert "UNKNOWN" in done.stdout and "changed since" not in done.stderr
