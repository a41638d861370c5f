# SPDX-License-Identifier: MIT
"""A thousand changed bytes each in the registry, in registered files, in Core's copies of them and
in axon's store: whatever changes content is found, none of it is served, and the rest is."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests
import yaml

from tests.support import paths
from tests.support.axon import Axon
from tests.support.core import Core
from tests.support.graphs import scale
from tests.support.waiting import wait_until

MODELS = 12
X = {"x": np.array([1.0], np.float32)}
PACKAGE = "hf/mlos-test/bert-tiny@latest"
flipping = pytest.mark.parametrize(
    "flips", [20, pytest.param(1000, marks=pytest.mark.deep)])
pytestmark = pytest.mark.limit(1800)


@pytest.mark.deep
@pytest.mark.parametrize(
    ("program", "tests"), [("mlos_registry_test", "*Flip*"), ("mlos_store_test", "*Flipped*")]
)
def test_every_one_of_a_thousand_flips_is_found(program, tests):
    build = [str(paths.ROOT / "tools" / "build.sh"), "release", program]
    subprocess.run(build, check=True, timeout=1800)
    env = {**os.environ, "MLOS_FLIPS": "1000"}
    command = [paths.ROOT / "build" / program, f"--gtest_filter={tests}"]
    done = subprocess.run(command, env=env, timeout=3000, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[  PASSED  ] 0 tests" not in done.stdout


class Flip:
    """A changed bit of a file, until it is undone."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._good = file.read_bytes()
        place = random.randrange(len(self._good))
        bad = bytearray(self._good)
        bad[place] ^= 1 << random.randrange(8)
        self._write(bytes(bad))

    def undo(self) -> None:
        self._write(self._good)

    def _write(self, data: bytes) -> None:
        mode = self._file.stat().st_mode
        self._file.chmod(0o600)
        self._file.write_bytes(data)
        self._file.chmod(mode)


class Registered:
    """Models `m0`, `m1`, … each of which multiplies by its number, and their files."""

    def __init__(self, core: Core, folder: Path) -> None:
        self.core = core
        self.files = [scale(folder / f"{number}.onnx", number) for number in range(MODELS)]
        for number, file in enumerate(self.files):
            assert core.register(f"m{number}", file).status_code == 200
        self.digests = [self.shown(number)["digest"] for number in range(MODELS)]

    def shown(self, number: int) -> dict:
        return self.core.get(self.core.model_path(f"m{number}")).json()

    def copy_of(self, number: int) -> Path:
        served = self.core.state_dir / "served" / self.digests[number].removeprefix("sha256:")
        return served / "model.onnx"

    def check_served(self, number: int) -> None:
        """It is, and it is what was registered."""
        assert self.shown(number)["state"] == "loaded"
        assert self.shown(number)["digest"] == self.digests[number]
        assert self.core.infer(f"m{number}", X)["y"] == [number]

    def wait_for_check_errors(self, there: bool) -> None:
        """Until a look at all bytes has found them or not, which has only idle cores."""
        for number in range(MODELS):
            wait_until(lambda: ("check_error" in self.shown(number)) == there, timeout_s=300)

    def load_again(self, number: int) -> requests.Response:
        # Also while a look at all bytes reads its files.
        assert self.core.post(self.core.model_path(f"m{number}", "unload")).status_code == 200
        return self.core.post(self.core.model_path(f"m{number}", "load"))


@pytest.fixture
def registered(make_core, tmp_path) -> Iterator[Registered]:
    core = make_core("--scrub-interval-s", "1").start()
    yield Registered(core, tmp_path)
    assert core.stop() == 0


def check_refused(reply: requests.Response) -> None:
    """Whether the flip left a graph or not."""
    assert reply.status_code in (400, 422), reply.text
    assert reply.json()["reason"] in ("CHECKSUM_MISMATCH", "INVALID_MODEL"), reply.text


@flipping
def test_every_flip_of_registered_files_is_found_while_core_runs(registered, flips):
    """What is served stays right meanwhile: it is read from Core's own copy."""
    for _ in range(flips):
        number = random.randrange(MODELS)
        flip = Flip(registered.files[number])
        registered.check_served(number)
        check_refused(registered.load_again(number))
        flip.undo()
        registered.check_served((number + 1) % MODELS)
        assert registered.load_again(number).status_code == 200
        registered.check_served(number)


@flipping
def test_every_flip_of_registered_files_is_found_by_a_look_at_all_bytes(registered, flips):
    # Each look takes a second, so a fifth of them.
    for _ in range(0, flips // 5, MODELS):
        made = [Flip(file) for file in registered.files]
        registered.wait_for_check_errors(True)
        for number in range(MODELS):
            registered.check_served(number)
        for flip in made:
            flip.undo()
        registered.wait_for_check_errors(False)


@flipping
def test_every_flip_while_core_is_stopped_is_found_at_its_start(registered, flips):
    """Of a third of the models the registered file is flipped, of a third Core's copy, which it
    makes again."""
    core, third = registered.core, MODELS // 3
    for _ in range(0, flips, third):
        assert core.stop() == 0
        numbers = random.sample(range(MODELS), 2 * third)
        changed, damaged = numbers[:third], numbers[third:]
        made = [Flip(registered.files[number]) for number in changed]
        for number in damaged:
            Flip(registered.copy_of(number))
        core.start()
        for number in range(MODELS):
            if number in changed:
                assert registered.shown(number)["state"] == "failed", number
            else:
                registered.check_served(number)
        for flip in made:
            flip.undo()
        for number in changed:
            assert core.post(core.model_path(f"m{number}", "load")).status_code == 200
            registered.check_served(number)


@pytest.fixture
def installed(axon: Axon, core: Core) -> Path:
    """The folder of a package of axon's store that is registered."""
    axon.run("install", PACKAGE, check=True)
    axon.run("register", PACKAGE, check=True)
    return axon.model_dir("mlos-test/bert-tiny")


def is_found(axon: Axon) -> bool:
    found = axon.run("verify", "--json")
    assert found.exit_code in (0, 6), found.stderr
    return not found.json[0]["intact"]


@pytest.mark.release_only
@flipping
def test_every_flip_in_the_store_of_axon_is_found(axon, core, installed, flips):
    manifest = yaml.safe_load((installed / "manifest.yaml").read_text())
    listed = [installed / file["path"] for file in manifest["spec"]["format"]["files"]]
    model = core.model_path(PACKAGE)
    digest = core.get(model).json()["digest"]
    for _ in range(flips):
        flip = Flip(random.choice(listed))
        assert is_found(axon)
        assert core.get(model).json()["state"] == "loaded"
        assert core.post(core.model_path(PACKAGE, "unload")).status_code == 200
        check_refused(core.post(core.model_path(PACKAGE, "load")))
        check_refused(core.register("other", installed))
        flip.undo()
        assert core.post(core.model_path(PACKAGE, "load")).status_code == 200
        assert core.get(model).json()["digest"] == digest
    assert not is_found(axon)


@pytest.mark.release_only
@flipping
def test_no_flip_of_a_manifest_makes_core_serve_other_bytes(axon, core, installed, flips):
    model = core.model_path(PACKAGE)
    digest = core.get(model).json()["digest"]
    for _ in range(flips):
        flip = Flip(installed / "manifest.yaml")
        assert core.post(core.model_path(PACKAGE, "unload")).status_code == 200
        if core.post(core.model_path(PACKAGE, "load")).status_code == 200:
            assert core.get(model).json()["digest"] == digest
        flip.undo()
        assert core.post(core.model_path(PACKAGE, "load")).status_code == 200
