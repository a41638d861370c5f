# SPDX-License-Identifier: MIT
"""The transformer parts the page's models share, narrow inside so that files stay small.

Sizes that a client sees (hidden width, vocabulary, classes) are those of the real models; what it
cannot see (ranks, heads, inner widths, number of layers) is far smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.models.graph import Graph, Weights

_EPSILON = 1e-5


@dataclass
class Network:
    """A graph under construction with its weights. `hidden` is the width a client sees."""

    graph: Graph
    weights: Weights
    hidden: int
    heads: int = 4
    head_size: int = 16
    inner: int = 128

    def low_rank(self, x: str, rows: int, rank: int, columns: int) -> str:
        """x[…, rows] through a rows × rank × columns bottleneck."""
        g, w = self.graph, self.weights
        x = g.op("MatMul", x, g.constant(w.projection(rows, rank)))
        return g.op("MatMul", x, g.constant(w.projection(rank, columns)))

    def embedding(self, ids: str, entries: int, rank: int) -> str:
        """Rows of a factorised table: ids[…] → […, hidden]."""
        g, w = self.graph, self.weights
        rows = g.op("Gather", g.constant(w.normal(entries, rank)), ids)
        return g.op("MatMul", rows, g.constant(w.projection(rank, self.hidden)))

    def norm(self, x: str) -> str:
        g = self.graph
        scale, bias = np.ones(self.hidden), np.zeros(self.hidden)
        return g.op("LayerNormalization", x, g.constant(scale), g.constant(bias), epsilon=_EPSILON)

    def gelu(self, x: str) -> str:
        g = self.graph
        erf = g.op("Erf", g.op("Div", x, g.constant(2.0**0.5)))
        half = g.op("Mul", x, g.constant(0.5))
        return g.op("Mul", half, g.op("Add", erf, g.constant(1.0)))

    def attention(self, x: str, mask: str | None) -> str:
        """Multi-head self attention; `mask` is added to scores [batch, head, query, key]."""
        g, w = self.graph, self.weights
        width = self.heads * self.head_size
        split = g.constant([0, 0, self.heads, self.head_size], np.int64)

        def project(order: list[int]) -> str:
            flat = g.op("MatMul", x, g.constant(w.projection(self.hidden, width)))
            return g.op("Transpose", g.op("Reshape", flat, split), perm=order)

        query, key, value = project([0, 2, 1, 3]), project([0, 2, 3, 1]), project([0, 2, 1, 3])
        scores = g.op("MatMul", query, key)
        scores = g.op("Div", scores, g.constant(self.head_size**0.5))
        if mask is not None:
            scores = g.op("Add", scores, mask)
        mixed = g.op("MatMul", g.op("Softmax", scores, axis=-1), value)
        mixed = g.op("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = g.op("Reshape", mixed, g.constant([0, 0, width], np.int64))
        return g.op("MatMul", mixed, g.constant(w.projection(width, self.hidden)))

    def feed_forward(self, x: str) -> str:
        g, w = self.graph, self.weights
        x = self.gelu(g.op("MatMul", x, g.constant(w.projection(self.hidden, self.inner))))
        return g.op("MatMul", x, g.constant(w.projection(self.inner, self.hidden)))

    def layer_after_norm(self, x: str, mask: str | None) -> str:
        """BERT's order: normalise after each residual."""
        x = self.norm(self.graph.op("Add", x, self.attention(x, mask)))
        return self.norm(self.graph.op("Add", x, self.feed_forward(x)))

    def layer_before_norm(self, x: str, mask: str | None) -> str:
        """GPT-2's and ViT's order: normalise before each block."""
        x = self.graph.op("Add", x, self.attention(self.norm(x), mask))
        return self.graph.op("Add", x, self.feed_forward(self.norm(x)))

    def positions(self, ids: str) -> str:
        """[0, 1, …, sequence − 1] for ids[batch, sequence]."""
        g = self.graph
        length = g.op("Gather", g.op("Shape", ids), g.constant(1, np.int64))
        return g.op("Range", g.constant(0, np.int64), length, g.constant(1, np.int64))
