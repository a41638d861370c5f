# SPDX-License-Identifier: MIT
"""The registry on a disk that changes bytes: what Core heals, what it quarantines, and what
`--check-state`, `--backup` and `--restore` do."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import scale
from tests.support.process import spawn

X = {"x": np.array([1.0, 2.0], np.float32)}
FACTORS = {"ns/two": 2.0, "ns/three": 3.0, "ns/five@v1": 5.0}


def register_all(core, tmp_path: Path) -> None:
    for model_id, factor in FACTORS.items():
        graph = scale(tmp_path / f"{factor}.onnx", factor)
        assert core.register(model_id, graph).status_code == 200


def check_all(core, *but: str) -> None:
    """Each model answers as itself."""
    for model_id, factor in FACTORS.items():
        if model_id not in but:
            assert np.array_equal(core.infer(model_id, X)["y"], X["x"] * factor), model_id


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def flip(path: Path, rng: random.Random) -> str:
    """Changes one byte, and says which."""
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= rng.randrange(1, 256)
    path.write_bytes(data)
    return f"{path.name} at {at}"


def replace(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data and len(old) == len(new)
    path.write_bytes(data.replace(old, new))


def flip_loop(core, tmp_path: Path, flips: int, seed: int) -> None:
    rng = random.Random(seed)
    register_all(core, tmp_path)
    found = 0
    for turn in range(flips):
        core.kill() if turn % 2 else core.stop()
        state = core.state_dir
        files = [state / name for name in ("registry.db", "registry.db-wal", "registry.copy")]
        where = flip(rng.choice([file for file in files if file.exists()]), rng)
        damaged = core.run("--check-state").returncode
        before = core.log().count("registry healed")
        core.start()
        check_all(core)
        assert {entry["id"] for entry in core.get("/models").json()["models"]} == set(FACTORS)
        healed = core.log().count("registry healed") - before
        assert (healed > 0) == (damaged == 1), (where, core.log()[-2000:])
        found += damaged
    assert found > 0, "no flip hit anything"


def test_a_changed_byte_is_found_and_healed(make_core, tmp_path):
    flip_loop(make_core().start(), tmp_path, flips=10, seed=1)


@pytest.mark.deep
@pytest.mark.limit(900)
def test_many_changed_bytes_are_found_and_healed(make_core, tmp_path):
    flip_loop(make_core().start(), tmp_path, flips=250, seed=2)


# A changed byte in a row was taken for true, so a model was served under another's id.
def test_a_model_is_never_served_under_another_id(core, tmp_path):
    register_all(core, tmp_path)
    assert core.stop() == 0
    replace(core.state_dir / "registry.db", b"ns/three", b"ns/thrfe")
    told = core.run("--check-state")
    assert told.returncode == 1 and "heals it by registry.copy" in told.stdout, told.stdout
    core.start()
    check_all(core)
    assert core.get("/models/ns%2Fthrfe").status_code == 404
    assert "registry damaged" in core.log()


def test_what_both_files_have_lost_is_quarantined_by_name(core, tmp_path):
    register_all(core, tmp_path)
    assert core.stop() == 0
    for name in ("registry.db", "registry.copy"):
        replace(core.state_dir / name, b"3.0.onnx", b"2.0.onnx")
    told = core.run("--check-state")
    assert told.returncode == 1
    assert "registry.db: model 'ns/three' is damaged" in told.stdout
    assert "registry.copy: model 'ns/three' is damaged" in told.stdout
    core.start()
    check_all(core, "ns/three")
    lost = core.get("/models/ns%2Fthree").json()
    assert lost["status"] == "quarantined"
    assert "register it again" in lost["error"]["message"]
    refused = core.post("/models/ns%2Fthree/inference", json={"x": [1.0, 2.0]})
    assert refused.status_code == 409 and refused.json()["reason"] == "MODEL_QUARANTINED"
    assert core.post("/models/ns%2Fthree/load").status_code == 409
    assert 'registration lost: register it again or remove it model="ns/three"' in core.log()
    assert core.register("ns/three", tmp_path / "3.0.onnx").status_code == 200
    check_all(core)
    core.restart()
    check_all(core)


def test_a_lost_registration_can_be_removed(core, tmp_path):
    register_all(core, tmp_path)
    assert core.stop() == 0
    for name in ("registry.db", "registry.copy"):
        replace(core.state_dir / name, b"3.0.onnx", b"2.0.onnx")
    core.start()
    assert core.delete("/models/ns%2Fthree").status_code == 200
    core.restart()
    assert core.get("/models/ns%2Fthree").status_code == 404
    check_all(core, "ns/three")


def test_without_a_readable_file_core_says_what_to_do(core, tmp_path):
    register_all(core, tmp_path)
    assert core.stop() == 0
    for name in ("registry.db", "registry.copy"):
        (core.state_dir / name).write_bytes(b"x" * 5000)
    told = core.run("--check-state")
    assert told.returncode == 1 and "--restore" in told.stdout
    refused = core.run("--http-port", "0", "--no-grpc", "--no-ipc")
    assert refused.returncode == 1 and "--restore" in refused.stderr


@pytest.mark.parametrize("end", ["running", "stopped", "killed"])
def test_looking_changes_nothing(core, tmp_path, end):
    register_all(core, tmp_path)
    if end == "stopped":
        assert core.stop() == 0
    if end == "killed":
        core.kill()
    before = digests(core.state_dir)
    told = core.run("--check-state")
    assert (told.returncode, told.stderr) == (0, ""), told.stdout
    assert told.stdout == (
        "registry.db: 3 models, 0 plugins, 4 changes\n"
        "registry.copy: 3 models, 0 plugins, 4 changes\n"
        "state ok\n"
    )
    if end != "running":  # whose readers share the index of the log
        assert digests(core.state_dir) == before


def test_a_state_folder_that_is_not_there_is_not_made(make_core, tmp_path):
    core = make_core()
    told = core.run("--check-state")
    assert told.returncode == 1 and "no such folder" in told.stderr
    assert not core.state_dir.exists()


@pytest.mark.parametrize("end", ["running", "stopped", "killed"])
def test_a_backup_brings_back_what_was_registered(core, tmp_path, end):
    register_all(core, tmp_path)
    if end == "stopped":
        assert core.stop() == 0
    if end == "killed":
        core.kill()
    backup = tmp_path / "backup.db"
    done = core.run("--backup", str(backup))
    assert (done.returncode, done.stdout, done.stderr) == (0, "backup written\n", "")
    assert backup.stat().st_mode & 0o077 == 0
    again = core.run("--backup", str(backup))
    assert again.returncode == 1 and "choose another" in again.stderr
    if not core.running:
        core.start()
    assert core.delete("/models/ns%2Ftwo").status_code == 200
    assert core.register("ns/three", tmp_path / "2.0.onnx").status_code == 200
    refused = core.run("--restore", str(backup))
    assert refused.returncode == 1 and "stop Core first" in refused.stderr
    assert core.stop() == 0
    done = core.run("--restore", str(backup))
    assert done.returncode == 0, done.stderr
    assert "models: 3" in done.stdout
    assert core.run("--check-state").returncode == 0
    assert (core.state_dir / "before-restore/registry.db").exists()
    core.start()
    check_all(core)


def test_a_backup_while_models_come_and_go_is_consistent(core, tmp_path):
    register_all(core, tmp_path)
    graph = scale(tmp_path / "more.onnx", 7.0)
    backups = [tmp_path / f"backup{number}" for number in range(8)]
    for number, backup in enumerate(backups):
        command = ["--state-dir", core.state_dir, "--backup", backup]
        running = spawn([core.command()[0], *command])
        for turn in range(10):
            reply = core.register(f"more{number}-{turn}", graph, autoload=False)
            assert reply.status_code == 200
        assert running.wait(60) == 0
    assert core.stop() == 0
    for number, backup in enumerate(backups):
        assert core.run("--restore", str(backup)).returncode == 0
        with sqlite3.connect(f"file:{core.state_dir}/registry.db?mode=ro", uri=True) as database:
            ids = {row[0] for row in database.execute("SELECT model_id FROM models")}
        assert ids >= {f"more{n}-{turn}" for n in range(number) for turn in range(10)}
        assert ids >= set(FACTORS)


def test_only_a_sound_backup_is_restored(core, tmp_path):
    register_all(core, tmp_path)
    backup = tmp_path / "backup.db"
    assert core.run("--backup", str(backup)).returncode == 0
    assert core.stop() == 0
    replace(backup, b"3.0.onnx", b"2.0.onnx")
    (tmp_path / "text").write_text("no database")
    for bad in (backup, tmp_path / "text", tmp_path / "nothing"):
        refused = core.run("--restore", str(bad))
        assert refused.returncode == 1 and refused.stderr.startswith("error: restore: ")
        assert "backup" in refused.stderr and "--restore" not in refused.stderr, refused.stderr
    assert not (core.state_dir / "before-restore").exists()
    assert core.run("--check-state").returncode == 0
    core.start()
    check_all(core)


def test_a_damaged_registry_is_not_backed_up(core, tmp_path):
    register_all(core, tmp_path)
    assert core.stop() == 0
    replace(core.state_dir / "registry.db", b"3.0.onnx", b"2.0.onnx")
    refused = core.run("--backup", str(tmp_path / "backup.db"))
    assert refused.returncode == 1 and "model 'ns/three' is damaged" in refused.stderr
    assert not (tmp_path / "backup.db").exists()


def test_a_backup_starts_another_state_folder(core, make_core, tmp_path):
    register_all(core, tmp_path)
    backup = tmp_path / "backup.db"
    assert core.run("--backup", str(backup)).returncode == 0
    other = make_core(name="other")
    assert other.run("--restore", str(backup)).returncode == 0
    other.start()
    check_all(other)
