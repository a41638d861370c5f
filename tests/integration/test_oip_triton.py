# SPDX-License-Identifier: MIT
"""The same requests to Core and to the real Triton: the same answers, or a difference that
docs/OPEN-INFERENCE-PROTOCOL.md has in its table."""

from __future__ import annotations

import gzip
import itertools
import json
import re
import zlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
import requests
from onnx import TensorProto, helper, numpy_helper, save

from tests.support import oip, paths
from tests.support.graphs import model, value
from tests.support.triton import Triton

PAGE = paths.ROOT / "docs/OPEN-INFERENCE-PROTOCOL.md"
NUMBERS = ["FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
ONNX_TYPES = {
    "FP32": TensorProto.FLOAT, "FP64": TensorProto.DOUBLE, "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16, "INT32": TensorProto.INT32, "INT64": TensorProto.INT64,
    "UINT8": TensorProto.UINT8, "UINT16": TensorProto.UINT16, "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64, "BOOL": TensorProto.BOOL, "BYTES": TensorProto.STRING,
    "FP16": TensorProto.FLOAT16,
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """One request, sent to both."""

    what: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    status: int
    content: object


def add_models(core, triton, folder):
    """`scale` gives y = 2 x over floats; `same_T` gives a matrix of T back; `two` takes both text
    and floats."""
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


def matrix(datatype, rows):
    """`rows` by two elements of a datatype."""
    if datatype == "BYTES":
        return np.array([[f"r{i}", "é" * i] for i in range(rows)], dtype=object).reshape(rows, 2)
    if datatype == "BOOL":
        return np.arange(rows * 2).reshape(rows, 2) % 2 == 0
    return np.arange(rows * 2).reshape(rows, 2).astype(datatype.lower().replace("fp", "float"))


def good_requests():
    """JSON and binary, of every datatype, size and choice of outputs."""
    for name, rows in itertools.product(ONNX_TYPES, (0, 1, 3)):
        array = matrix(name, rows)
        path = f"/v2/models/same_{name}/infer"
        if name != "FP16":
            yield Request(f"JSON {name} {rows}", path, oip.json_body({"x": array}, id="i"))
            yield Request(f"JSON {name} {rows} of version 1",
                          f"/v2/models/same_{name}/versions/1/infer", oip.json_body({"x": array}))
        body, headers = oip.binary_body({"x": array}, id="i")
        yield Request(f"binary {name} {rows}", path, body, headers)
        for binary in (True, False):
            if name == "FP16" and not binary:
                continue
            outputs = [{"name": "y", "parameters": {"binary_data": binary}}]
            body, headers = oip.binary_body({"x": array}, outputs=outputs)
            yield Request(f"binary {name} {rows}, output binary {binary}", path, body, headers)
    for size in (1, 2, 500):
        array = np.arange(size, dtype=np.float32)
        for coding, pack in {"gzip": gzip.compress, "deflate": zlib.compress}.items():
            yield Request(f"{coding} {size}", "/v2/models/scale/infer",
                          pack(oip.json_body({"x": array})), {"Content-Encoding": coding})
    both = {"t": np.array(["a", "b"], dtype=object), "x": np.ones(3, np.float32)}
    for outputs in (["t_out"], ["x_out"], ["t_out", "x_out"]):
        chosen = [{"name": name} for name in outputs]
        yield Request(f"two {outputs}", "/v2/models/two/infer",
                      oip.json_body(both, outputs=chosen, id="7"))
    body, headers = oip.binary_body(both)
    yield Request("two, binary", "/v2/models/two/infer", body, headers)
    for parameters in ({}, {"priority": 1}, {"own": "v"}, {"own": 1.5}, {"timeout": 10_000_000}):
        yield Request(f"parameters {parameters}", "/v2/models/scale/infer",
                      oip.json_body({"x": array}, parameters=parameters))


def bad_inputs():
    """What an input may have wrong, as changes of a good one."""
    good = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}
    changes = [
        {"name": None}, {"name": "z"}, {"name": 3}, {"name": ""},
        {"shape": None}, {"shape": [3]}, {"shape": [1]}, {"shape": [1, 2]}, {"shape": [-1]},
        {"shape": []}, {"shape": [2**32, 2**32]}, {"shape": 2}, {"shape": ["2"]}, {"shape": [1.5]},
        {"datatype": None}, {"datatype": "FP31"}, {"datatype": "INT32"}, {"datatype": "BYTES"},
        {"datatype": 3}, {"datatype": "fp32"},
        {"data": None}, {"data": []}, {"data": [1]}, {"data": [1, 2, 3]}, {"data": ["a", "b"]},
        {"data": [1, None]}, {"data": [True, 2]}, {"data": 3}, {"data": {}}, {"data": [[1], 2]},
        {"data": [[1, 2]]}, {"data": [[1], [2]]}, {"data": [1e300, 2]},
        {"parameters": 3}, {"parameters": {"binary_data_size": 8}},
        {"data": None, "parameters": {"binary_data_size": 8}},
        {"data": None, "parameters": {"shared_memory_region": "r", "shared_memory_byte_size": 8}},
        {"extra": 1},
    ]  # fmt: skip
    for change in changes:
        yield change, {k: v for k, v in {**good, **change}.items() if v is not None}


def bad_requests():
    good = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}
    path = "/v2/models/scale/infer"
    for change, tensor in bad_inputs():
        yield Request(f"input with {change}", path, json.dumps({"inputs": [tensor]}).encode())
    for text in (b"", b"{", b"[]", b"1", b"null", b'{"inputs":', b"{}", b'{"inputs":{}}',
                 b'{"inputs":[]}', b'{"inputs":[1]}', b'{"inputs":null}', b"{} {}", b"\xff"):
        yield Request(f"body {text!r}", path, text)
    for members in (
        {"id": 3}, {"id": None}, {"outputs": {}}, {"outputs": [{}]}, {"outputs": [{"name": "z"}]},
        {"outputs": [{"name": "y"}, {"name": "y"}]}, {"outputs": []}, {"outputs": [3]},
        {"parameters": []}, {"parameters": {"a": []}}, {"parameters": {"a": None}},
        {"parameters": {"binary_data_output": 1}}, {"parameters": {"sequence_id": 1}},
        {"outputs": [{"name": "y", "parameters": {"classification": 1}}]},
        {"outputs": [{"name": "y", "parameters": {"binary_data": 1}}]}, {"unknown": [1]},
    ):  # fmt: skip
        yield Request(f"with {members}", path, json.dumps({"inputs": [good], **members}).encode())
    yield Request("an input twice", path, json.dumps({"inputs": [good, good]}).encode())
    for tail, length in itertools.product((b"", b"1234567", b"12345678", b"123456789"), (0, -3, 9)):
        tensor = {"name": "x", "shape": [2], "datatype": "FP32",
                  "parameters": {"binary_data_size": 8}}  # fmt: skip
        text = json.dumps({"inputs": [tensor]}).encode()
        yield Request(f"binary of {len(tail)} bytes, header off by {length}", path, text + tail,
                      {oip.LENGTH: str(len(text) + length)})
    for header in ("", "x", "-1", "1e3", "99999", "0"):
        yield Request(f"header {header!r}", path, json.dumps({"inputs": [good]}).encode(),
                      {oip.LENGTH: header})
    for coding in ("gzip", "deflate", "br"):
        yield Request(f"not {coding}", path, json.dumps({"inputs": [good]}).encode(),
                      {"Content-Encoding": coding})
    for name in NUMBERS:
        for data in ([[1, 300]], [[-1, 0]], [[0.5, 1]], [["1", "2"]], [[True, False]]):
            tensor = {"name": "x", "shape": [1, 2], "datatype": name, "data": data}
            yield Request(f"{name} of {data}", f"/v2/models/same_{name}/infer",
                          json.dumps({"inputs": [tensor]}).encode())


def plain_requests():
    """Health, metadata, repository, and paths that are not there."""
    for path in ("/v2", "/v2/health/live", "/v2/health/ready"):
        yield Request(f"GET {path}", path, method="GET")
    for name in ("scale", "two", "none"):
        for suffix in ("", "/ready", "/versions/1", "/versions/1/ready", "/versions/9",
                       "/versions/x", "/versions/9/ready", "/stats", "/nothing", "/infer"):
            path = f"/v2/models/{name}{suffix}"
            yield Request(f"GET {path}", path, method="GET")
    for path in ("/v2/none", "/none", "/v2/models/scale/infer", "/v2/models/none/infer",
                 "/v2/repository/models/none/load", "/v2/repository/models/none/unload",
                 "/v2/repository/index"):
        yield Request(f"POST {path}", path, b"{}")
    yield Request("DELETE", "/v2/models/scale", method="DELETE")


REQUESTS = [*good_requests(), *bad_requests(), *plain_requests()]


def ask(server, request):
    """The answer without what may differ anyway: the words of an error, the server's name."""
    reply = requests.request(
        request.method, server + request.path, data=request.body, timeout=60,
        headers={"Accept-Encoding": "identity", **request.headers},
    )  # fmt: skip
    # Core's health checks have a body, as KServe's have.
    is_check = request.path.endswith(("/live", "/ready"))
    if reply.status_code != 200 or not reply.content or is_check:
        return Answer(reply.status_code, None)
    length = reply.headers.get(oip.LENGTH)
    size = len(reply.content) if length is None else int(length)
    try:
        document = json.loads(reply.content[:size])
    except ValueError:
        return Answer(reply.status_code, reply.content)
    return Answer(reply.status_code, (comparable(document), reply.content[size:]))


def comparable(document):
    """What of a reply has to be equal: of descriptions of the server and counts, the members."""
    if not isinstance(document, dict):
        return type(document).__name__
    if "extensions" in document or "model_stats" in document:
        return sorted(document)
    for output in document.get("outputs", []):
        # Triton writes floats with the digits of a double.
        if output["datatype"] == "FP32" and "data" in output:
            output["data"] = np.array(output["data"], np.float32).tolist()
    return {key: value for key, value in document.items() if key != "platform"}


def documented():
    """The rows of the page's table of differences: (Triton's status, Core's)."""
    rows = re.findall(r"^\| (\d{3}) \| (\d{3}) \|", PAGE.read_text(), re.MULTILINE)
    return {(int(triton), int(core)) for triton, core in rows}


# What Triton takes and Core does not: told one by one, so that no other becomes one of them.
REFUSED_BY_CORE = {
    "input with {'data': [[1], 2]}", "input with {'data': [[1, 2]]}",
    "input with {'data': [[1], [2]]}", "input with {'data': [1e+300, 2]}",
    "input with {'parameters': 3}", "body b''", "not gzip", "not deflate",
    "with {'outputs': [{'name': 'y'}, {'name': 'y'}]}", "INT8 of [[1, 300]]",
    "UINT8 of [[1, 300]]", "with {'parameters': {'sequence_id': 1}}",
}  # fmt: skip


@pytest.mark.deep
@pytest.mark.limit(600)
def test_core_answers_as_triton_does_or_as_the_page_says(core, tmp_path):
    triton = Triton(tmp_path / "triton")
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    add_models(core, triton, graphs)
    triton.start()
    try:
        pairs = [(r, ask(core.url, r), ask(triton.url, r)) for r in REQUESTS]
    finally:
        triton.stop()
    assert len(pairs) >= 300
    different = [(r, c, t) for r, c, t in pairs if c != t]
    bodies = [r.what for r, c, t in different if c.status == t.status]
    assert not bodies, f"bodies differ: {bodies}"
    seen = Counter((t.status, c.status) for _, c, t in different)
    assert set(seen) == documented(), seen
    refused = {r.what for r, c, t in different if (t.status, c.status) == (200, 400)}
    assert refused == REFUSED_BY_CORE
