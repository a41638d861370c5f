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


# Of mean_of: floats that are mapped from their file and read in each run.
WEIGHTS = 1 << 18


def mean_of(folder: Path, weight: float) -> Path:
    """Writes `y` = `x` + `weight` with weights in the file `w.bin` beside the graph, whose path is
    returned."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "w.bin").unlink(missing_ok=True)
    nodes = [helper.make_node("Add", ["x", "w"], ["sum"]),
             helper.make_node("ReduceMean", ["sum"], ["y"], axes=[0], keepdims=1)]  # fmt: skip
    weights = numpy_helper.from_array(np.full(WEIGHTS, weight, np.float32), "w")
    graph = model(nodes, [value("x", [1])], [value("y", [1])], [weights])
    save(graph, str(folder / "m.onnx"), save_as_external_data=True, location="w.bin")
    assert (folder / "w.bin").stat().st_size == 4 * WEIGHTS
    return folder / "m.onnx"


def identity(path: Path, dtype: int) -> Path:
    """Writes `y = x` over matrices of one element type. Returns `path`."""
    ends = [value(name, ["n", "m"], dtype) for name in ("x", "y")]
    save(model([helper.make_node("Identity", ["x"], ["y"])], ends[:1], ends[1:]), str(path))
    return path


def running_sum(path: Path, state: str = "total", after: str = "total_out") -> Path:
    """Writes `y` = `after` = `x` + `state` over vectors of floats. Returns `path`."""
    nodes = [helper.make_node("Add", ["x", state], [out]) for out in ("y", after)]
    save(model(nodes, [value("x", ["N"]), value(state, ["N"])],
               [value("y", ["N"]), value(after, ["N"])]), str(path))  # fmt: skip
    return path


def ramp(path: Path, step: float) -> Path:
    """Writes `y`: the float32 numbers 0, `step`, 2 * `step` and so on, as many as the scalar `n`
    says. Returns `path`."""
    constants = [numpy_helper.from_array(np.array(0), "zero"),
                 numpy_helper.from_array(np.array(1), "one"),
                 numpy_helper.from_array(np.array(step, np.float32), "step")]  # fmt: skip
    nodes = [helper.make_node("Range", ["zero", "n", "one"], ["numbers"]),
             helper.make_node("Cast", ["numbers"], ["floats"], to=TensorProto.FLOAT),
             helper.make_node("Mul", ["floats", "step"], ["y"])]  # fmt: skip
    save(model(nodes, [value("n", [], TensorProto.INT64)], [value("y", ["N"])], constants),
         str(path))  # fmt: skip
    return path


def slow(path: Path, steps: int) -> Path:
    """Writes `y = x` over a vector of floats, after `steps` products of matrices (see `busy`). Its
    requests share no run. Returns `path`."""
    nodes = [*busy(steps), helper.make_node("Add", ["x", "nought"], ["y"])]
    save(model(nodes, [value("x", ["length"])], [value("y", ["length"])]), str(path))
    return path


def looping(path: Path) -> Path:
    """Writes `y` = `x` after `steps` small products of matrices, where the scalar `steps` is an
    input: as long as a caller likes, or for ever. Returns `path`."""
    body = helper.make_graph(
        [helper.make_node("MatMul", ["state", "weights"], ["next"]),
         helper.make_node("Identity", ["on"], ["on_next"])],
        "body",
        [value("i", [], TensorProto.INT64), value("on", [], TensorProto.BOOL),
         value("state", ["n", 8])],
        [value("on_next", [], TensorProto.BOOL), value("next", ["n", 8])],
    )  # fmt: skip
    weights = numpy_helper.from_array(np.eye(8, dtype=np.float32), "weights")
    go = numpy_helper.from_array(np.array(True), "go")
    loop = helper.make_node("Loop", ["steps", "go", "x"], ["y"], body=body)
    save(model([loop], [value("x", ["n", 8]), value("steps", [], TensorProto.INT64)],
               [value("y", ["n", 8])], [weights, go]), str(path))  # fmt: skip
    return path


def busy(steps: int) -> list:
    """Nodes that come to the scalar "nought", 0.0, after `steps` products of 256 by 256 matrices:
    at least 30 µs each on the fastest machine, whatever the inputs. They are random, so that ONNX
    Runtime does not compute them beforehand."""
    body = helper.make_graph(
        [helper.make_node("MatMul", ["state", "busy.m"], ["next"]),
         helper.make_node("Identity", ["on"], ["on_next"])],
        "body",
        [value("i", [], TensorProto.INT64), value("on", [], TensorProto.BOOL),
         value("state", [256, 256])],
        [value("on_next", [], TensorProto.BOOL), value("next", [256, 256])],
    )  # fmt: skip
    return [
        helper.make_node("RandomUniform", [], ["busy.m"], shape=[256, 256], high=0.002),
        helper.make_node("Constant", [], ["busy.steps"], value_int=steps),
        helper.make_node("Constant", [], ["busy.go"], value=helper.make_tensor("", 9, [], [True])),
        helper.make_node("Loop", ["busy.steps", "busy.go", "busy.m"], ["busy.last"], body=body),
        helper.make_node("ReduceMax", ["busy.last"], ["busy.top"], keepdims=0),
        helper.make_node("Sub", ["busy.top", "busy.top"], ["nought"]),
    ]


def value(name: str, shape: list, dtype: int = TensorProto.FLOAT):
    """One graph input or output."""
    return helper.make_tensor_value_info(name, dtype, shape)


def model(nodes: list, inputs: list, outputs: list, initializers: list | None = None) -> ModelProto:
    """A checked model of one graph."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers or [])
    made = helper.make_model(graph, opset_imports=_OPSETS, ir_version=8)
    checker.check_model(made)
    return made
