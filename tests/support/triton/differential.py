# SPDX-License-Identifier: MIT
"""What Core and the real Triton are both given: the same models, and the page that has the list of
their differences."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from tests.support import paths
from tests.support.core import Core
from tests.support.graphs import model, value
from tests.support.triton.server import Triton

ONNX_TYPES = {
    "FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE, "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16, "INT32": TensorProto.INT32, "INT64": TensorProto.INT64,
    "UINT8": TensorProto.UINT8, "UINT16": TensorProto.UINT16, "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64, "BOOL": TensorProto.BOOL, "BYTES": TensorProto.STRING,
    "FP16": TensorProto.FLOAT16,
}  # fmt: skip
NUMBERS = ["FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]

_PAGE = paths.ROOT / "docs/OPEN-INFERENCE-PROTOCOL.md"


def add_models(core: Core, triton: Triton, folder: Path) -> None:
    """`scale` gives y = 2 x over floats; `same_T` gives a matrix of T back; `two` takes both text
    and floats. Graphs are written to `folder`."""
    triton.add_model("scale", [("x", "y", "FP32", [-1], 2)])
    factor = numpy_helper.from_array(np.array(2, np.float32), "f")
    graphs = {"scale": model([helper.make_node("Mul", ["x", "f"], ["y"])], [value("x", ["N"])],
                             [value("y", ["N"])], [factor])}  # fmt: skip
    for name, kind in ONNX_TYPES.items():
        shape = ["N", 2]
        triton.add_model(f"same_{name}", [("x", "y", name, [-1, 2], 1)])
        node = helper.make_node("Identity", ["x"], ["y"])
        graphs[f"same_{name}"] = model([node], [value("x", shape, kind)], [value("y", shape, kind)])
    pairs = [("t", "t_out", "BYTES", [-1], 1), ("x", "x_out", "FP32", [-1], 1)]
    triton.add_model("two", pairs)
    nodes = [helper.make_node("Identity", [name], [out]) for name, out, *_ in pairs]
    into = [value("t", ["N"], TensorProto.STRING), value("x", ["M"])]
    out = [value("t_out", ["N"], TensorProto.STRING), value("x_out", ["M"])]
    graphs["two"] = model(nodes, into, out)
    for name, graph in graphs.items():
        save(graph, str(folder / f"{name}.onnx"))
        assert core.register(name, folder / f"{name}.onnx").status_code == 200


def matrix(datatype: str, rows: int) -> np.ndarray:
    """`rows` by two elements of a datatype."""
    if datatype == "BYTES":
        return np.array([[f"r{i}", "é" * i] for i in range(rows)], dtype=object).reshape(rows, 2)
    if datatype == "BOOL":
        return np.arange(rows * 2).reshape(rows, 2) % 2 == 0
    return np.arange(rows * 2).reshape(rows, 2).astype(datatype.lower().replace("fp", "float"))


def documented_statuses(pattern: str) -> set[tuple[str, str]]:
    """The rows of the page's tables of statuses: (Triton's, Core's), both of a pattern."""
    rows = re.findall(rf"^\| ({pattern}) \| ({pattern}) \|", _PAGE.read_text(), re.MULTILINE)
    return set(rows)


def documented_members(reply: str) -> tuple[set[str], set[str]]:
    """What the page says of a reply: the members that only Triton has, and only Core."""
    row = re.search(rf"^\| {re.escape(reply)} \| (.*) \| (.*) \|$", _PAGE.read_text(), re.MULTILINE)
    if row is None:
        return set(), set()
    triton, core = (set(re.findall(r"`([^`]+)`", cell)) for cell in row.groups())
    return triton, core


def tree(document: object, at: str = "") -> set[str]:
    """Every place of a JSON document where a value is, without the values: "models[].name"."""
    if isinstance(document, dict):
        inner = [tree(value, f"{at}.{key}" if at else key) for key, value in document.items()]
    elif isinstance(document, list):
        inner = [tree(value, f"{at}[]") for value in document]
    else:
        return {at}
    return set().union({at} if at else set(), *inner)


def undocumented(reply: str, core: object, triton: object) -> set[str]:
    """The places that only one of two documents has, without those that the page lists: "Core:
    …", "Triton: …"."""
    triton_only, core_only = documented_members(reply)

    def beyond(who: str, ours: set[str], theirs: set[str], listed: set[str]) -> set[str]:
        below = tuple(f"{one}{more}" for one in listed for more in (".", "["))
        own = (place for place in ours - theirs - listed if not place.startswith(below))
        return {f"{who}: {place}" for place in own}

    ours, theirs = tree(core), tree(triton)
    return beyond("Core", ours, theirs, core_only) | beyond("Triton", theirs, ours, triton_only)
