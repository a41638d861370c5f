# SPDX-License-Identifier: MIT
"""`make install` and `make install-dev` into an empty folder; the programs run from there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.support import Axon, max_difference, paths

pytestmark = pytest.mark.release_only

MODEL = "hf/google/magika@latest"

PLUGIN = """
#include <mlos/smi_spec.h>
int main(void) { return SMI_VERSION_MAJOR == 1 ? 0 : 1; }
"""


def make(*arguments: str) -> None:
    """Runs make in the repository."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    subprocess.run(
        ["make", *arguments], cwd=paths.ROOT, env=environment, check=True, capture_output=True,
        timeout=280,
    )  # fmt: skip


@pytest.mark.limit(300)
def test_installed_programs_serve_a_model(tmp_path, hub, make_core, reference, monkeypatch):
    prefix = tmp_path / "usr"
    make("install", f"PREFIX={prefix}")
    for program in ("mlos_core", "axon"):
        done = subprocess.run([prefix / "bin" / program, "--version"], capture_output=True,
                              text=True, check=True)  # fmt: skip
        assert "1.0.0" in done.stdout
    monkeypatch.setattr(paths, "product", lambda name: prefix / "bin" / name)
    core = make_core().start()
    axon = Axon(tmp_path / "axon", hub.url, core.url)
    axon.run("install", MODEL, check=True)
    axon.run("register", MODEL, check=True)
    asked = {"bytes": np.arange(2048, dtype=np.int32).reshape(1, 2048) % 257}
    answered = core.infer(MODEL, asked)
    expected = reference(hub.file("google/magika", "model.onnx")).run(asked)
    assert max_difference(answered, expected) <= 1e-5
    assert core.stop() == 0


def test_stripped_programs_are_small(tmp_path):
    stripped = 0
    for product in ("mlos_core", "axon", "plugins/libmlos_onnx.so"):
        copy = tmp_path / Path(product).name
        subprocess.run(["strip", "-o", copy, paths.product(product)], check=True)
        stripped += copy.stat().st_size
    assert stripped <= 15_000_000


@pytest.mark.limit(300)
def test_installed_header_compiles(tmp_path):
    destination = tmp_path / "image"
    make("install-dev", "PREFIX=/usr", f"DESTDIR={destination}")
    source = tmp_path / "main.c"
    source.write_text(PLUGIN)
    program = tmp_path / "main"
    subprocess.run(["gcc", "-std=c11", f"-I{destination}/usr/include", source, "-o", program],
                   check=True)  # fmt: skip
    assert subprocess.run([program], check=False).returncode == 0
