# SPDX-License-Identifier: MIT
"""A thin builder over `onnx.helper` and seeded weights: model code shall read like a formula."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Dim = int | str
_OPSET = 17
_IR_VERSION = 8


class Graph:
    """Collects nodes and initializers; every operation returns the name of its output."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[TensorProto] = []

    def input(self, name: str, dtype: int, shape: Sequence[Dim]) -> str:
        self._inputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        return name

    def output(self, value: str, name: str, dtype: int, shape: Sequence[Dim]) -> None:
        """Declares `value` as the graph output `name`."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))

    def constant(self, value: np.ndarray | list | float, dtype: type = np.float32) -> str:
        array = np.asarray(value, dtype=dtype)
        name = f"w{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: object):
        """Adds a node; returns its output's name, or the list of them where there are several."""
        names = [f"{kind.lower()}{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def model(self) -> onnx.ModelProto:
        """The finished model; raises onnx.checker.ValidationError where it is not one."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._constants
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], producer_name="mlos-test-models")
        model.ir_version = _IR_VERSION
        onnx.checker.check_model(model)
        return model

    def serialize(self) -> bytes:
        return self.model().SerializeToString(deterministic=True)


class Weights:
    """Random weights that are the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.Generator(np.random.PCG64(seed))

    def normal(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        return (self._random.standard_normal(shape) * scale).astype(np.float32)

    def projection(self, rows: int, columns: int) -> np.ndarray:
        """A matrix that keeps the variance of what it is applied to."""
        return self.normal(rows, columns, scale=rows**-0.5)
