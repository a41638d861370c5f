# SPDX-License-Identifier: MIT
"""The same requests to Core and to the real Triton: the same answers, or a difference that
docs/OPEN-INFERENCE-PROTOCOL.md has in its table."""

from __future__ import annotations

import gzip
import itertools
import json
import zlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
import requests

from tests.support import oip
from tests.support.triton import Triton
from tests.support.triton.differential import (
    NUMBERS,
    ONNX_TYPES,
    add_models,
    documented_statuses,
    matrix,
    undocumented,
)


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
    """A status, the JSON of the reply, and the bytes behind it."""

    status: int
    document: object
    data: bytes = b""


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


def config_requests():
    for name in ("scale", "two", "same_BYTES", "none"):
        for version in ("", "/versions/1", "/versions/9"):
            path = f"/v2/models/{name}{version}/config"
            yield Request(f"GET {path}", path, method="GET")


GENERATE = [
    ("scale", {"x": [1, 2]}), ("scale", {"x": 1.5}), ("scale", {"x": []}),
    ("scale", {"x": [1, 2], "id": "7"}), ("scale", {"x": [1], "parameters": {"a": 1}}),
    ("scale", {"x": [1], "z": 1}), ("scale", {"x": [1], "z": [1]}), ("scale", {}),
    ("scale", {"x": "a"}), ("scale", {"x": [[1]]}), ("scale", {"x": None}), ("scale", [1]),
    ("none", {"x": [1]}), ("scale/versions/1", {"x": [3]}), ("scale/versions/9", {"x": [3]}),
    ("two", {"t": "a", "x": [1, 2]}), ("two", {"t": ["a", "b"], "x": 1}),
    ("two", {"t": 1, "x": 1}), ("same_INT64", {"x": [1, 2]}), ("same_INT64", {"x": [[1, 2]]}),
    ("same_BOOL", {"x": [[True, False]]}),
]  # fmt: skip


def generate_requests():
    for call in ("generate", "generate_stream"):
        for name, document in GENERATE:
            body = json.dumps(document)
            yield Request(f"{call} {name} {body}", f"/v2/models/{name}/{call}", body.encode())


REQUESTS = [*good_requests(), *bad_requests(), *plain_requests(), *config_requests(),
            *generate_requests()]  # fmt: skip


def ask(server, request):
    """The answer, its documents decoded."""
    reply = requests.request(
        request.method, server + request.path, data=request.body, timeout=60,
        headers={"Accept-Encoding": "identity", **request.headers},
    )  # fmt: skip
    if reply.headers.get("Content-Type", "").startswith("text/event-stream"):
        events = reply.text.removesuffix("\n\n").split("\n\n")
        return Answer(reply.status_code, [json.loads(e.removeprefix("data: ")) for e in events])
    length = reply.headers.get(oip.LENGTH)
    size = len(reply.content) if length is None else int(length)
    document = json.loads(reply.content[:size]) if size else None
    return Answer(reply.status_code, document, reply.content[size:])


# Replies of which the members are compared, because the values are each server's own.
DESCRIBED = {
    "/stats": "statistics", "/index": "repository index", "/config": "model configuration",
    "/v2": "server metadata",
}  # fmt: skip


def difference(request, core, triton):
    """What is different in two answers of one status; empty where nothing is."""
    if core.status != 200:
        return ""
    # A check's status is its answer; Core's has a body, as KServe's have.
    if request.path.endswith(("/live", "/ready")):
        return ""
    for end, reply in DESCRIBED.items():
        if request.path.endswith(end):
            told = undocumented(reply, core.document, triton.document)
            if reply == "model configuration":
                told |= unequal(core.document, triton.document)
            return f"{sorted(told)}" if told else ""
    same = comparable(core.document) == comparable(triton.document) and core.data == triton.data
    return "" if same else f"{core} is not {triton}"


def unequal(core, triton):
    """Where a configuration says something else of what both have."""
    named = {key: core[key] for key in ("name", "max_batch_size")}
    told = {key for key, value in named.items() if triton[key] != value}
    for side in ("input", "output"):
        for ours, theirs in zip(core[side], triton[side], strict=True):
            told |= {f"{side}.{key}" for key, value in ours.items() if theirs[key] != value}
    return told


def comparable(document):
    """A reply without the platform of a model, whose name is each server's own."""
    if not isinstance(document, dict):
        return document
    for output in document.get("outputs", []):
        # Triton writes floats with the digits of a double.
        if output["datatype"] == "FP32" and "data" in output:
            output["data"] = np.array(output["data"], np.float32).tolist()
    return {key: value for key, value in document.items() if key != "platform"}


# What Triton takes and Core does not, and the other way round: told one by one, so that no other
# becomes one of them.
REFUSED_BY_CORE = {
    "input with {'data': [[1], 2]}", "input with {'data': [[1, 2]]}",
    "input with {'data': [[1], [2]]}", "input with {'data': [1e+300, 2]}",
    "input with {'parameters': 3}", "body b''", "not gzip", "not deflate",
    "with {'outputs': [{'name': 'y'}, {'name': 'y'}]}", "INT8 of [[1, 300]]",
    "UINT8 of [[1, 300]]", "with {'parameters': {'sequence_id': 1}}",
    'generate scale {"x": [[1]]}', 'generate_stream scale {"x": [[1]]}',
}  # fmt: skip
REFUSED_BY_TRITON = {
    f"{call} {rest}" for call in ("generate", "generate_stream")
    for rest in ('same_INT64 {"x": [[1, 2]]}', 'same_BOOL {"x": [[true, false]]}')
} | {"with {'parameters': {'a': None}}"}  # fmt: skip


@pytest.mark.deep
@pytest.mark.limit(600)
def test_core_answers_as_triton_does_or_as_the_page_says(core, tmp_path):
    triton = Triton(tmp_path / "triton")
    graphs = tmp_path / "graphs"
    graphs.mkdir()
    add_models(core, triton, graphs)
    triton.start()
    try:
        asked = [(r, ask(core.url, r), ask(triton.url, r)) for r in REQUESTS]
    finally:
        triton.stop()
    assert len(asked) >= 400
    failures = [(r, a) for r, *answers in asked for a in answers if a.status != 200]
    of_protocol = [(r, a) for r, a in failures if r.path.startswith("/v2")]
    nameless = [r.what for r, a in of_protocol if not isinstance(a.document.get("error"), str)]
    assert not nameless, "failures without the protocol's `error`"
    same = [(r.what, difference(r, c, t)) for r, c, t in asked if c.status == t.status]
    assert not [pair for pair in same if pair[1]]
    different = [(r.what, (str(t.status), str(c.status))) for r, c, t in asked
                 if t.status != c.status]  # fmt: skip
    seen = Counter(statuses for _, statuses in different)
    assert set(seen) == documented_statuses(r"\d{3}"), seen
    for statuses, expected in ((("200", "400"), REFUSED_BY_CORE),
                               (("400", "200"), REFUSED_BY_TRITON)):  # fmt: skip
        assert {what for what, both in different if both == statuses} == expected
