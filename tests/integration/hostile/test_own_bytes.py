# SPDX-License-Identifier: MIT
"""Whoever may write to a registered model's files changes neither what is served nor whether Core
lives: engines open Core's own copies."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.integration.races.changes import overwrite, punch, replace, truncate
from tests.support import Core
from tests.support.graphs import mean_of
from tests.support.waiting import wait_until

X = {"x": np.array([0.5], np.float32)}


CHANGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "overwritten": (overwrite, "CHECKSUM_MISMATCH"),
    "truncated": (truncate, "INVALID_MODEL"),
    "punched": (punch, "CHECKSUM_MISMATCH"),
    "replaced": (replace, "CHECKSUM_MISMATCH"),
    "removed": (os.unlink, "INVALID_MODEL"),
}


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    core = Core(tmp_path_factory.mktemp("own-bytes")).start()
    yield core
    assert core.stop() == 0


@pytest.mark.parametrize("change", CHANGES)
def test_changed_weights_are_served_as_they_were_registered(core, tmp_path, change):
    act, reason = CHANGES[change]
    assert core.register("m", mean_of(tmp_path, 2.0)).status_code == 200
    act(tmp_path / "w.bin")
    for _ in range(3):
        assert core.infer("m", X)["y"] == [2.5]
    assert core.get(core.model_path("m")).json()["state"] == "loaded"
    # Loading again finds what became of the files, and says so.
    assert core.post(core.model_path("m", "unload")).status_code == 200
    again = core.post(core.model_path("m", "load"))
    assert (again.status_code >= 400, again.json()["reason"]) == (True, reason)
    assert core.delete(core.model_path("m")).status_code == 200


def test_the_copies_go_with_their_models(core, tmp_path):
    served = core.state_dir / "served"
    assert core.register("a", mean_of(tmp_path / "a", 3.0)).status_code == 200
    assert core.register("b", mean_of(tmp_path / "b", 3.0)).status_code == 200
    assert len(list(served.iterdir())) == 1, "models of equal files share one copy"
    assert core.delete(core.model_path("a")).status_code == 200
    assert core.infer("b", X)["y"] == [3.5]
    assert core.delete(core.model_path("b")).status_code == 200
    # With the last run of the model, which may end after its answer.
    wait_until(lambda: list(served.iterdir()) == [])


def renamed(tmp_path: Path) -> list[Path]:
    """Models of equal bytes, each called otherwise."""
    graphs = []
    for name in ("first.onnx", "second.onnx", "model.onnx"):
        graph = mean_of(tmp_path / name, 2.0)
        graphs.append(graph.rename(graph.parent / name))
    return graphs


def test_equal_models_of_other_names_are_all_there_after_a_restart(make_core, tmp_path):
    core = make_core().start()
    models = [f"m{number}" for number in range(9)]
    for number, graph in enumerate(renamed(tmp_path) * 3):
        assert core.register(models[number], graph).status_code == 200
    for _ in range(5):
        assert core.stop() == 0
        core.start()
        for model in models:
            assert core.infer(model, X)["y"] == [2.5], core.log()
    assert len(list((core.state_dir / "served").iterdir())) == 1


def test_equal_models_of_other_names_come_and_go_side_by_side(core, tmp_path):
    def come_and_go(number: int, graph: Path) -> None:
        model = f"t{number}"
        for _ in range(20):
            registered = core.register(model, graph)
            assert registered.status_code == 200, registered.text
            assert core.infer(model, X)["y"] == [2.5]
            assert core.delete(core.model_path(model)).status_code == 200

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(come_and_go, range(3), renamed(tmp_path)))


def damage(core: Core, digest: str) -> None:
    """Flips a byte of Core's own copy of the weights, as a failing disk would."""
    weights = core.state_dir / "served" / digest.removeprefix("sha256:") / "w.bin"
    weights.chmod(0o600)
    before = weights.stat()
    with weights.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_look_at_all_bytes_finds_what_changed_and_heals_the_copy(make_core, tmp_path):
    core = make_core("--scrub-interval-s", "1").start()
    assert core.register("m", mean_of(tmp_path / "m", 2.0)).status_code == 200
    assert core.register("n", mean_of(tmp_path / "n", 3.0)).status_code == 200

    def shown(model: str) -> dict:
        return core.get(core.model_path(model)).json()

    first = shown("m")
    assert first["loaded_at"] <= first["checked_at"]
    damage(core, first["digest"])
    wait_until(lambda: "changed" in core.log(), why=core.log)
    wait_until(lambda: shown("m")["state"] == "loaded", why=core.log)
    assert core.infer("m", X)["y"] == [2.5]
    assert "check_error" not in shown("m")
    # The original is gone wrong: what is served is still right, and the change is told.
    overwrite(tmp_path / "n/w.bin")
    wait_until(lambda: "check_error" in shown("n"), why=core.log)
    assert shown("n")["check_error"]["reason"] == "CHECKSUM_MISMATCH"
    assert shown("n")["state"] == "loaded"
    assert core.infer("n", X)["y"] == [3.5]
    # With both gone there is nothing left that has the digest that is shown.
    damage(core, shown("n")["digest"])
    wait_until(lambda: shown("n")["state"] == "failed", why=core.log)
    assert core.stop() == 0


def test_pages_that_cannot_be_read_fail_their_model_and_nothing_else(make_core, tmp_path):
    core = make_core().start()
    assert core.register("m", mean_of(tmp_path / "m", 2.0)).status_code == 200
    assert core.register("same", tmp_path / "m/m.onnx").status_code == 200
    assert core.register("n", mean_of(tmp_path / "n", 3.0)).status_code == 200
    assert core.infer("m", X)["y"] == [2.5]
    digest = core.get(core.model_path("m")).json()["digest"]
    weights = core.state_dir / "served" / digest.removeprefix("sha256:") / "w.bin"
    weights.chmod(0o600)
    os.truncate(weights, 0)

    body = {"inputs": {"x": [0.5]}}
    failed = core.post(core.model_path("m", "inference"), json=body)
    assert (failed.status_code, failed.json()["reason"]) == (500, "IO_ERROR")
    assert "'m'" in failed.json()["message"]
    shown = core.get(core.model_path("m")).json()
    assert (shown["state"], shown["error"]["reason"]) == ("failed", "IO_ERROR")
    assert core.get(core.model_path("same")).json()["state"] == "failed"
    assert core.infer("n", X)["y"] == [3.5]
    # The copy is made again from what was registered, once nothing runs with the old one.
    wait_until(lambda: core.post(core.model_path("m", "load")).status_code == 200, why=core.log)
    assert core.infer("m", X)["y"] == [2.5]
    assert core.stop() == 0


def test_a_copy_that_changed_while_core_was_stopped_is_made_again(make_core, tmp_path):
    core = make_core().start()
    assert core.register("m", mean_of(tmp_path / "m", 2.0)).status_code == 200
    digest = core.get(core.model_path("m")).json()["digest"]
    assert core.stop() == 0
    damage(core, digest)
    core.start()
    wait_until(lambda: core.get(core.model_path("m")).json()["state"] == "loaded")
    assert core.infer("m", X)["y"] == [2.5]


def has_true_change_times(folder: Path) -> bool:
    kind = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True,
                          check=True)  # fmt: skip
    return kind.stdout.strip() in ("ext2/ext3", "xfs", "btrfs", "f2fs")


def bytes_read(core: Core) -> int:
    """What Core has read from files so far; mapped pages do not count."""
    counts = Path(f"/proc/{core.pid}/io").read_text()
    return int(re.search(r"^rchar: (\d+)$", counts, re.MULTILINE)[1])


def test_a_restart_hashes_only_what_has_changed(make_core, tmp_path):
    if not has_true_change_times(tmp_path):
        pytest.skip("this file system does not tell what has changed")
    core = make_core().start()
    graph = mean_of(tmp_path / "m", 2.0)
    weights = (tmp_path / "m/w.bin").stat()
    # Files that have just changed are hashed again.
    wait_until(lambda: time.time() - weights.st_ctime > 2.5)
    assert core.register("m", graph, autoload=False).status_code == 200

    def load() -> int:
        before = bytes_read(core)
        assert core.post(core.model_path("m", "load")).status_code == 200
        assert core.infer("m", X)["y"] == [2.5]
        return bytes_read(core) - before

    assert load() > weights.st_size, "the copy is made"
    digest = core.get(core.model_path("m")).json()["digest"]
    for _ in range(2):
        assert core.stop() == 0
        core.start()
        assert load() < weights.st_size, "nothing has changed"
    # A write that leaves size and modification time alone is seen all the same.
    assert core.stop() == 0
    damage(core, digest)
    core.start()
    assert load() > weights.st_size
