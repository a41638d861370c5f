# SPDX-License-Identifier: MIT
"""The collected models are what their index and their cards say."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from tests.models.collect import collect
from tests.models.index import git_blob_id
from tests.support import paths

IDS = np.array([[15496, 11, 337, 43, 48]], dtype=np.int64)


@pytest.fixture
def index(models) -> list[dict]:
    return json.loads((models / "repos.json").read_text())["repos"]


def test_every_file_has_the_size_and_digests_of_the_index(models, index):
    files = [f for repo in index for commit in repo["commits"] for f in commit["files"]]
    assert len(files) > 150
    for file in files:
        data = (models / file["blob"]).read_bytes()
        assert len(data) == file["size"]
        if "lfs" in file:
            assert hashlib.sha256(data).hexdigest() == file["lfs"]["sha256"]
        else:
            assert git_blob_id(data) == file["oid"]


def test_main_lies_in_the_folder_of_its_repository(models, index):
    for repo in index:
        head = next(c for c in repo["commits"] if c["sha"] == repo["branches"]["main"])
        for file in head["files"]:
            path = models / repo["folder"] / file["path"]
            assert path.read_bytes() == (models / file["blob"]).read_bytes()


def test_collecting_again_does_nothing(models):
    assert collect(models, paths.DEPS / "wheels") is False


def test_collecting_gives_the_same_bytes_every_time(models, tmp_path):
    assert collect(tmp_path / "again", paths.DEPS / "wheels") is True
    assert (tmp_path / "again" / "repos.json").read_text() == (models / "repos.json").read_text()


def test_random_models_say_so_in_their_card(models):
    for name in ("bert-base-uncased", "gpt2", "google/vit-base-patch16-224"):
        assert "**This is not the trained model.**" in (models / name / "README.md").read_text()


def test_page_models_have_the_shapes_of_the_real_ones(models, reference):
    ids = np.ones((2, 7), dtype=np.int64)
    pixels = np.zeros((2, 3, 224, 224), dtype=np.float32)
    bert = reference(models / "bert-base-uncased" / "model.onnx").run(
        {"input_ids": ids * 30521, "attention_mask": ids, "token_type_ids": ids}
    )
    assert bert["last_hidden_state"].shape == (2, 7, 768)
    assert bert["pooler_output"].shape == (2, 768)
    gpt2 = reference(models / "gpt2" / "onnx" / "decoder_model.onnx")
    logits = gpt2.run({"input_ids": ids * 50256, "attention_mask": ids})["logits"]
    assert logits.shape == (2, 7, 50257)
    vit = reference(models / "google" / "vit-base-patch16-224" / "onnx" / "model.onnx")
    assert vit.run({"pixel_values": pixels})["logits"].shape == (2, 1000)


def test_gpt2_looks_back_only_and_heeds_the_mask(models, reference):
    gpt2 = reference(models / "gpt2" / "onnx" / "decoder_model.onnx")
    mask = np.ones_like(IDS)
    whole = gpt2.run({"input_ids": IDS, "attention_mask": mask})["logits"]
    start = gpt2.run({"input_ids": IDS[:, :3], "attention_mask": mask[:, :3]})["logits"]
    np.testing.assert_allclose(whole[:, :3], start, atol=1e-5)
    mask[0, 1] = 0
    masked = gpt2.run({"input_ids": IDS, "attention_mask": mask})["logits"]
    np.testing.assert_allclose(whole[:, 0], masked[:, 0], atol=1e-5)
    assert np.abs(whole[:, 2:] - masked[:, 2:]).max() > 1e-2


def test_three_precisions_of_one_classifier_agree(models, reference):
    folder = models / "mlos-test" / "several-graphs" / "onnx"
    features = np.linspace(-1, 1, 16, dtype=np.float32).reshape(2, 8)
    exact, half, quantized = (
        reference(folder / name).run({"features": features})["scores"]
        for name in ("model.onnx", "model_fp16.onnx", "model_quantized.onnx")
    )
    assert 0 < np.abs(exact - half).max() < 1e-3
    assert 0 < np.abs(exact - quantized).max() < 5e-2
