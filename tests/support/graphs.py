# SPDX-License-Identifier: MIT
"""Small ONNX graphs made on the spot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper, save

_OPSETS = [helper.make_opsetid("", 17)]


def scale(path: Path, factor: float = 1.0, size: int | str = "N") -> Path:
    """Writes `y = x * factor` over a vector of floats; graphs of different factors have different
    digests. Returns `path`."""
    weight = numpy_helper.from_array(np.array(factor, np.float32), "factor")
    save(model([helper.make_node("Mul", ["x", "factor"], ["y"])], [value("x", [size])],
               [value("y", [size])], [weight]), str(path))  # fmt: skip
    return path


def running_sum(path: Path, state: str = "total", after: str = "total_out") -> Path:
    """Writes `y` = `after` = `x` + `state` over vectors of floats. Returns `path`."""
    nodes = [helper.make_node("Add", ["x", state], [out]) for out in ("y", after)]
    save(model(nodes, [value("x", ["N"]), value(state, ["N"])],
               [value("y", ["N"]), value(after, ["N"])]), str(path))  # fmt: skip
    return path


def value(name: str, shape: list, dtype: int = TensorProto.FLOAT):
    """One graph input or output."""
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes: list, inputs: list, outputs: list, initializers: list | None = None) -> ModelProto:
    """A checked model of one graph."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers or [])
    made = helper.make_model(graph, opset_imports=_OPSETS, ir_version=8)
    checker.check_model(made)
    return made
