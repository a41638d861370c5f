# SPDX-License-Identifier: MIT
"""Asks the models on the product's page, with the bodies printed there."""

from __future__ import annotations

import numpy as np

from tests.demo.exhibit import Visit


def show_bert(visit: Visit) -> str:
    """“[CLS] hello [SEP]” as ids; three inputs, two outputs."""
    body = {"input_ids": [101, 7592, 102], "attention_mask": [1, 1, 1], "token_type_ids": [0, 0, 0]}
    return _shapes(visit.ask(body, _batched(body)))


def show_gpt2(visit: Visit) -> str:
    """Five token ids; Core makes the attention mask."""
    body = {"input_ids": [15496, 11, 337, 43, 48]}
    full = _batched({**body, "attention_mask": [1] * 5})
    outputs = visit.ask(body, full)
    best = int(outputs["logits"][0, -1].argmax())
    visit.say(f"likeliest next token: {best}")
    return f"{_shapes(outputs)}, next token {best}"


def show_vit(visit: Visit) -> str:
    """One image as 150528 flat numbers."""
    image = np.random.default_rng(4).uniform(-1, 1, (1, 3, 224, 224)).astype(np.float32)
    outputs = visit.ask({"pixel_values": image.ravel()}, {"pixel_values": image}, file="image.json")
    best = int(outputs["logits"][0].argmax())
    visit.say(f"class {best} of {outputs['logits'].shape[1]}")
    return f"{_shapes(outputs)}, class {best}"


def _batched(body: dict[str, list[int]]) -> dict[str, np.ndarray]:
    return {name: np.array([values], dtype=np.int64) for name, values in body.items()}


def _shapes(outputs: dict[str, np.ndarray]) -> str:
    return ", ".join(f"{name} {list(value.shape)}" for name, value in outputs.items())
