# SPDX-License-Identifier: MIT
"""Small graphs for one thing each: precision variants, external weights, versions."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from tests.models.graph import Graph, Weights

_FEATURES, _WIDTH, _CLASSES = 8, 16, 4


def classifier() -> bytes:
    """features float32[batch, 8] → scores float32[batch, 4]."""
    g, x, first, second = _start("classifier")
    x = g.op("Relu", g.op("MatMul", x, g.constant(first)))
    return _finish(g, g.op("MatMul", x, g.constant(second)))


def classifier_fp16() -> bytes:
    """The same with weights and arithmetic in float16."""
    g, x, first, second = _start("classifier_fp16")
    x = g.op("Cast", x, to=TensorProto.FLOAT16)
    x = g.op("Relu", g.op("MatMul", x, g.constant(first, np.float16)))
    x = g.op("MatMul", x, g.constant(second, np.float16))
    return _finish(g, g.op("Cast", x, to=TensorProto.FLOAT))


def classifier_quantized() -> bytes:
    """The same with int8 weights, activations quantised as they come."""
    g, x, first, second = _start("classifier_quantized")
    x = g.op("Relu", _matmul_int8(g, x, first))
    return _finish(g, _matmul_int8(g, x, second))


def with_external_data(name: str) -> dict[str, bytes]:
    """A 2 MiB layer whose weights lie in a second file: `<name>` and `<name>_data`.

    x float32[batch, 512] → y float32[batch, 1024]."""
    g = Graph("external")
    x = g.input("x", TensorProto.FLOAT, ("batch_size", 512))
    y = g.op("MatMul", x, g.constant(Weights(7).projection(512, 1024)))
    g.output(y, "y", TensorProto.FLOAT, ("batch_size", 1024))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        onnx.save_model(
            g.model(), path, save_as_external_data=True, location=name + "_data", size_threshold=0
        )
        return {file.name: file.read_bytes() for file in sorted(Path(folder).iterdir())}


def scaled(factor: float) -> bytes:
    """x float32[n] → y = factor · x: which revision answered shows in the numbers."""
    g = Graph("scaled")
    x = g.input("x", TensorProto.FLOAT, ("n",))
    g.output(g.op("Mul", x, g.constant(factor)), "y", TensorProto.FLOAT, ("n",))
    return g.serialize()


def _start(name: str) -> tuple[Graph, str, np.ndarray, np.ndarray]:
    g, w = Graph(name), Weights(5)
    x = g.input("features", TensorProto.FLOAT, ("batch_size", _FEATURES))
    return g, x, w.projection(_FEATURES, _WIDTH), w.projection(_WIDTH, _CLASSES)


def _finish(g: Graph, scores: str) -> bytes:
    g.output(scores, "scores", TensorProto.FLOAT, ("batch_size", _CLASSES))
    return g.serialize()


def _matmul_int8(g: Graph, x: str, weight: np.ndarray) -> str:
    scale = np.abs(weight).max() / 127
    rounded = np.clip(np.round(weight / scale), -127, 127)
    x8, x_scale, x_zero = g.op("DynamicQuantizeLinear", x, outputs=3)
    product = g.op("MatMulInteger", x8, g.constant(rounded, np.int8), x_zero)
    product = g.op("Cast", product, to=TensorProto.FLOAT)
    return g.op("Mul", product, g.op("Mul", x_scale, g.constant(scale)))
