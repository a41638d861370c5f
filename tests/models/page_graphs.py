# SPDX-License-Identifier: MIT
"""Graphs with the inputs and outputs of the models on the product's page, and random weights."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from tests.models.graph import Graph, Weights
from tests.models.transformer import Network

_IDS = ("batch_size", "sequence_length")
_MASKED = -10000.0
_LAYERS = 2


def bert(hidden: int, vocabulary: int, rank: int, seed: int) -> bytes:
    """input_ids, attention_mask, token_type_ids int64[batch, sequence] →
    last_hidden_state float32[batch, sequence, hidden], pooler_output float32[batch, hidden]."""
    g = Graph("bert")
    names = ("input_ids", "attention_mask", "token_type_ids")
    ids, mask, types = (g.input(name, TensorProto.INT64, _IDS) for name in names)
    net = Network(g, Weights(seed), hidden)
    x = g.op("Add", net.embedding(ids, vocabulary, rank), net.embedding(types, 2, 2))
    x = net.norm(g.op("Add", x, net.embedding(net.positions(ids), 512, rank)))
    absent = g.op("Sub", g.constant(1.0), g.op("Cast", mask, to=TensorProto.FLOAT))
    absent = g.op("Unsqueeze", absent, g.constant([1, 2], np.int64))
    bias = g.op("Mul", absent, g.constant(_MASKED))
    for _ in range(_LAYERS):
        x = net.layer_after_norm(x, bias)
    first = g.op("Gather", x, g.constant(0, np.int64), axis=1)
    pooled = g.op("Tanh", net.low_rank(first, hidden, 32, hidden))
    g.output(x, "last_hidden_state", TensorProto.FLOAT, (*_IDS, hidden))
    g.output(pooled, "pooler_output", TensorProto.FLOAT, ("batch_size", hidden))
    return g.serialize()


def gpt2() -> bytes:
    """input_ids, attention_mask int64[batch, sequence] →
    logits float32[batch, sequence, 50257]."""
    hidden, vocabulary, rank = 768, 50257, 16
    g = Graph("gpt2")
    ids = g.input("input_ids", TensorProto.INT64, _IDS)
    mask = g.input("attention_mask", TensorProto.INT64, _IDS)
    net = Network(g, Weights(2), hidden)
    positions = net.positions(ids)
    x = g.op("Add", net.embedding(ids, vocabulary, rank), net.embedding(positions, 1024, rank))
    bias = _causal_bias(g, positions, mask)
    for _ in range(_LAYERS):
        x = net.layer_before_norm(x, bias)
    logits = net.low_rank(net.norm(x), hidden, rank, vocabulary)
    g.output(logits, "logits", TensorProto.FLOAT, (*_IDS, vocabulary))
    return g.serialize()


def _causal_bias(g: Graph, positions: str, mask: str) -> str:
    """0 where a token may look (itself and before, not masked), −10000 elsewhere."""
    rows = g.op("Unsqueeze", positions, g.constant([1], np.int64))
    columns = g.op("Unsqueeze", positions, g.constant([0], np.int64))
    earlier = g.op("LessOrEqual", columns, rows)
    present = g.op("Cast", mask, to=TensorProto.BOOL)
    present = g.op("Unsqueeze", present, g.constant([1, 2], np.int64))
    allowed = g.op("And", earlier, present)
    return g.op("Where", allowed, g.constant(0.0), g.constant(_MASKED))


def vit() -> bytes:
    """pixel_values float32[batch, 3, 224, 224] → logits float32[batch, 1000]."""
    hidden, patch, narrow = 768, 16, 48
    g = Graph("vit")
    pixels = g.input("pixel_values", TensorProto.FLOAT, ("batch_size", 3, 224, 224))
    w = Weights(3)
    net = Network(g, w, hidden)
    kernel = w.normal(narrow, 3, patch, patch, scale=(3 * patch * patch) ** -0.5)
    x = g.op("Conv", pixels, g.constant(kernel), strides=[patch, patch])
    x = g.op("Reshape", x, g.constant([0, narrow, -1], np.int64))
    x = g.op("Transpose", x, perm=[0, 2, 1])
    x = g.op("MatMul", x, g.constant(w.projection(narrow, hidden)))
    x = g.op("Concat", _class_token(g, w, pixels, hidden), x, axis=1)
    x = g.op("Add", x, g.constant(w.normal(1, 197, hidden, scale=0.1)))
    for _ in range(_LAYERS):
        x = net.layer_before_norm(x, None)
    first = g.op("Gather", net.norm(x), g.constant(0, np.int64), axis=1)
    logits = net.low_rank(first, hidden, 64, 1000)
    g.output(logits, "logits", TensorProto.FLOAT, ("batch_size", 1000))
    return g.serialize()


def _class_token(g: Graph, w: Weights, pixels: str, hidden: int) -> str:
    """One learned token per image: float32[batch, 1, hidden]."""
    batch = g.op("Shape", pixels, start=0, end=1)
    shape = g.op("Concat", batch, g.constant([1, hidden], np.int64), axis=0)
    return g.op("Expand", g.constant(w.normal(1, 1, hidden)), shape)
