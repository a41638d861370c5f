# SPDX-License-Identifier: MIT
"""Files of the store that changed on disk: never linked as what they were, and put right."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support import Axon, Hub
from tests.support.packages import members, pack, with_manifest

MODEL = "hf/mlos-test/bert-tiny@latest"
SHARER = "hf/mlos-test/bert-tiny@other"

GRAPH, PLAIN = "model.onnx", "config.json"  # in LFS, with a SHA-256; and with git's digest only


def flip(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": lambda file: os.truncate(file, file.stat().st_size // 2),
    "emptied": lambda file: os.truncate(file, 0),
    "flipped": flip,
}


@dataclass(frozen=True)
class Packages:
    """The model and another version of it with the same files, both installed and as archives."""

    model: Path
    sharer: Path


@pytest.fixture
def packages(axon: Axon, hub: Hub, tmp_path: Path) -> Packages:
    model = tmp_path / "model.axon"
    axon.run("install", MODEL, "-o", str(model), check=True)
    rename = with_manifest(lambda manifest: manifest["metadata"].update(version="other"))
    sharer = pack(tmp_path / "other.axon", rename(members(model)))
    axon.run("install", str(sharer), check=True)
    return Packages(model, sharer)


def object_of(axon: Axon, name: str) -> Path:
    """The stored file behind a file of the model."""
    manifest = yaml.safe_load((axon.model_dir("mlos-test/bert-tiny") / "manifest.yaml").read_text())
    listed = {file["path"]: file["sha256"] for file in manifest["spec"]["format"]["files"]}
    return axon.home / "cache/objects/sha256" / listed[name][:2] / listed[name]


def damage(stored: Path, how: str) -> None:
    stored.chmod(0o644)
    DAMAGES[how](stored)


def damaged(axon: Axon) -> list[str]:
    """The models that `axon verify` finds not to be what was installed."""
    result = axon.run("verify", "--json")
    found = [verdict["model_id"] for verdict in result.json if not verdict["intact"]]
    assert result.exit_code == (6 if found else 0)
    return found


# How the model is installed again, and whether it was uninstalled before.
WAYS: dict[str, tuple[bool, Callable[[Packages], list[str]]]] = {
    "hub, forced": (False, lambda _: [MODEL, "--force"]),
    "hub, anew": (True, lambda _: [MODEL]),
    "archive": (False, lambda packages: [str(packages.model)]),
    "archive, forced": (False, lambda packages: [str(packages.model), "--force"]),
    "archive, anew": (True, lambda packages: [str(packages.model)]),
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", [GRAPH, PLAIN])
@pytest.mark.parametrize("way", WAYS)
def test_verified_bytes_are_what_is_linked(axon, packages, way, name, how):
    uninstalled, arguments = WAYS[way]
    stored = object_of(axon, name)
    damage(stored, how)
    assert damaged(axon) == [MODEL, SHARER]
    if uninstalled:
        axon.run("uninstall", "--force", MODEL, check=True)
    axon.run("install", *arguments(packages), check=True)
    assert damaged(axon) == [SHARER], "who shares the damaged file still does, and is told"
    axon.run("install", str(packages.sharer), check=True)
    assert damaged(axon) == []
    kept = [axon.model_dir("mlos-test/bert-tiny", v) / name for v in ("latest", "other")]
    assert all(os.path.samefile(stored, file) for file in kept), "equal files are kept once"


@pytest.mark.parametrize("change", [lambda file: os.truncate(file, 7), Path.unlink])
def test_a_file_that_is_short_or_gone_is_not_installed_already(axon, hub, change):
    axon.run("install", MODEL, check=True)
    graph = axon.model_dir("mlos-test/bert-tiny") / GRAPH
    graph.chmod(0o644)
    change(graph)
    axon.run("install", MODEL, check=True)
    assert damaged(axon) == []
    again = axon.run("install", MODEL, "--json", check=True)
    assert again.json["status"] == "up_to_date"


def test_what_is_said_of_a_damaged_file(axon, packages):
    damage(object_of(axon, GRAPH), "flipped")
    refused = axon.run("install", MODEL, "-o", str(packages.model.parent / "bad.axon"))
    assert refused.exit_code == 6, "a damaged model is not packed"
    from_archive = axon.run("install", str(packages.sharer), check=True)
    assert (
        f"warning: what is installed as {SHARER} has changed on disk; it is installed again\n"
        in from_archive.stderr
    )
    damage(object_of(axon, GRAPH), "flipped")
    from_hub = axon.run("install", MODEL, "--force", check=True)
    assert re.search(
        "warning: the stored file sha256:[0-9a-f]{64} has changed on disk; it is downloaded again",
        from_hub.stderr,
    )


def test_equal_files_of_one_repository_are_fetched_once(axon, hub):
    """Exporters put a second tokenizer beside the graph."""
    name, body = "mlos-test/several-graphs", b'{"vocabulary": 7}'
    graph = hub.file(name, "onnx/model.onnx").read_bytes()
    plain = {"size": len(body), "oid": hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()}
    sha256 = hashlib.sha256(graph).hexdigest()
    large = {"size": len(graph), "oid": "0" * 40, "lfs": {"oid": sha256, "size": len(graph)}}
    contents = {"tokenizer.json": plain, "onnx/tokenizer.json": plain,
                "onnx/model.onnx": large, "onnx/model.onnx_data": large}  # fmt: skip
    listing = [{"type": "file", "path": path, **content} for path, content in contents.items()]
    hub.fault("reply", path="/tree/", status=200, body=json.dumps(listing))
    hub.fault("reply", path="/resolve/.*tokenizer", status=200, body=body.decode())
    axon.run("install", f"hf/{name}", check=True)
    assert damaged(axon) == []
    folder = axon.model_dir(name)
    assert os.path.samefile(folder / "tokenizer.json", folder / "onnx/tokenizer.json")
    asked = [e for e in hub.log("hub") if e["method"] == "GET" and "/resolve/" in e["target"]]
    assert len(asked) == 2


def test_one_digest_with_two_sizes_is_refused(axon, hub):
    listing = [
        {"type": "file", "path": path, "size": size, "oid": "0" * 40}
        for path, size in (("config.json", 7), ("model.onnx", 8))
    ]
    hub.fault("reply", path="/tree/", status=200, body=json.dumps(listing))
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 6
    assert "lists config.json and model.onnx with one digest and two sizes" in result.stderr
