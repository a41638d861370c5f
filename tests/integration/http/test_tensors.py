# SPDX-License-Identifier: MIT
"""Tensors in JSON: what comes back bit for bit, and what is refused, with the input named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from onnx import helper

from tests.support import Core, to_json
from tests.support.graphs import identity
from tests.support.tensors import is_float, numpy_dtype

MIB = 1 << 20
DTYPES = [
    "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "bool",
]  # fmt: skip


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """Core with one identity model for each dtype: `float32`, `string`, …"""
    folder = tmp_path_factory.mktemp("tensors")
    core = Core(folder, "--in-flight-bytes-max", "256MiB").start()
    for name in [*DTYPES, "string"]:
        dtype = helper.np_dtype_to_tensor_dtype(numpy_dtype("O" if name == "string" else name))
        reply = core.register(name, identity(folder / f"{name}.onnx", dtype))
        assert reply.status_code == 200, reply.text
    yield core
    core.stop()


def infer(core: Core, name: str, body: str | bytes):
    return core.post(f"/models/{name}/inference", data=body)


@pytest.mark.smoke
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_value_comes_back(core, dtype):
    rng = np.random.default_rng(3)
    element = numpy_dtype(dtype)
    bits = rng.integers(0, 256, 4000 * element.itemsize, np.uint8)
    array = (bits % 2 if dtype == "bool" else bits).view(element).reshape(-1, 4)
    if is_float(element):
        array = np.concatenate([array, np.array([[np.nan, np.inf, -np.inf, -0.0]], element)])
    back = core.infer(dtype, {"x": array})["y"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    with np.errstate(invalid="ignore"):  # signalling ones too
        nan = np.isnan(array) if is_float(element) else np.zeros(array.shape, bool)
    assert back[~nan].tobytes() == array[~nan].tobytes()
    assert not is_float(element) or np.isnan(back[nan]).all()


def test_strings_come_back(core):
    texts = [["", "a", 'q"\\\n\t\x01'], ["é", "日本", "\U0001f600"]]
    reply = infer(core, "string", json.dumps({"x": texts})).json()
    assert (reply["outputs"], reply["dtypes"], reply["shapes"]) == (
        {"y": texts}, {"y": "string"}, {"y": [2, 3]})  # fmt: skip


def test_forms_of_a_body(core):
    for body in ["[[1, 2]]", '{"x": [[1, 2]]}', '{"inputs": {"x": [[1, 2]]}}', '{"x": [1, 2]}',
                 '{"x": {"shape": [1, 2], "data": [1, 2]}}']:  # fmt: skip
        reply = infer(core, "int64", body)
        assert reply.json()["outputs"] == {"y": [[1, 2]]}, body
    for body in ['{"x": [[], []]}', '{"x": {"shape": [2, 0], "data": []}}']:
        assert infer(core, "int64", body).json()["shapes"] == {"y": [2, 0]}, body
    quiet = core.post("/models/int64/inference?include_outputs=false", data="[[1, 2]]").json()
    assert "outputs" not in quiet
    assert (quiet["dtypes"], quiet["shapes"], quiet["output_size"]) == (
        {"y": "int64"}, {"y": [1, 2]}, 2)  # fmt: skip
    maybe = core.post("/models/int64/inference?include_outputs=maybe", data="[[1, 2]]").json()
    assert (maybe["reason"], maybe["field"]) == ("INVALID_FIELD", "include_outputs")


def test_bare_special_floats_are_answered_as_strings(core):
    numbers = json.dumps([[float("nan"), float("inf")], [float("-inf"), 1.5]])
    assert numbers == "[[NaN, Infinity], [-Infinity, 1.5]]"
    for target in ["float32", "float64"]:
        reply = infer(core, target, f'{{"x": {numbers}}}').json()
        assert reply["outputs"] == {"y": [["NaN", "Infinity"], ["-Infinity", 1.5]]}, reply


def nested(depth: int) -> str:
    return "[" * depth + "1" + "]" * depth


REFUSED = {
    "not JSON": ("float32", '{"x": [1,,2]}', "MALFORMED_JSON", "x"),
    "empty": ("float32", "", "MALFORMED_JSON", None),
    "cut off": ("float32", '{"x": [[1, 2]', "MALFORMED_JSON", None),
    "trailing garbage": ("float32", '{"x": [[1]]} {}', "MALFORMED_JSON", None),
    "bad UTF-8": ("string", b'{"x": [["\xff"]]}', "MALFORMED_JSON", None),
    "NaN as an integer": ("int32", '{"x": [[NaN]]}', "DTYPE_MISMATCH", "x"),
    "deep": ("float32", f'{{"x": {nested(500_000)}}}', "NESTING_TOO_DEEP", "x"),
    "deep bare": ("float32", nested(65), "NESTING_TOO_DEEP", "x"),
    "unknown and deep": ("float32", f'{{"y": {nested(500_000)}}}', "UNKNOWN_INPUT", "y"),
    "ragged": ("float32", '{"x": [[1, 2], [3]]}', "SHAPE_MISMATCH", "x"),
    "fractional size": ("float32", '{"x": {"shape": [1.5], "data": [1]}}', "DTYPE_MISMATCH", "x"),
    "size of zero": ("float32", '{"x": {"shape": [0, 1], "data": [1]}}', "SHAPE_MISMATCH", "x"),
    "fraction in an integer": ("int32", '{"x": [[1.5]]}', "DTYPE_MISMATCH", "x"),
    "string in a float": ("float32", '{"x": [["1"]]}', "DTYPE_MISMATCH", "x"),
    "number in a string": ("string", '{"x": [[1]]}', "DTYPE_MISMATCH", "x"),
    "null": ("float32", '{"x": [[null]]}', "DTYPE_MISMATCH", "x"),
    "int8 overflow": ("int8", '{"x": [[128]]}', "VALUE_OUT_OF_RANGE", "x"),
    "uint64 overflow": ("uint64", '{"x": [[18446744073709551616]]}', "VALUE_OUT_OF_RANGE", "x"),
    "float32 overflow": ("float32", '{"x": [[1e39]]}', "VALUE_OUT_OF_RANGE", "x"),
    "float64 overflow": ("float64", '{"x": [[1e309]]}', "VALUE_OUT_OF_RANGE", "x"),
}  # fmt: skip

# What no message may show: paths, addresses, process ids.
LEAKS = re.compile(r"/(?:tmp|proc|var|usr|etc)/|0x[0-9a-f]{6,}|\bpid\b|\.cc\b|std::|mlos::")


def test_refused_bodies(core):
    infer(core, "float32", "[[1]]")
    before = core.resources()
    for name, (target, body, reason, field) in REFUSED.items():
        reply = infer(core, target, body)
        document = reply.json()
        assert (reply.status_code, document["reason"]) == (400, reason), (name, document)
        assert document["field"] == (field or ""), (name, document)
        assert document["model_id"] == target
        assert not LEAKS.search(document["message"]), document
    after = core.resources()
    assert (after.fds, after.threads) == (before.fds, before.threads)
    assert after.rss_bytes < before.rss_bytes + 24 * MIB


def test_long_names_are_cut_in_messages(core):
    reply = infer(core, "float32", json.dumps({"n" * 65_536: [1]}))
    assert reply.json()["reason"] == "UNKNOWN_INPUT"
    assert len(reply.json()["message"]) < 400


def test_bodies_far_above_16_mib(core):
    array = np.arange(3_000_000, dtype=np.float64).reshape(3, -1) * 1e-7
    text = json.dumps({"x": to_json(array)})
    assert len(text) > 30 * MIB
    reply = infer(core, "float64", text)
    assert reply.status_code == 200, reply.text[:500]
    assert np.array_equal(np.array(reply.json()["outputs"]["y"]), array)


def test_bytes_in_flight_are_limited_for_all_together(core):
    """A budget of 256 MiB: bodies that fit alone, and not together."""
    body = b'{"x": [[' + b"1," * (12 * MIB) + b"1]]}"
    before = core.resources()

    def send(_number: int) -> int:
        with core.session.__class__() as session:
            session.trust_env = False
            url = core.url + "/models/int8/inference?include_outputs=false"
            reply = session.post(url, data=body)
        if reply.status_code == 503:
            assert reply.json()["reason"] == "OVERLOADED"
            assert reply.headers["Retry-After"] == "1"
        return reply.status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(send, range(12)))
    assert set(statuses) == {200, 503}
    assert core.resources().rss_bytes < before.rss_bytes + 320 * MIB
    assert infer(core, "int8", "[[1]]").status_code == 200
