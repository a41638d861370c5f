# SPDX-License-Identifier: MIT
"""`.axon` files that Core itself unpacks: refused before anything of them is there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import yaml

from tests.support.graphs import scale
from tests.support.packages import BOMBS, DISAGREEING, HOSTILE_ENTRIES, Content, members, pack

DAMAGED = {"INVALID_PACKAGE", "INVALID_MANIFEST", "CHECKSUM_MISMATCH"}


@pytest.fixture
def content(tmp_path: Path) -> Content:
    """The members of a good package."""
    listed = {"README.md": b"a card", "model.onnx": scale(tmp_path / "m.onnx", 3.0).read_bytes()}
    manifest = {
        "apiVersion": "axon.mlos.io/v1",
        "kind": "Model",
        "metadata": {"name": "m", "namespace": "hf", "version": "v1"},
        "spec": {
            "framework": {"name": "ONNX"},
            "format": {
                "type": "onnx",
                "execution_format": "onnx",
                "files": [
                    {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                    for path, data in listed.items()
                ],
                "execution_files": [{"path": "model.onnx", "format": "onnx", "type": "single"}],
            },
        },
        "x-mlos": {"generator": "test", "graph": "model.onnx", "verified": True},
    }
    return {"manifest.yaml": yaml.safe_dump(manifest).encode(), **listed}


def test_the_package_they_are_made_of_is_good(guarded, tmp_path, content):
    path = pack(tmp_path / "m.axon", content)
    assert members(path) == content
    assert guarded.core.register("hf/m@v1", path).status_code == 200
    assert guarded.core.delete(guarded.core.model_path("hf/m@v1")).status_code == 200
    guarded.is_unharmed()


@pytest.mark.parametrize("what", HOSTILE_ENTRIES)
def test_one_hostile_entry_refuses_the_package(guarded, tmp_path, content, what):
    path = pack(tmp_path / "m.axon", content, HOSTILE_ENTRIES[what])
    guarded.refuses(path, 422, "INVALID_PACKAGE", "path", says="entry '")
    assert not Path("/escaped").exists() and not Path("/tmp/escaped").exists()
    assert not list(guarded.core.folder.parent.rglob("*escaped*"))


@pytest.mark.parametrize("what", DISAGREEING)
def test_a_package_that_disagrees_with_itself(guarded, tmp_path, content, what):
    path = pack(tmp_path / "m.axon", DISAGREEING[what](content))
    reply = guarded.core.register("hostile/m@v1", path)
    reason, field = reply.json()["reason"], reply.json()["field"]
    assert reason in DAMAGED
    # A manifest has fields of its own to name.
    assert field == "path" or reason == "INVALID_MANIFEST"
    guarded.refuses(path, 422, reason, field)


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_is_not_unpacked(guarded, tmp_path, what):
    path = tmp_path / "m.axon"
    path.write_bytes(BOMBS[what]())
    before = guarded.core.resources().rss_bytes
    guarded.refuses(path, 422, "INVALID_PACKAGE", "path")
    assert guarded.core.resources().rss_bytes - before < 64 << 20


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.99])
def test_a_truncated_package(guarded, tmp_path, content, keep):
    path = pack(tmp_path / "m.axon", content | {"README.md": bytes(50_000)})
    os.truncate(path, int(path.stat().st_size * keep))
    reply = guarded.core.register("hostile/m@v1", path)
    guarded.refuses(path, 422, reply.json()["reason"], reply.json()["field"])


def test_weights_swapped_in_a_folder_with_a_manifest(guarded, tmp_path, content):
    folder = tmp_path / "m"
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    scale(folder / "model.onnx", 4.0)
    guarded.refuses(folder, 422, "CHECKSUM_MISMATCH", "path", says="'model.onnx'")


def test_a_listed_file_of_a_terabyte_is_not_read(guarded, tmp_path, content):
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "m.onnx").unlink()
    os.truncate(tmp_path / "README.md", 1 << 40)
    guarded.refuses(tmp_path, 422, "CHECKSUM_MISMATCH", "path", says="'README.md': has 10995116277")
