# SPDX-License-Identifier: MIT
"""What is installed: listed, described, verified, uninstalled, cleaned, safe when disks fill."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Axon, Hub, process

SMALL = "hf/mlos-test/bert-tiny"


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def flip(path: Path, offset: int) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def test_an_empty_store_answers_and_is_not_created(axon):
    assert axon.run("list", check=True).stderr == "no model is installed\n"
    assert axon.run("list", "--json", check=True).json == []
    assert axon.run("verify", "--json", check=True).json == []
    assert axon.run("cache", "stats", "--json", check=True).json["models"] == 0
    assert axon.run("cache", "clean", check=True).stdout == ""
    assert not (axon.home / "cache").exists()


def test_list_in_its_forms(axon, hub):
    axon.run("install", SMALL, check=True)
    axon.run("install", "hf/mlos-test/revisions@v1.0", check=True)
    directory = axon.model_dir("mlos-test/bert-tiny")
    files = tree(directory)
    size = sum(len(files[name]) for name in ("README.md", "config.json", "model.onnx"))
    assert axon.run("list", "--json", check=True).json[0] == {
        "model_id": "hf/mlos-test/bert-tiny@latest",
        "namespace": "hf",
        "name": "mlos-test/bert-tiny",
        "version": "latest",
        "path": str(directory),
        "size_bytes": size,
        "state": "verified",
    }
    names = "hf/mlos-test/bert-tiny@latest\nhf/mlos-test/revisions@v1.0\n"
    assert axon.run("list", "--format", "names", check=True).stdout == names
    assert axon.run("list", "-f", "json", check=True).json[1] == {
        "Namespace": "hf",
        "Name": "mlos-test/revisions",
        "Version": "v1.0",
        "Path": str(axon.model_dir("mlos-test/revisions", "v1.0")),
    }
    assert axon.run("list", check=True).stdout == (
        "MODEL                          SIZE       STATE\n"
        "hf/mlos-test/bert-tiny@latest  665.5 KiB  verified\n"
        "hf/mlos-test/revisions@v1.0    311 B      verified\n"
    )


def test_info_of_an_installed_model(axon, hub):
    axon.run("install", "hf/snakers4/silero-vad", check=True)
    info = axon.run("info", "hf/snakers4/silero-vad", "--json", check=True).json
    assert info["inputs"] == [
        {"name": "input", "dtype": "float32", "shape": [-1, -1]},
        {"name": "state", "dtype": "float32", "shape": [2, -1, 128]},
        {"name": "sr", "dtype": "int64", "shape": []},
    ]
    assert [output["name"] for output in info["outputs"]] == ["output", "stateN"]
    assert (info["installed"], info["license"], info["graph"]) == (True, "mit", "silero_vad.onnx")
    text = axon.run("info", "hf/snakers4/silero-vad@latest", check=True).stdout
    assert "\ninput        sr int64[]\n" in text


def test_info_of_a_model_that_is_not_installed_asks_the_hub(axon, hub):
    info = axon.run("info", "hf/mlos-test/gated", "--json", check=True).json
    assert (info["installed"], info["gated"], info["graph"]) == (False, True, "model.onnx")
    assert axon.run("info", "hf/mlos-test/nothing").exit_code == 3
    assert not (axon.home / "cache").exists()


@pytest.mark.parametrize("offset", [0, 1000, -1])
@pytest.mark.smoke
def test_a_flipped_byte_is_found(axon, hub, offset):
    axon.run("install", SMALL, check=True)
    graph = axon.model_dir("mlos-test/bert-tiny") / "model.onnx"
    flip(graph, offset % graph.stat().st_size)
    result = axon.run("verify", SMALL, "--json")
    assert result.exit_code == 6
    (verdict,) = result.json
    assert verdict["intact"] is False
    assert [(p["path"], p["fault"]) for p in verdict["problems"]] == [("model.onnx", "digest")]
    text = axon.run("verify")
    assert text.exit_code == 6
    assert "hf/mlos-test/bert-tiny@latest  DAMAGED\n" in text.stdout
    assert "error: changed since installation: hf/mlos-test/bert-tiny@latest\n" in text.stderr


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda d: (d / "model.onnx").unlink(), "missing"),
        (lambda d: (d / "extra.bin").write_bytes(b"x"), "unlisted"),
        (lambda d: os.truncate(d / "README.md", 1), "size"),
        (lambda d: (d / "link").symlink_to("/etc/passwd"), "unsafe"),
        (lambda d: (d / "manifest.yaml").write_text("a: ["), "unreadable"),
    ],
)
def test_every_other_damage_is_found(axon, hub, damage, fault):
    axon.run("install", SMALL, check=True)
    directory = axon.model_dir("mlos-test/bert-tiny")
    for file in directory.iterdir():
        file.chmod(0o644)
    damage(directory)
    result = axon.run("verify", "--json")
    assert result.exit_code == 6
    assert [p["fault"] for p in result.json[0]["problems"]] == [fault]


def test_uninstall_one_version_all_versions_and_none(axon, hub):
    for version in ("v1.0", "v2.0", "latest"):
        axon.run("install", f"hf/mlos-test/revisions@{version}", check=True)
    one = axon.run("uninstall", "--force", "hf/mlos-test/revisions@v1.0", check=True)
    assert one.stdout == "hf/mlos-test/revisions@v1.0\n"
    missing = axon.run("uninstall", "--force", "hf/mlos-test/revisions@v1.0")
    assert missing.exit_code == 3
    left = "hf/mlos-test/revisions@latest, hf/mlos-test/revisions@v2.0"
    assert f"hint: installed of it: {left}\n" in missing.stderr
    rest = axon.run("uninstall", "--force", "hf/mlos-test/revisions", "--json", check=True)
    assert rest.json["models"] == ["hf/mlos-test/revisions@latest", "hf/mlos-test/revisions@v2.0"]
    assert axon.run("uninstall", "--force", "hf/mlos-test/revisions").exit_code == 3
    assert list((axon.home / "cache/models").iterdir()) == []


def test_cleaning_removes_what_nobody_uses_and_nothing_else(axon, hub):
    axon.run("install", SMALL, check=True)
    axon.run("install", "hf/google/magika", check=True)
    axon.run("uninstall", "--force", "hf/google/magika", check=True)
    downloads = axon.home / "cache/downloads"
    (downloads / "sha256-dead.part").write_bytes(b"half")
    kept = tree(axon.home / "cache/models")
    dry = axon.run("cache", "clean", "--dry-run", "--json", check=True).json
    assert {entry["kind"] for entry in dry["removed"]} == {"object", "partial download"}
    stats = axon.run("cache", "stats", "--json", check=True).json
    assert (stats["unused_objects"], stats["partial_bytes"]) == (3, 4)
    assert axon.run("cache", "clean", "--json", check=True).json == dry | {"dry_run": False}
    after = axon.run("cache", "stats", "--json", check=True).json
    assert (after["unused_objects"], after["partial_downloads"], after["models"]) == (0, 0, 1)
    assert tree(axon.home / "cache/models") == kept
    axon.run("verify", check=True)


def test_what_a_dead_process_staged_is_swept(axon, hub):
    dead = axon.home / "cache/staging/dead/model"
    dead.mkdir(parents=True)
    (dead / "model.onnx").write_bytes(b"half")
    axon.run("install", SMALL, check=True)
    assert list((axon.home / "cache/staging").iterdir()) == []


def test_a_model_cannot_lie_inside_another(axon, hub):
    axon.run("install", "hf/gpt2@main", check=True)
    inside = axon.home / "cache/models/hf/gpt2/main"
    result = axon.run("install", "hf/gpt2/main")
    assert result.exit_code == 3, "there is no such repository"
    assert (inside / "manifest.yaml").exists()


class Mount:
    """A tmpfs of a few MiB as somebody's disk."""

    _MS_RDONLY_REMOUNT = 1 | 32

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._libc = ctypes.CDLL(None, use_errno=True)

    def mount(self, options: str) -> None:
        self.folder.mkdir(parents=True)
        if self._libc.mount(b"tmpfs", bytes(self.folder), b"tmpfs", 0, options.encode()) != 0:
            pytest.skip(f"mount: {os.strerror(ctypes.get_errno())}; a full disk needs root")

    def make_read_only(self) -> None:
        self._libc.mount(b"tmpfs", bytes(self.folder), b"tmpfs", self._MS_RDONLY_REMOUNT, None)

    def unmount(self) -> None:
        self._libc.umount2(bytes(self.folder), 2)


@pytest.fixture
def disk(axon: Axon, tmp_path: Path) -> Iterator[Mount]:
    """The cache of `axon` on a disk that a test mounts."""
    mount = Mount(tmp_path / "disk")
    axon.env["AXON_CACHE_DIR"] = str(mount.folder)
    yield mount
    mount.unmount()


def test_too_small_a_disk_is_noticed_before_anything_is_downloaded(axon, hub, disk):
    disk.mount("size=2m")
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 7
    assert "error: the model needs 3.3 MiB; the disk of the store has 2.0 MiB" in result.stderr
    assert "hint: `axon cache clean`" in result.stderr
    assert hub.log("cdn") == []


@pytest.mark.parametrize("spare_kib", [4, 64, 512, 1500, 3000])
def test_a_disk_that_fills_up_meanwhile_leaves_the_old_state(axon, hub, disk, spare_kib):
    disk.mount("size=8m")
    axon.run("install", SMALL, check=True)
    before = tree(disk.folder / "models")
    hub.fault("throttle", path="^/repos/", bytes_per_second=2_000_000)
    install = axon.start("install", "hf/google/magika")
    while not list((disk.folder / "downloads").glob("*.part")):
        assert install.poll() is None
        time.sleep(0.005)
    ballast = disk.folder / "ballast"
    free = os.statvfs(disk.folder).f_bavail * 4096
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        file.write(bytes(max(0, free - spare_kib * 1024)))
    assert install.wait(30) == 7
    assert tree(disk.folder / "models") == before
    assert axon.run("list", "-f", "names", check=True).stdout == "hf/mlos-test/bert-tiny@latest\n"
    axon.run("verify", check=True)
    ballast.unlink()
    hub.clear_faults()
    axon.run("install", "hf/google/magika", check=True)
    axon.run("verify", check=True)


@pytest.mark.parametrize("inodes", range(14, 44, 3))
def test_a_disk_without_names_left_is_a_full_disk(axon, hub, disk, inodes):
    """Every step that creates something fails in its turn."""
    disk.mount(f"size=8m,nr_inodes={inodes}")
    result = axon.run("install", "hf/google/magika")
    listed = axon.run("list", "-f", "names", check=True).stdout
    if result.exit_code == 0:
        assert listed == "hf/google/magika@latest\n"
        axon.run("verify", check=True)
    else:
        assert (result.exit_code, listed) == (7, "")
        assert "No space left on device" in result.stderr


def test_a_read_only_disk_is_said_so_and_can_be_read(axon, hub, disk):
    disk.mount("size=8m")
    axon.run("install", SMALL, check=True)
    disk.make_read_only()
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 4
    assert "Read-only file system" in result.stderr
    axon.run("verify", check=True)
    assert axon.run("info", SMALL).exit_code == 0


@pytest.mark.parametrize("call", ["fsync", "renameat2", "link", "pwrite64", "mkdir", "rename"])
@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT", "EIO"])
@pytest.mark.parametrize("when", [1, 3])
def test_any_call_may_fail_and_nothing_is_half_there(axon, hub, call, error, when):
    axon.run("install", "hf/mlos-test/revisions", check=True)
    before = tree(axon.home / "cache/models")
    install = axon.command("install", SMALL, "-q")
    # Leaks cannot be looked for under ptrace.
    env = axon.environment(ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run(
        process.failing(install, call, f"{error}:when={when}+"),
        env=env, cwd=axon.home, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    listed = axon.run("list", "-f", "names", check=True).stdout
    if done.returncode == 0:
        assert "hf/mlos-test/bert-tiny@latest\n" in listed
    else:
        assert done.returncode == (1 if error == "EIO" else 7), done.stderr
        assert "bert-tiny" not in listed or call == "fsync"
    axon.run("verify", check=True)
    assert before.items() <= tree(axon.home / "cache/models").items()
    axon.run("install", SMALL, check=True)


def test_two_installations_of_one_store_at_once(axon: Axon, hub: Hub):
    names = ["mlos-test/bert-tiny", "google/magika", "snakers4/silero-vad", "mlos-test/many-files"]
    running = [axon.start("install", f"hf/{name}") for name in names]
    assert [process.wait(60) for process in running] == [0] * len(names)
    listed = axon.run("list", "-f", "names", check=True).stdout.split()
    assert listed == sorted(f"hf/{name}@latest" for name in names)
    axon.run("verify", check=True)
    assert json.loads(axon.run("cache", "clean", "--json", check=True).stdout)["removed"] == []
