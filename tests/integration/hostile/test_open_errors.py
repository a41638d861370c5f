# SPDX-License-Identifier: MIT
"""What a registration is told when the kernel does not open or read a file: what the client can
mend is its fault, what passes is Core's load, and only the rest is an error of Core's."""

from __future__ import annotations

import subprocess

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
