# SPDX-License-Identifier: MIT
"""Where Core and axon keep what is theirs, on machines that are not as usual: without a home
folder, with a state folder that others may write in, on a kernel without openat2."""

from __future__ import annotations

import os
import subprocess
import time

import numpy as np
import pytest
from onnx import TensorProto

from tests.support import paths, process
from tests.support.axon import Axon
from tests.support.core import Core
from tests.support.graphs import identity
from tests.support.process import HOMELESS, as_nobody

MODEL = "hf/mlos-test/bert-tiny"
# As the kernel before 5.6, and as a sandbox that does not know the call.
ERRORS = ("ENOSYS", "EPERM")


class OldKernelCore(Core):
    """A Core on a kernel without openat2."""

    error = ""

    def command(self) -> list[str]:
        return process.failing(super().command(), "openat2", self.error)


class OldKernelAxon(Axon):
    """An axon on such a kernel."""

    error = ""

    def command(self, *args: str) -> list[str]:
        return process.failing(super().command(*args), "openat2", self.error)


@pytest.mark.release_only
@pytest.mark.parametrize("error", ERRORS)
def test_old_kernels_register_and_install(tmp_path, hub, error):
    core = OldKernelCore(tmp_path / "core")
    core.error = error
    core.start()
    try:
        axon = OldKernelAxon(tmp_path / "axon", hub.url, core.url)
        axon.error = error
        for arguments in (["install", MODEL], ["verify", MODEL], ["register", MODEL]):
            axon.run(*arguments, check=True)
        graph = identity(tmp_path / "f.onnx", TensorProto.FLOAT)
        assert core.register("f", graph).status_code == 200
        x = np.ones((2, 3), np.float32)
        assert (core.infer("f", {"x": x})["y"] == x).all()
    finally:
        assert core.stop() == 0


@pytest.mark.parametrize("home", HOMELESS.values(), ids=HOMELESS)
def test_no_place_is_made_of_an_empty_variable(home):
    config = as_nobody([str(paths.product("mlos_core")), "--print-config"], **home)
    assert "/nonexistent/.local/state/mlos" in config


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_state_folder_that_others_may_write_in_is_refused(make_core, mode):
    core = make_core()
    core.state_dir.mkdir()
    core.state_dir.chmod(mode)
    assert refusal(core) == "error: state_dir: others may write in the folder (chmod go-w)\n"
    core.state_dir.chmod(0o750)
    core.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
def test_a_state_folder_of_another_user_is_refused(make_core):
    core = make_core()
    core.state_dir.mkdir()
    os.chown(core.state_dir, 65534, 65534)
    assert refusal(core) == "error: state_dir: the folder belongs to another user\n"
    assert not list(core.state_dir.iterdir()), "nothing is written there"


def refusal(core: Core) -> str:
    """What Core says when it does not start, which it does soon."""
    start = time.monotonic()
    done = subprocess.run(
        core.command(), env=process.clean_environment(core.folder), capture_output=True, text=True,
        timeout=20,
    )  # fmt: skip
    assert done.returncode == 1
    assert time.monotonic() - start < 10
    return done.stderr
