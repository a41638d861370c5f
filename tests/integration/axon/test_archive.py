# SPDX-License-Identifier: MIT
"""`.axon` files: written, read back, and refused when they are not what they should be."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support import Axon, Hub
from tests.support.packages import (
    BOMBS,
    DISAGREEING,
    HOSTILE_ENTRIES,
    files,
    members,
    pack,
    with_manifest,
)

MODEL = "hf/mlos-test/bert-tiny@latest"


def everything(axon: Axon) -> set[str]:
    """All that lies below the home: what a refused package must not change."""
    return {
        f"{path.relative_to(axon.home)} {path.stat().st_size if path.is_file() else ''}"
        for path in axon.home.rglob("*")
    }


@pytest.fixture
def package(axon: Axon, hub: Hub, tmp_path: Path) -> Path:
    """A `.axon` file of a small model; the store is as it was before."""
    file = tmp_path / "x.axon"
    packer = Axon(tmp_path / "packer", hub.url)
    packer.run("install", MODEL, "--output", str(file), check=True)
    return file


@pytest.mark.smoke
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_a_model_goes_through_a_file_unchanged(axon, hub, tmp_path, suffix):
    file = tmp_path / f"model.axon{suffix}"
    axon.run("install", "hf/mlos-test/external-data", "-o", str(file), check=True)
    again = tmp_path / f"again.axon{suffix}"
    axon.run("install", "hf/mlos-test/external-data", "-o", str(again), check=True)
    assert file.read_bytes() == again.read_bytes(), "equal input gives equal bytes"
    other = Axon(tmp_path / "other")
    planned = other.run("install", str(file), "--dry-run", "--json", check=True).json
    assert planned["model_id"] == "hf/mlos-test/external-data@latest"
    assert planned["status"] == "planned"
    assert not (other.home / "cache").exists()
    result = other.run("install", str(file), "--json", check=True)
    assert (result.json["status"], result.json["verified"]) == ("installed", True)
    first, second = (a.model_dir("mlos-test/external-data") for a in (axon, other))
    for name in ("manifest.yaml", "model.onnx", "model.onnx_data", "README.md"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    other.run("verify", check=True)
    assert other.run("install", str(file), "--json", check=True).json["status"] == "up_to_date"
    if suffix == "":
        assert next(iter(members(file))) == "manifest.yaml"


def test_an_archive_is_not_left_half_written(axon, hub, tmp_path):
    result = axon.run("install", MODEL, "--output", str(tmp_path / "none" / "x.axon"))
    assert result.exit_code == 3
    assert not (tmp_path / "none").exists()
    assert axon.run("list", "-f", "names").stdout == f"{MODEL}\n", "the installation itself stands"


def test_another_package_of_the_same_name_wants_force(axon, hub, package, tmp_path):
    axon.run("install", str(package), check=True)
    content = members(package)
    manifest = yaml.safe_load(content["manifest.yaml"])
    manifest["metadata"]["description"] = "another"
    content["manifest.yaml"] = yaml.safe_dump(manifest).encode()
    other = pack(tmp_path / "other.axon", content)
    refused = axon.run("install", str(other))
    assert refused.exit_code == 8
    assert "hint: --force replaces it" in refused.stderr
    axon.run("install", str(other), "--force", check=True)
    assert axon.run("info", MODEL, "--json").json["description"] == "another"


@pytest.mark.parametrize("what", DISAGREEING)
def test_a_package_that_disagrees_with_itself_is_refused(axon, package, tmp_path, what):
    bad = pack(tmp_path / "bad.axon", DISAGREEING[what](members(package)))
    before = everything(axon)
    result = axon.run("install", str(bad))
    assert result.exit_code in (2, 6), result.stderr
    assert result.stderr.startswith("error: ")
    assert axon.run("list", "--json").json == []
    changed = everything(axon) ^ before
    assert not [line for line in changed if "/models/" in line or "/objects/sha256/" in line]


@pytest.mark.parametrize("what", HOSTILE_ENTRIES)
def test_a_hostile_archive_writes_nothing(axon, package, tmp_path, what):
    bad = pack(tmp_path / "bad.axon", members(package), HOSTILE_ENTRIES[what])
    result = axon.run("install", str(bad))
    assert result.exit_code == 6, result.stderr
    assert axon.run("list", "--json").json == []
    assert not Path("/escaped").exists() and not Path("/tmp/escaped").exists()
    assert not list(axon.home.rglob("*escaped*"))
    staging = axon.home / "cache/staging"
    assert not staging.exists() or list(staging.iterdir()) == []


@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_or_garbage_costs_little(axon, tmp_path, what):
    bad = tmp_path / "bad.axon"
    bad.write_bytes(BOMBS[what]())
    result = axon.run("install", str(bad), timeout_s=20)
    assert result.exit_code == 6, result.stderr
    assert axon.run("list", "--json").json == []
    used = sum(path.stat().st_size for path in axon.home.rglob("*") if path.is_file())
    assert used < 1 << 20


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.99])
def test_a_truncated_package_is_refused(axon, package, keep):
    os.truncate(package, int(package.stat().st_size * keep))
    result = axon.run("install", str(package))
    assert result.exit_code == 6, result.stderr
    assert axon.run("list", "--json").json == []


def test_a_file_that_is_not_there(axon, tmp_path):
    result = axon.run("install", str(tmp_path / "none.axon"))
    assert result.exit_code == 3
    assert result.stderr.startswith("error: ")


LEGACY_MANIFEST = """
apiVersion: v1
kind: Model
metadata:
  name: old-model
  namespace: hf
  version: latest
  description: "Model from Hugging Face: old-model"
  license: Unknown
spec:
  framework: {name: PyTorch, version: 2.0.0}
  format:
    type: pytorch
    execution_format: onnx
    files:
      - {path: pytorch_model.bin, size: 0, sha256: ""}
  io:
    inputs: [{name: input, dtype: float32, shape: [-1, -1]}]
    outputs: [{name: output, dtype: float32, shape: [-1, -1]}]
"""


def test_a_package_of_the_existing_tool_gets_digests_and_is_marked(axon, hub, tmp_path):
    graph = hub.file("mlos-test/bert-tiny", "model.onnx").read_bytes()
    plain = pack(
        tmp_path / "plain.tar",
        {"config.json": b"{}", "model.onnx": graph, "manifest.yaml": LEGACY_MANIFEST.encode()},
    )
    legacy = tmp_path / "hf-old-model-latest.axon"
    legacy.write_bytes(gzip.compress(plain.read_bytes()))
    result = axon.run("install", str(legacy), "--json", check=True)
    assert result.json["verified"] is False
    assert '"level":"warning"' in result.stderr and "marks the model unverified" in result.stderr
    manifest = yaml.safe_load((axon.model_dir("old-model") / "manifest.yaml").read_text())
    listed = {f["path"]: f["sha256"] for f in files(manifest)}
    assert listed == {
        "config.json": hashlib.sha256(b"{}").hexdigest(),
        "model.onnx": hashlib.sha256(graph).hexdigest(),
    }
    inputs = [tensor["name"] for tensor in manifest["spec"]["io"]["inputs"]]
    assert "input_ids" in inputs, "what the graph says, not what was guessed"
    verified = axon.run("verify", "--json", check=True).json
    assert (verified[0]["intact"], verified[0]["verified"]) == (True, False)
    assert axon.run("list", check=True).stdout.endswith("unverified\n")
    axon.run("install", str(legacy), check=True)


def test_a_graph_that_reaches_outside_is_refused(axon, package, tmp_path):
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=1)
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["w"], ["y"])], "g", [],
        [onnx.helper.make_tensor_value_info("y", 1, [4])], [tensor],
    )  # fmt: skip
    data = onnx.helper.make_model(graph).SerializeToString()
    content = with_manifest(
        lambda m: next(f for f in files(m) if f["path"] == "model.onnx").update(
            size=len(data), sha256=hashlib.sha256(data).hexdigest()
        )
    )(members(package)) | {"model.onnx": data}
    result = axon.run("install", str(pack(tmp_path / "bad.axon", content)))
    assert result.exit_code == 6
    assert axon.run("list", "--json").json == []


def test_the_package_is_plain_tar(package):
    listed = subprocess.run(["tar", "-tf", package], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["manifest.yaml", "README.md", "config.json", "model.onnx"]
