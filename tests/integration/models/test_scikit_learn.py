# SPDX-License-Identifier: MIT
"""Graphs as scikit-learn's models are exported, which use operators of ai.onnx.ml."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import save_model

from tests.plugin.make_models import classifier, graphs
from tests.support import Core

HOW = "options={'zipmap': False}"


@pytest.fixture
def zipped(core: Core, tmp_path) -> Core:
    """Core with a classifier that ends in ZipMap."""
    path = tmp_path / "classifier.onnx"
    save_model(classifier(["label", "scores"]), path)
    reply = core.register("m", path)
    assert reply.status_code == 200, reply.text
    return core


def test_the_tensors_of_a_graph_that_ends_in_zipmap_are_served(zipped):
    x = np.array([[3], [-3]], np.float32)
    assert zipped.infer("m", {"x": x})["label"].tolist() == [1, 0]
    assert [output["name"] for output in zipped.get("/models/m").json()["outputs"]] == ["label"]
    body = {"inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [3, -3]}]}
    reply = zipped.post("/v2/models/m/infer", json=body).json()
    assert reply["outputs"] == [
        {"name": "label", "datatype": "INT64", "shape": [2], "data": [1, 0]}
    ]
    asked = zipped.post("/v2/models/m/infer", json=body | {"outputs": [{"name": "scores"}]})
    assert asked.status_code == 400
    assert HOW in asked.text and "scores" in asked.text


def test_a_graph_with_nothing_else_is_refused_with_the_way_out(core, tmp_path):
    path = tmp_path / "only.onnx"
    save_model(classifier(["scores"]), path)
    reply = core.register("m", path)
    assert (reply.status_code, reply.json()["reason"]) == (422, "UNSUPPORTED_MODEL")
    assert HOW in reply.json()["message"]


def test_a_missing_locale_is_named(core, tmp_path):
    path = tmp_path / "locale.onnx"
    save_model(dict(graphs())["locale"], path)
    reply = core.register("m", path)
    assert (reply.status_code, reply.json()["reason"]) == (422, "UNSUPPORTED_MODEL")
    assert "the locale xx_XX.UTF-8 is missing on this machine" in reply.json()["message"]
