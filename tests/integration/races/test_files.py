# SPDX-License-Identifier: MIT
"""Races for the bytes of a model: somebody changes its files, in each of the ways in which that is
done, while Core registers, loads and serves it. What is served always has the digest that is shown,
and nobody else notices. MLOS_RACE_SECONDS each."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
import requests

from tests.integration.races.changes import overwrite, punch, replace, truncate
from tests.integration.races.turns import during, turns
from tests.support import Core
from tests.support.graphs import mean_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.limit(300)

X = {"x": np.array([0.5], np.float32)}
# Of a file that is in the middle of a change.
REFUSED = {"CHECKSUM_MISMATCH", "INVALID_MODEL", "FILE_NOT_FOUND"}


def exchange(weights: Path) -> None:
    """The graph and its weights become those of another model, one after the other."""
    for file in ("m.onnx", "w.bin"):
        replace(weights.parent / file, (weights.parent / "other" / file).read_bytes())


KINDS: dict[str, Callable[[Path], None]] = {
    "changed": overwrite,
    "truncated": truncate,
    "punched": punch,
    "exchanged": exchange,
    "replaced": replace,
    "removed": Path.unlink,
}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """Core with the model `good`, which adds 3."""
    folder = tmp_path_factory.mktemp("races")
    core = Core(folder, "--scrub-interval-s", "1").start()
    assert core.register("good", mean_of(folder / "good", 3.0)).status_code == 200
    yield core
    assert core.get(core.model_path("good")).json()["state"] == "loaded"
    assert core.stop() == 0


def disturb(weights: Path, kind: str) -> None:
    """Changes the files and brings them back, to be good for a while of any length."""
    KINDS[kind](weights)
    time.sleep(random.uniform(0, 0.02))
    sound = (weights.parent / "sound/w.bin").read_bytes()
    if kind == "exchanged":
        replace(weights.with_name("m.onnx"), (weights.parent / "sound/m.onnx").read_bytes())
    if weights.exists() and random.random() < 0.5:
        overwrite(weights, sound)
    else:
        replace(weights, sound)
    time.sleep(random.uniform(0, 0.1))


def ask(core: Core, session: requests.Session, model: str, y: float) -> None:
    reply = session.post(core.url + core.model_path(model, "inference"),
                         json={"inputs": {"x": [0.5]}}, timeout=60)  # fmt: skip
    assert reply.status_code == 200, reply.text
    assert reply.json()["outputs"]["y"] == [y], reply.text


def digest_of(folder: Path) -> str:
    """As package::CombineDigests has it: the graph has no name."""
    lines = [(name, hashlib.sha256((folder / file).read_bytes()).hexdigest())
             for name, file in (("", "model.onnx"), ("w.bin", "w.bin"))]  # fmt: skip
    return hashlib.sha256("".join(f"{sha}  {name}\n" for name, sha in lines).encode()).hexdigest()


def check_served(core: Core, model: str) -> None:
    """The answer is that of the bytes that have the digest that is shown."""
    shown = core.get(core.model_path(model)).json()["digest"].removeprefix("sha256:")
    served = core.state_dir / "served" / shown
    assert digest_of(served) == shown
    expected = np.fromfile(served / "w.bin", np.float32).mean(dtype=np.float64) + 0.5
    assert core.infer(model, X)["y"] == pytest.approx([expected], rel=1e-3)


def bring_in(core: Core, graph: Path, turn: int) -> requests.Response:
    """Registers the model, or loads it again."""
    unloaded = turn % 2 and core.post(core.model_path("m", "unload")).status_code == 200
    return core.post(core.model_path("m", "load")) if unloaded else core.register("m", graph)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_served_has_the_digest_that_is_shown(core, tmp_path, kind):
    graph = mean_of(tmp_path, 1.0)
    mean_of(tmp_path / "sound", 1.0)
    other = onnx.load(mean_of(tmp_path / "other", 2.0), load_external_data=False)
    other.doc_string = "another graph"
    (tmp_path / "other/m.onnx").write_bytes(other.SerializeToString())
    seen = {True: 0, False: 0}
    with (requests.Session() as session, during(lambda: ask(core, session, "good", 3.5)),
          during(lambda: disturb(tmp_path / "w.bin", kind))):  # fmt: skip
        for turn in turns(lambda: seen[True] > 0):
            done = bring_in(core, graph, turn)
            seen[done.status_code == 200] += 1
            if done.status_code == 200:
                check_served(core, "m")
            else:
                assert done.json()["reason"] in REFUSED, done.text
    # Also while a look at all bytes reads them.
    assert core.delete(core.model_path("m")).status_code in (200, 404)
    wait_until(lambda: len(list((core.state_dir / "served").iterdir())) == 1)
