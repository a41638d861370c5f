# SPDX-License-Identifier: MIT
"""Makes the graphs that the tests of the ONNX Runtime plugin run: `make_models.py DIRECTORY`."""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION, OPSET = 10, 21

DTYPES = {
    "float32": TensorProto.FLOAT,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "uint16": TensorProto.UINT16,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
    "string": TensorProto.STRING,
    "bool": TensorProto.BOOL,
    "float16": TensorProto.FLOAT16,
    "float64": TensorProto.DOUBLE,
    "uint32": TensorProto.UINT32,
    "uint64": TensorProto.UINT64,
    "bfloat16": TensorProto.BFLOAT16,
}

tensor = helper.make_tensor_value_info
node = helper.make_node


def model(nodes, inputs, outputs, initializers=(), **options):
    graph = helper.make_graph(nodes, "test", inputs, outputs, initializer=list(initializers))
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], **{"ir_version": IR_VERSION, **options})


def identity(dtype, shape):
    return model([node("Identity", ["x"], ["y"])], [tensor("x", dtype, shape)],
                 [tensor("y", dtype, shape)])


def classifier(outputs):
    """Of two classes, as scikit-learn's are exported: it ends in ZipMap."""
    scores = helper.make_map_type_proto(TensorProto.INT64,
                                        helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    known = {"label": tensor("label", TensorProto.INT64, ["n"]),
             "scores": helper.make_value_info("scores", helper.make_sequence_type_proto(scores))}
    nodes = [node("LinearClassifier", ["x"], ["label", "table"], domain="ai.onnx.ml",
                  coefficients=[-1.0, 1.0], intercepts=[0.0, 0.0], classlabels_ints=[0, 1],
                  post_transform="SOFTMAX"),
             node("ZipMap", ["table"], ["scores"], domain="ai.onnx.ml",
                  classlabels_int64s=[0, 1])]
    graph = helper.make_graph(nodes, "test", [tensor("x", TensorProto.FLOAT, ["n", 1])],
                              [known[name] for name in outputs])
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def heavy():
    """Products with matrices of 6 MB together, which keep all columns but the last."""
    names = ["x", *(f"h{i}" for i in range(1, 6)), "y"]
    matrix = np.eye(512, dtype=np.float32)
    matrix[-1, -1] = 0
    return model([node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(6)],
                 [tensor("x", TensorProto.FLOAT, ["n", 512])],
                 [tensor("y", TensorProto.FLOAT, ["n", 512])],
                 [numpy_helper.from_array(matrix, f"w{i}") for i in range(6)])


def transposed():
    """Times a constant, between two transpositions that an optimizer takes out; and a product with
    1 MB of weights, which are worth sharing."""
    constant = np.arange(16 ** 3, dtype=np.float32).reshape(1, 16, 16, 16)
    shape = [1, 16, 16, 16]
    return model([node("Transpose", ["x"], ["a"], perm=[0, 3, 1, 2]),
                  node("Mul", ["a", "constant"], ["b"]),
                  node("Transpose", ["b"], ["y"], perm=[0, 2, 3, 1]),
                  node("MatMul", ["v", "w"], ["z"])],
                 [tensor("x", TensorProto.FLOAT, shape),
                  tensor("v", TensorProto.FLOAT, ["n", 512])],
                 [tensor("y", TensorProto.FLOAT, shape),
                  tensor("z", TensorProto.FLOAT, ["n", 512])],
                 [numpy_helper.from_array(constant, "constant"),
                  numpy_helper.from_array(np.eye(512, dtype=np.float32), "w")])


def weighty():
    """File name → model with more than 1 MiB of weights."""
    yield "heavy", heavy()
    yield "transposed", transposed()


def graphs():
    """File name → model."""
    for name, dtype in DTYPES.items():
        yield f"identity_{name}", identity(dtype, ["n"])
        yield f"fixed_{name}", identity(dtype, [2, 3])
    yield "null", identity(TensorProto.FLOAT, [1])
    yield "scalar", model([node("Neg", ["x"], ["y"])], [tensor("x", TensorProto.INT64, [])],
                          [tensor("y", TensorProto.INT64, [])])
    yield "unranked", model([node("Abs", ["x"], ["y"])], [tensor("x", TensorProto.FLOAT, None)],
                            [tensor("y", TensorProto.FLOAT, None)])
    yield "add", model([node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["difference"])],
                       [tensor("a", TensorProto.FLOAT, ["batch", 3]),
                        tensor("b", TensorProto.FLOAT, ["batch", 3])],
                       [tensor("sum", TensorProto.FLOAT, ["batch", 3]),
                        tensor("difference", TensorProto.FLOAT, ["batch", 3])])
    # A running sum, whose total comes in and goes out.
    yield "carry", model([node("Add", ["x", "h"], ["y"]), node("Add", ["x", "h"], ["hn"])],
                         [tensor("x", TensorProto.FLOAT, ["n"]),
                          tensor("h", TensorProto.FLOAT, ["n"])],
                         [tensor("y", TensorProto.FLOAT, ["n"]),
                          tensor("hn", TensorProto.FLOAT, ["n"])])
    yield "default", model([node("Mul", ["x", "factor"], ["y"])],
                           [tensor("x", TensorProto.FLOAT, ["n"]),
                            tensor("factor", TensorProto.FLOAT, [1])],
                           [tensor("y", TensorProto.FLOAT, ["n"])],
                           [numpy_helper.from_array(np.array([2], np.float32), "factor")])
    yield "expand", model([node("Expand", ["x", "shape"], ["y"])],
                          [tensor("x", TensorProto.FLOAT, []),
                           tensor("shape", TensorProto.INT64, ["rank"])],
                          [tensor("y", TensorProto.FLOAT, None)])
    yield "gather", model([node("Gather", ["table", "index"], ["y"], name="pick")],
                          [tensor("index", TensorProto.INT64, ["n"])],
                          [tensor("y", TensorProto.FLOAT, ["n"])],
                          [numpy_helper.from_array(np.arange(3, dtype=np.float32), "table")])
    yield "through", model([node("Neg", ["x"], ["y"])], [tensor("x", TensorProto.FLOAT, ["n"])],
                           [tensor("x", TensorProto.FLOAT, ["n"]),
                            tensor("y", TensorProto.FLOAT, ["n"])])
    # Says one row and gives as many as it is asked for.
    yield "liar", model([node("Reshape", ["x", "shape"], ["y"])],
                        [tensor("x", TensorProto.FLOAT, ["n"]),
                         tensor("shape", TensorProto.INT64, [2])],
                        [tensor("y", TensorProto.FLOAT, [1, 2])])
    # Adds 1 to x, `count` times.
    body = helper.make_graph(
        [node("Identity", ["go_on"], ["goes_on"]), node("Add", ["before", "one"], ["after"])],
        "body",
        [tensor("i", TensorProto.INT64, []), tensor("go_on", TensorProto.BOOL, []),
         tensor("before", TensorProto.FLOAT, [])],
        [tensor("goes_on", TensorProto.BOOL, []), tensor("after", TensorProto.FLOAT, [])],
        initializer=[numpy_helper.from_array(np.array(1, np.float32), "one")])
    yield "loop", model([node("Loop", ["count", "", "x"], ["y"], body=body)],
                        [tensor("count", TensorProto.INT64, []),
                         tensor("x", TensorProto.FLOAT, [])],
                        [tensor("y", TensorProto.FLOAT, [])])
    sequence = helper.make_tensor_sequence_value_info("items", TensorProto.FLOAT, None)
    yield "sequence", model([node("SequenceLength", ["items"], ["y"])], [sequence],
                            [tensor("y", TensorProto.INT64, [])])
    yield "classifier", classifier(["label", "scores"])
    yield "only_scores", classifier(["scores"])
    yield "locale", model([node("StringNormalizer", ["x"], ["y"], case_change_action="LOWER",
                                locale="xx_XX.UTF-8")],
                          [tensor("x", TensorProto.STRING, ["n"])],
                          [tensor("y", TensorProto.STRING, ["m"])])
    yield "complex", identity(TensorProto.COMPLEX64, ["n"])
    yield "unknown_op", model([node("NoSuchOp", ["x"], ["y"])],
                              [tensor("x", TensorProto.FLOAT, [1])],
                              [tensor("y", TensorProto.FLOAT, [1])])
    yield "future", model([node("Identity", ["x"], ["y"])], [tensor("x", TensorProto.FLOAT, [1])],
                          [tensor("y", TensorProto.FLOAT, [1])], ir_version=99)


def external(directory):
    """y = x · W, with W in a file beside the graph, in a folder of its own."""
    weights = numpy_helper.from_array(np.full((4, 1024), 0.5, np.float32), "w")
    graph = model([node("MatMul", ["x", "w"], ["y"])], [tensor("x", TensorProto.FLOAT, ["n", 4])],
                  [tensor("y", TensorProto.FLOAT, ["n", 1024])], [weights])
    for folder in ("external", "external_missing"):
        (directory / folder).mkdir(exist_ok=True)
        copy = onnx.ModelProto()
        copy.CopyFrom(graph)
        (directory / folder / "weights.bin").unlink(missing_ok=True)
        onnx.save_model(copy, directory / folder / "model.onnx", save_as_external_data=True,
                        location="weights.bin", size_threshold=0)
    (directory / "external_missing" / "weights.bin").unlink()


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    for name, graph in [*graphs(), *weighty()]:
        (directory / f"{name}.onnx").write_bytes(graph.SerializeToString())
    external(directory)
    whole = (directory / "add.onnx").read_bytes()
    (directory / "truncated.onnx").write_bytes(whole[: len(whole) // 2])
    (directory / "garbage.onnx").write_bytes(b"not a model at all" * 20)
    (directory / "empty.onnx").write_bytes(b"")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
