# SPDX-License-Identifier: MIT
"""The Python client as its users have it: a package, installed beside numpy and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support import paths
from tests.support.graphs import scale
from tests.support.ipc import IpcCore

PROGRAM = """
import sys
import numpy as np
from mlos.client import Client

with Client(sys.argv[1]) as client, client.input_region(4096) as region:
    x = np.arange(4, dtype=np.float32)
    print(client.health()["status"], client.infer("double", {"x": x}).outputs["y"].tolist())
    print(client.infer("double", {"x": region.put(x)}).outputs["y"].tolist())
print(sorted({name.split(".")[0] for name in sys.modules} & {"mlos", "numpy", "ml_dtypes"}))
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of a virtual environment with numpy and the package."""
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    packages = next(home.glob("lib/python*/site-packages"))
    theirs = Path(np.__file__).parents[1]
    for part in theirs.glob("numpy*"):
        (packages / part.name).symlink_to(part)
    # A copy: building writes beside the sources.
    source = shutil.copytree(paths.ROOT / "sdk/python", tmp_path / "source")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         "--no-build-isolation", "--disable-pip-version-check", "--target", packages, source],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "bin/python"


def test_the_installed_package_asks_core(tmp_path: Path, python: Path):
    core = IpcCore(tmp_path / "core").start()
    assert core.register("double", scale(tmp_path / "double.onnx", 2.0)).status_code == 200
    done = subprocess.run(
        [python, "-I", "-c", PROGRAM, core.socket], capture_output=True, text=True, cwd=tmp_path,
        check=False,
    )  # fmt: skip
    assert core.stop() == 0
    doubled = "[0.0, 2.0, 4.0, 6.0]"
    assert (done.stdout, done.stderr) == (
        f"healthy {doubled}\n{doubled}\n['mlos', 'numpy']\n", "")  # fmt: skip
