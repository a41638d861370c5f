# SPDX-License-Identifier: MIT
"""Repositories made by scripts: the page's own ids, and one for each way a repository can be."""

from __future__ import annotations

import json
import struct

from tests.models import page_graphs, small_graphs
from tests.models.draft import Card, Draft, Revision, single
from tests.models.graph import Weights

_RANDOM = (
    "**This is not the trained model.** It has the inputs and outputs of the model whose id it "
    "carries, two narrow layers and random weights, so that commands which name that id can be "
    "tried without a network. Its answers mean nothing.\n\n"
)


def page_models() -> list[Draft]:
    """`bert-base-uncased`, `gpt2` and `google/vit-base-patch16-224`, laid out as the real ones."""
    return [
        single(
            "google-bert/bert-base-uncased",
            Card("mit", "fill-mask", _RANDOM + page_graphs.bert.__doc__),
            {"model.onnx": page_graphs.bert(768, 30522, rank=16, seed=1)},
            config=_BERT_CONFIG,
            former_ids=("bert-base-uncased",),
        ),
        single(
            "openai-community/gpt2",
            Card("mit", "text-generation", _RANDOM + page_graphs.gpt2.__doc__),
            {"onnx/decoder_model.onnx": page_graphs.gpt2()},
            config=_GPT2_CONFIG,
            former_ids=("gpt2",),
        ),
        single(
            "google/vit-base-patch16-224",
            Card("mit", "image-classification", _RANDOM + page_graphs.vit.__doc__),
            {"onnx/model.onnx": page_graphs.vit()},
            config=_VIT_CONFIG,
        ),
    ]


def special_cases() -> list[Draft]:
    """One repository per thing an installer must cope with."""
    plain = {"model.onnx": small_graphs.classifier()}
    return [
        single(
            "mlos-test/bert-tiny",
            _card("BERT's three int64 inputs, 128 wide, random weights."),
            {"model.onnx": page_graphs.bert(128, 1000, rank=16, seed=4)},
            config={"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 128},
        ),
        single(
            "mlos-test/external-data",
            _card("Weights in a second file."),
            small_graphs.with_external_data("model.onnx"),
        ),
        single(
            "mlos-test/several-graphs",
            _card("One classifier in three precisions."),
            {
                "onnx/model.onnx": small_graphs.classifier(),
                "onnx/model_fp16.onnx": small_graphs.classifier_fp16(),
                "onnx/model_quantized.onnx": small_graphs.classifier_quantized(),
            },
        ),
        single(
            "mlos-test/safetensors-only",
            _card("Weights without a graph: nothing here can be run as it is."),
            {"model.safetensors": _safetensors()},
            config={"architectures": ["BertModel"], "model_type": "bert"},
        ),
        single("mlos-test/gated", _card("Files for the admitted only."), plain, gated="auto"),
        single("mlos-test/private", _card("Visible to its owner only."), plain, private=True),
        _many_files(plain),
        _revisions(),
    ]


def _card(text: str) -> Card:
    return Card("mit", "other", f"{text} Made by a script for tests; random weights.")


def _many_files(graph: dict[str, bytes]) -> Draft:
    """Enough entries for many listing pages, deep folders, and a name that needs quoting."""
    files = {f"notes/{i:03d}.txt": f"note {i}\n".encode() for i in range(120)}
    files |= {f"deep/{'/'.join('abcdef'[:i])}/leaf.txt": b"leaf\n" for i in range(1, 7)}
    files["notes/a b#c%20ü?.txt"] = b"a name that must be quoted\n"
    files["empty.txt"] = b""
    return single("mlos-test/many-files", _card("Many small files."), graph | files)


def _revisions() -> Draft:
    """y = factor · x, with another factor in every revision."""
    factors = {"First": 1.0, "Second": 2.0, "Feature": 20.0, "Third": 3.0}
    commits = [
        Revision(f"{title} version", {"model.onnx": small_graphs.scaled(factor)})
        for title, factor in factors.items()
    ]
    return Draft(
        "mlos-test/revisions",
        _card("A different factor in every revision."),
        commits,
        branches={"main": 3, "dev/feature": 2},
        tags={"v1.0": 0, "v2.0": 1},
    )


def _safetensors() -> bytes:
    """One float32 matrix in the safetensors format: header length, JSON header, data."""
    data = Weights(6).normal(16, 16).astype("<f4").tobytes()
    header = json.dumps({"w": {"dtype": "F32", "shape": [16, 16], "data_offsets": [0, len(data)]}})
    return struct.pack("<Q", len(header)) + header.encode() + data


_BERT_CONFIG = {
    "architectures": ["BertForMaskedLM"],
    "hidden_size": 768,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "type_vocab_size": 2,
    "vocab_size": 30522,
}
_GPT2_CONFIG = {
    "architectures": ["GPT2LMHeadModel"],
    "bos_token_id": 50256,
    "eos_token_id": 50256,
    "model_type": "gpt2",
    "n_ctx": 1024,
    "n_embd": 768,
    "n_layer": 2,
    "vocab_size": 50257,
}
_VIT_CONFIG = {
    "architectures": ["ViTForImageClassification"],
    "hidden_size": 768,
    "image_size": 224,
    "model_type": "vit",
    "num_channels": 3,
    "num_hidden_layers": 2,
    "patch_size": 16,
}
