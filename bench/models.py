# SPDX-License-Identifier: MIT
"""Deterministic ONNX models to measure with, random weights: `null` (identity of 4 floats), `tiny`
(784→128→10), `wide` (1024→4096→4096→64: weights, little to compute), `bigin` (mean of 150,528
floats: payload, no compute) and `one` (identity of any number of floats); `steady` (products of
matrices: 5 ms, whatever the input), `endless` (as many small ones as its input says) and `heavy`
(335 MB of weights in a file of their own)."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

OPSETS = [helper.make_opsetid("", 17)]


def _value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _save(folder, name, nodes, shape_in, shape_out, weights):
    initializers = [numpy_helper.from_array(array, key) for key, array in weights.items()]
    graph = helper.make_graph(
        nodes, name, [_value("x", shape_in)], [_value("y", shape_out)], initializers)
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    checker.check_model(model)
    save(model, str(folder / f"{name}.onnx"))


def _dense(rng, sizes):
    weights = {}
    for index, (inner, outer) in enumerate(zip(sizes, sizes[1:]), start=1):
        weights[f"w{index}"] = (rng.standard_normal((inner, outer)) * 0.05).astype(np.float32)
        weights[f"b{index}"] = (rng.standard_normal(outer) * 0.05).astype(np.float32)
    return weights


def _gemm(source, index, target):
    return helper.make_node("Gemm", [source, f"w{index}", f"b{index}"], [target])


def make_models(folder: Path):
    """Writes the models that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    node = helper.make_node
    _save(folder, "null", [node("Identity", ["x"], ["y"])], ["N", 4], ["N", 4], {})
    _save(folder, "one", [node("Identity", ["x"], ["y"])], ["N"], ["N"], {})
    _save(folder, "tiny",
          [_gemm("x", 1, "h"), node("Relu", ["h"], ["r"]), _gemm("r", 2, "l"),
           node("Softmax", ["l"], ["y"])],
          ["N", 784], ["N", 10], _dense(rng, [784, 128, 10]))
    _save(folder, "bigin",
          [node("ReduceMean", ["x"], ["y"], axes=[1, 2, 3], keepdims=0)],
          ["N", 3, 224, 224], ["N"], {})
    _save(folder, "wide",
          [_gemm("x", 1, "a"), node("Relu", ["a"], ["b"]), _gemm("b", 2, "c"),
           node("Relu", ["c"], ["d"]), _gemm("d", 3, "y")],
          ["N", 1024], ["N", 64], _dense(rng, [1024, 4096, 4096, 64]))


def make_steady(folder: Path):
    """Writes `steady`, and returns its path. Its requests share no run."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    size, steps = 256, 10
    node = helper.make_node
    nodes = [node("Mul", ["w", "x"], ["h0"])]
    nodes += [node("MatMul", [f"h{i}", "m"], [f"h{i + 1}"]) for i in range(steps)]
    nodes.append(node("ReduceMean", [f"h{steps}"], ["y"], axes=[0, 1], keepdims=0))
    weights = {name: rng.standard_normal((size, size)).astype(np.float32) / 16 for name in "wm"}
    _save(folder, "steady", nodes, [1], [], weights)
    return folder / "steady.onnx"


def make_endless(folder: Path):
    """Writes `endless`, and returns its path: `steps`, an int64 scalar, small products of
    matrices."""
    folder.mkdir(parents=True, exist_ok=True)
    scalar = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("MatMul", ["state", "m"], ["next"]),
         helper.make_node("Identity", ["on"], ["on_next"])],
        "body",
        [scalar("i", TensorProto.INT64, []), scalar("on", TensorProto.BOOL, []),
         _value("state", [8, 8])],
        [scalar("on_next", TensorProto.BOOL, []), _value("next", [8, 8])])
    loop = helper.make_node("Loop", ["steps", "go", "m"], ["y"], body=body)
    graph = helper.make_graph(
        [loop], "endless", [scalar("steps", TensorProto.INT64, [])], [_value("y", [8, 8])],
        [numpy_helper.from_array(np.eye(8, dtype=np.float32), "m"),
         numpy_helper.from_array(np.array(True), "go")])
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    checker.check_model(model)
    save(model, str(folder / "endless.onnx"))
    return folder / "endless.onnx"


def make_heavy(folder: Path, layers=5):
    """Writes `heavy`, layers of 67 MB whose weights lie beside the graph, and returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    size = 4096
    node = helper.make_node
    names = ["x", *(f"h{i}" for i in range(1, layers)), "y"]
    nodes = [node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(layers)]
    rng = np.random.default_rng(4)
    weights = [numpy_helper.from_array(rng.random((size, size), np.float32), f"w{i}")
               for i in range(layers)]
    graph = helper.make_graph(
        nodes, "heavy", [_value("x", ["N", size])], [_value("y", ["N", size])], weights)
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    save(model, str(folder / "heavy.onnx"), save_as_external_data=True, location="heavy.bin")
    return folder / "heavy.onnx"


def make_variants(folder: Path, count):
    """Files of `tiny`'s shape, each with weights of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(2)
    for index in range(count):
        _save(folder, f"variant{index}",
              [_gemm("x", 1, "h"), helper.make_node("Relu", ["h"], ["r"]), _gemm("r", 2, "y")],
              ["N", 784], ["N", 10], _dense(rng, [784, 16, 10]))
    return [folder / f"variant{index}.onnx" for index in range(count)]


SHAPES = {"null": (1, 4), "tiny": (1, 784), "bigin": (1, 3, 224, 224), "wide": (1, 1024)}


def inputs():
    """One input of each model, with 7 significant digits so that its JSON is what clients send."""
    rng = np.random.default_rng(1)
    return {name: np.array([float(f"{value:.7g}") for value in
                            rng.standard_normal(shape).astype(np.float32).ravel()],
                           np.float32).reshape(shape)
            for name, shape in SHAPES.items()}
