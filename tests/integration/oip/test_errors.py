# SPDX-License-Identifier: MIT
"""Bad requests to /v2: each is a 4xx that names the field, and leaves nothing behind."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.support.graphs import scale
from tests.support.raw_http import exchange, head

GOOD = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}
BINARY = {"name": "x", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}
LENGTH = "Inference-Header-Content-Length"


@pytest.fixture(scope="module")
def served(shared_core, tmp_path_factory):
    graph = scale(tmp_path_factory.mktemp("m") / "echo.onnx", 2.0)
    assert shared_core.register("ns/echo@v1", graph).status_code == 200
    return shared_core


def request(*inputs, **members):
    return json.dumps({"inputs": list(inputs), **members}).encode()


def changed(**members):
    """The good input with other members; None takes one out."""
    return request({k: v for k, v in {**GOOD, **members}.items() if v is not None})


def binary(tail, header=None, **members):
    """A body with `tail` behind its JSON, and the header that says where."""
    text = request({**BINARY, **members})
    return text + tail, {LENGTH: str(len(text)) if header is None else header}


# body, or body and headers -> status, reason, field
BODIES = {
    "nothing": (b"", 400, "MALFORMED_JSON", ""),
    "cut off": (b'{"inputs": [', 400, "MALFORMED_JSON", ""),
    "an array": (b"[]", 400, "MALFORMED_JSON", ""),
    "not UTF-8": (b'{"inputs": "\xff"}', 400, "MALFORMED_JSON", ""),
    "deep": (b'{"a":' + b"[" * 500_000 + b"]" * 500_000 + b"}", 400, "NESTING_TOO_DEEP", ""),
    "no inputs": (b"{}", 400, "MISSING_FIELD", "inputs"),
    "inputs not an array": (b'{"inputs": {}}', 400, "INVALID_FIELD", "inputs"),
    "an id that is no string": (request(GOOD, id=3), 400, "INVALID_FIELD", "id"),
    "no name": (changed(name=None), 400, "MISSING_FIELD", "name"),
    "no shape": (changed(shape=None), 400, "MISSING_FIELD", "x"),
    "no datatype": (changed(datatype=None), 400, "MISSING_FIELD", "x"),
    "no data": (changed(data=None), 400, "MISSING_FIELD", "x"),
    "an unknown datatype": (changed(datatype="FP128"), 400, "DTYPE_MISMATCH", "x"),
    "a string for a float": (changed(data=["a", 1]), 400, "DTYPE_MISMATCH", "x"),
    "a float too large": (changed(data=[1e300, 1]), 400, "VALUE_OUT_OF_RANGE", "x"),
    "ragged": (changed(shape=[2, 1], data=[[1], 2]), 400, "SHAPE_MISMATCH", "x"),
    "an output without a name": (
        request(GOOD, outputs=[{}]), 400, "MISSING_FIELD", "outputs.name"),
    "a flag that is none": (
        request(GOOD, parameters={"binary_data_output": "yes"}), 400, "INVALID_FIELD",
        "parameters.binary_data_output"),
    "a parameter that is no scalar": (
        request(GOOD, parameters={"p": []}), 400, "INVALID_FIELD", "parameters.p"),
    "binary without the header": (binary(b"12345678")[0], 400, "MALFORMED_JSON", ""),
    "binary too short": (binary(b"1234567"), 400, "INVALID_FIELD", "x"),
    "binary too long": (binary(b"123456789"), 400, "INVALID_FIELD", "binary_data_size"),
    "binary of another shape": (binary(b"12345678", shape=[3]), 400, "SHAPE_MISMATCH", "x"),
    "a negative binary size": (
        binary(b"12345678", parameters={"binary_data_size": -1}), 400, "INVALID_FIELD", "x"),
    "binary and data": (binary(b"12345678", data=[1, 2]), 400, "INVALID_FIELD", "x"),
    "a header beyond the body": (binary(b"", "100000"), 400, "INVALID_FIELD", LENGTH),
    "a header of 0": (binary(b"12345678", "0"), 400, "MALFORMED_JSON", ""),
    "a header that is no number": (binary(b"", "+5"), 400, "INVALID_FIELD", LENGTH),
    "a header above 64 bits": (binary(b"", "9" * 30), 400, "INVALID_FIELD", LENGTH),
    "an unknown coding": (
        (request(GOOD), {"Content-Encoding": "br"}), 415, "UNSUPPORTED_ENCODING",
        "Content-Encoding"),
    "not gzip": ((request(GOOD), {"Content-Encoding": "gzip"}), 400, "MALFORMED_REQUEST", ""),
    "not zlib": ((request(GOOD), {"Content-Encoding": "deflate"}), 400, "MALFORMED_REQUEST", ""),
    "a gzip bomb": (
        (gzip.compress(bytes(1 << 25)), {"Content-Encoding": "gzip"}), 413, "PAYLOAD_TOO_LARGE",
        ""),
    "a zlib bomb": (
        (zlib.compress(bytes(1 << 25)), {"Content-Encoding": "deflate"}), 413,
        "PAYLOAD_TOO_LARGE", ""),
}  # fmt: skip


@pytest.mark.parametrize("what", BODIES)
def test_bad_bodies(served, what):
    body, status, reason, field = BODIES[what]
    body, headers = body if isinstance(body, tuple) else (body, {})
    reply = served.post("/v2/models/ns%2Fecho@v1/infer", data=body, headers=headers)
    error = reply.json()
    assert set(error) == {"error", "code", "reason", "field"}
    assert (reply.status_code, error["reason"], error["field"]) == (status, reason, field), error
    assert error["error"]


def test_bad_bodies_leave_nothing_behind(served):
    def ask_all():
        for body, *_ in BODIES.values():
            body, headers = body if isinstance(body, tuple) else (body, {})
            served.post("/v2/models/ns%2Fecho@v1/infer", data=body, headers=headers)

    ask_all()
    served.get("/health")
    before = served.resources()
    for _ in range(3):
        ask_all()
    served.get("/health")
    now = served.resources_within(before.fds)
    assert now.fds <= before.fds
    assert now.threads == before.threads
    assert now.rss_bytes < before.rss_bytes + (32 << 20)
    good = served.post("/v2/models/ns%2Fecho@v1/infer", data=request(GOOD))
    assert good.json()["outputs"][0]["data"] == [2, 4]


# method, path -> status, reason
PATHS = {
    "no such version": (
        "POST", "/v2/models/ns%2Fecho@v1/versions/v2/infer", 404, "MODEL_NOT_FOUND"),
    "a name with ..": ("GET", "/v2/models/../../etc/passwd", 400, "INVALID_MODEL_ID"),
    "an empty segment": ("GET", "/v2/models/ns//echo", 404, "ROUTE_NOT_FOUND"),
    "no such route": ("GET", "/v2/none", 404, "ROUTE_NOT_FOUND"),
    "another method": ("DELETE", "/v2/models/ns%2Fecho@v1", 405, "METHOD_NOT_ALLOWED"),
    "GET of infer": ("GET", "/v2/models/ns/echo/infer", 405, "METHOD_NOT_ALLOWED"),
    "unready": ("GET", "/v2/models/ns%2Fnone/ready", 404, "MODEL_NOT_FOUND"),
    "load of none": ("POST", "/v2/repository/models/ns%2Fnone/load", 404, "MODEL_NOT_FOUND"),
    "unload of none": ("POST", "/v2/repository/models/ns%2Fnone/unload", 404, "MODEL_NOT_FOUND"),
}  # fmt: skip


@pytest.mark.parametrize("what", PATHS)
def test_bad_paths(served, what):
    method, path, status, reason = PATHS[what]
    # Not through a client that tidies paths up.
    reply = exchange(
        served.port, head(f"{method} {path} HTTP/1.1", "Content-Length: 0", "Connection: close")
    )
    assert reply.status == status, reply
    error = reply.document
    assert (set(error), error["reason"]) == ({"error", "code", "reason", "field"}, reason)
    if status == 405:
        allowed = "POST, OPTIONS" if path.endswith("/infer") else "GET, HEAD, OPTIONS"
        assert reply.headers["allow"] == allowed


def test_two_lengths_are_refused(served):
    lengths = f"{LENGTH}: 2", f"{LENGTH}: 3", "Content-Length: 4"
    text = head("POST /v2/models/m/infer HTTP/1.1", *lengths) + b"{}{}"
    assert exchange(served.port, text).status == 400


def test_a_body_too_large_is_refused_in_the_words_of_the_protocol(served):
    line = "POST /v2/models/ns/echo/infer HTTP/1.1"
    reply = exchange(served.port, head(line, f"Content-Length: {1 << 40}"))
    assert (reply.status, reply.document["reason"]) == (413, "PAYLOAD_TOO_LARGE")
    assert "error" in reply.document
