# SPDX-License-Identifier: MIT
"""The comparison every parity test relies on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.support import from_reply, max_difference, oip, to_json
from tests.support.tensors import BFLOAT16


def reply(name: str, dtype: str, shape: list[int], values: object) -> dict:
    return {"outputs": {name: values}, "dtypes": {name: dtype}, "shapes": {name: shape}}


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.5, np.nan], [np.inf, -np.inf]], dtype=np.float32),
        np.array([2**63 - 1, -(2**63)], dtype=np.int64),
        np.array([[True], [False]]),
        np.array(3, dtype=np.uint8),
        np.zeros((0, 4), dtype=np.float64),
        np.array([0.1, 65504], dtype=np.float16),
        np.array([0.1, np.nan, -np.inf, -0.0, 3e38], dtype=BFLOAT16),
    ],
)
def test_arrays_survive_the_way_there_and_back(array):
    values = json.loads(json.dumps(to_json(array), allow_nan=False))
    back = from_reply(reply("y", str(array.dtype), list(array.shape), values))
    assert back["y"].dtype == array.dtype
    assert max_difference(back, {"y": array}) == 0


def test_strings_and_bfloat16_come_back():
    words = from_reply(reply("y", "string", [2], ["a", "ü"]))["y"]
    assert words.tolist() == ["a", "ü"]
    brief = from_reply(reply("y", "bfloat16", [1], [1.5]))["y"]
    assert (str(brief.dtype), float(brief[0])) == ("bfloat16", 1.5)


def test_bfloat16_is_bf16_in_the_protocol():
    array = np.array([[0.1, np.nan, -np.inf]], dtype=BFLOAT16)
    body, headers = oip.binary_body({"x": array})
    assert b'"datatype": "BF16"' in body
    raw = oip.from_bytes(body[int(headers[oip.LENGTH]) :], "BF16")
    assert (raw.dtype, raw.tobytes()) == (BFLOAT16, array.tobytes())
    tensor = json.loads(oip.json_body({"x": array}))["inputs"][0]
    back = oip.from_reply(json.dumps({"outputs": [tensor]}).encode(), None)["x"]
    assert max_difference({"x": back}, {"x": array}) == 0


def test_values_that_do_not_fill_the_shape_are_refused():
    with pytest.raises(ValueError, match="reshape"):
        from_reply(reply("y", "float32", [2, 2], [1, 2, 3]))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (np.array([1, 2.25, np.nan]), 0.25),
        (np.array([1, 2, 3.0]), np.inf),
        (np.array([1, np.inf, np.nan]), np.inf),
        (np.array([[1, 2, np.nan]]), np.inf),
        (np.array([1, 2, np.nan], dtype=np.float32), np.inf),
    ],
)
def test_max_difference(other, expected):
    assert max_difference({"y": other}, {"y": np.array([1, 2, np.nan])}) == expected


def test_max_difference_wants_the_same_names():
    assert max_difference({"a": np.zeros(1)}, {"b": np.zeros(1)}) == np.inf
