# SPDX-License-Identifier: MIT
"""Killing Core at any moment loses nothing that was acknowledged and leaves nothing half done."""

from __future__ import annotations

import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests

from tests.support.graphs import scale

X = {"x": np.array([1.0, 2.0], np.float32)}


class History:
    """What a client was told: the factor each id answers with, or None once removed. While a
    request is unanswered, both the old and the new state are legal."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, float | None] = {}
        self.pending: dict[str, float | None] = {}
        self.registrations = 0
        self.answered = 0

    def legal(self, model_id: str) -> set[float | None]:
        states = {self.acknowledged.get(model_id)}
        if model_id in self.pending:
            states.add(self.pending[model_id])
        return states


def work(core, graphs: dict[float, object], history: History, rng: random.Random) -> None:
    """Registers, replaces and removes models until the daemon dies. AssertionError where one that
    lives refuses."""
    while True:
        model_id = f"kill/m{rng.randrange(4)}"
        factor = rng.choice([*graphs, None])
        history.pending = {model_id: factor}
        try:
            if factor is None:
                reply = core.delete(core.model_path(model_id))
                assert reply.status_code in (200, 404), reply.text
            else:
                reply = core.register(model_id, graphs[factor])
                assert reply.status_code == 200, reply.text
        except requests.RequestException:
            return
        history.acknowledged[model_id] = factor
        history.registrations += factor is not None
        history.answered += 1
        history.pending = {}


def check(core, history: History) -> None:
    """Everything the client was told holds, and every model that is there answers rightly."""
    there = {entry["id"] for entry in core.get("/models").json()["models"]}
    for model_id in {*history.acknowledged, *history.pending}:
        found = None
        if model_id in there:
            reply = core.post(core.model_path(model_id, "inference"), json={"x": [1.0, 2.0]})
            if reply.status_code == 409:  # it was being loaded when Core died
                assert core.get(core.model_path(model_id)).json()["status"] == "quarantined"
                assert core.post(core.model_path(model_id, "load")).status_code == 200
            found = float(core.infer(model_id, X)["y"][0])
        assert found in history.legal(model_id), (model_id, found, history.legal(model_id))
        history.acknowledged[model_id] = found
    history.pending = {}


def kill_loop(make_core, folder, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    graphs = {factor: scale(folder / f"{factor}.onnx", factor) for factor in (2.0, 3.0, 5.0)}
    core = make_core()
    history = History()
    with ThreadPoolExecutor(1) as client:
        for _ in range(kills):
            core.start()
            check(core, history)
            # However slow the machine is, most kills come behind an answer.
            wanted = history.answered + rng.randrange(3)
            working = client.submit(work, core, graphs, history, rng)
            while history.answered < wanted and not working.done():
                time.sleep(0.001)
            time.sleep(rng.uniform(0.0, 0.12))
            core.kill()
            working.result()
    assert history.registrations > 0, "no registration was acknowledged between two kills"
    core.start()
    check(core, history)
    assert core.stop() == 0


@pytest.mark.limit(300)
def test_kills_at_random_moments(make_core, tmp_path):
    kill_loop(make_core, tmp_path, kills=60, seed=1)


@pytest.mark.deep
@pytest.mark.limit(900)
@pytest.mark.parametrize("seed", [2, 3])
def test_many_kills_at_random_moments(make_core, tmp_path, seed):
    kill_loop(make_core, tmp_path, kills=150, seed=seed)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MiB; mounting one needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(disk) -> None:
    with (disk / "ballast").open("ab", buffering=0) as ballast, pytest.raises(OSError):
        while True:
            ballast.write(b"\0" * 4096)


def test_a_full_disk_is_an_answer_and_the_old_state_stays(make_core, tmp_path, small_disk):
    core = make_core(name="disk/core").start()
    assert core.register("kept", scale(tmp_path / "kept.onnx", 2.0)).status_code == 200
    fill(small_disk)
    statuses = []
    for number in range(40):
        reply = core.register(f"more{number}", scale(tmp_path / "more.onnx", 10.0 + number))
        statuses.append(reply.status_code)
        if reply.status_code != 200:
            assert reply.status_code == 507, reply.text
            assert reply.json()["reason"] == "DISK_FULL"
            break
    assert statuses[-1] == 507, "the disk was never full"
    acknowledged = len(statuses) - 1
    assert np.array_equal(core.infer("kept", X)["y"], X["x"] * 2)
    (small_disk / "ballast").unlink()
    core.kill()
    core.start()
    models = {entry["id"] for entry in core.get("/models").json()["models"]}
    assert models == {"kept", *(f"more{number}" for number in range(acknowledged))}
    assert np.array_equal(core.infer("kept", X)["y"], X["x"] * 2)


# Removing was refused, too, although it is what makes room.
def test_models_are_removed_on_a_full_disk(make_core, tmp_path, small_disk):
    core = make_core(name="disk/core").start()
    graph = scale(tmp_path / "a.onnx", 2.0)
    # Long enough that a removal rewrites pages all over the registry.
    ids = [f"m{number}" for number in range(150)]
    for model_id in ids:
        reply = core.register(model_id, graph, autoload=False, description="d" * 500)
        assert reply.status_code == 200, reply.text
    plugin = {"id": "waiting", "name": "Waiting", "version": "1.0.0"}
    assert core.post("/plugins/register", json=plugin).status_code == 200
    fill(small_disk)
    for number in range(1000):
        reply = core.register(f"more{number}", graph, autoload=False)
        if reply.status_code != 200:
            break
    assert reply.status_code == 507, reply.text
    more = [f"more{n}" for n in range(number)]
    for model_id in [*ids, *more]:
        fill(small_disk)
        reply = core.delete(core.model_path(model_id))
        assert reply.status_code == 200, (model_id, reply.text)
    assert core.delete("/plugins/waiting").status_code == 200
    assert core.get("/models").json()["models"] == []
    core.kill()
    (small_disk / "ballast").unlink()
    assert core.run("--check-state").returncode == 0
    core.start()
    assert core.get("/models").json()["models"] == []
    assert core.register("again", graph).status_code == 200
