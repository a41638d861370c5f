# SPDX-License-Identifier: MIT
"""Models whose files are links: a Hugging Face cache as its client makes it, and other folders."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.support import Core, Hub
from tests.support.graphs import value
from tests.support.hf_client import HfClient

X = {"x": np.array([1.0, 2.0], np.float32)}


def digest(core: Core, name: str, path: Path) -> str:
    """Of a model that is registered and served."""
    reply = core.register(name, path)
    assert reply.status_code == 200, reply.text
    shown = core.get(core.model_path(name)).json()
    assert shown["state"] == "loaded"
    return shown["digest"]


def beside(folder: Path, location: str, file: str) -> Path:
    """Writes `y = x + 1` with its weights in `file`, which the graph calls `location`."""
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    weights = np.ones(2, np.float32)
    (folder / file).write_bytes(weights.tobytes())
    tensor = numpy_helper.from_array(weights, "w")
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    # The checker of ONNX looks for the file from where the test runs.
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    graph = helper.make_graph(nodes, "g", [value("x", [2])], [value("y", [2])], [tensor])
    opset = helper.make_opsetid("", 17)
    made = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    (folder / "m.onnx").write_bytes(made.SerializeToString())
    return folder / "m.onnx"


def test_a_hugging_face_cache_by_folder_and_by_file(hub: Hub, make_core, tmp_path):
    client = HfClient(hub.url, tmp_path / "hf")
    snapshot = Path(client.call("snapshot_download", repo_id="mlos-test/external-data"))
    assert (snapshot / "model.onnx").is_symlink()
    assert (snapshot / "model.onnx_data").is_symlink()
    plain = tmp_path / "plain"
    shutil.copytree(snapshot, plain, symlinks=False)
    core = make_core().start()
    expected = digest(core, "plain", plain)
    assert digest(core, "folder", snapshot) == expected
    assert digest(core, "file", snapshot / "model.onnx") == expected
    core.restart()
    assert core.get(core.model_path("file")).json()["state"] == "loaded"
    # With a root, the repository has to lie in it.
    repository = snapshot.parents[1]
    rooted = make_core("--model-root", str(repository), name="rooted").start()
    assert digest(rooted, "file", snapshot / "model.onnx") == expected


def test_links_within_a_folder(make_core, tmp_path):
    folder = tmp_path / "folder"
    beside(folder, "w.bin", "weights/real.bin")
    (folder / "w.bin").symlink_to("weights/real.bin")
    core = make_core().start()
    digest(core, "m", folder)
    assert np.array_equal(core.infer("m", X)["y"], X["x"] + 1)


@pytest.mark.parametrize("target", ["/etc/passwd", "/proc/self/mem", "../secret", "/dev/zero"])
def test_links_out_of_a_folder_are_refused(make_core, tmp_path, target):
    (tmp_path / "secret").write_bytes(bytes(8))
    path = beside(tmp_path / "folder", "w.bin", "w.bin")
    (tmp_path / "folder/w.bin").unlink()
    os.symlink(target, tmp_path / "folder/w.bin")
    core = make_core().start()
    reply = core.register("m", path)
    assert (reply.status_code, reply.json()["reason"]) == (422, "INVALID_MODEL")
    assert "symbolic link" in reply.json()["message"]


def test_links_into_another_root(make_core, tmp_path):
    path = beside(tmp_path / "graphs", "w.bin", "w.bin")
    (tmp_path / "weights").mkdir()
    (tmp_path / "graphs/w.bin").rename(tmp_path / "weights/w.bin")
    (tmp_path / "graphs/w.bin").symlink_to("../weights/w.bin")
    one = make_core("--model-root", str(tmp_path / "graphs")).start()
    assert one.register("m", path).json()["reason"] == "INVALID_MODEL"
    both = make_core("--model-root", str(tmp_path / "graphs"),
                     "--model-root", str(tmp_path / "weights"), name="both").start()  # fmt: skip
    digest(both, "m", path)
    assert np.array_equal(both.infer("m", X)["y"], X["x"] + 1)


@pytest.mark.parametrize(("location", "file"), [("./w.bin", "w.bin"), ("a//w.bin", "a/w.bin")])
def test_a_location_is_read_without_its_empty_steps(make_core, tmp_path, location, file):
    core = make_core().start()
    digest(core, "m", beside(tmp_path / "m", location, file))
    assert np.array_equal(core.infer("m", X)["y"], X["x"] + 1)
