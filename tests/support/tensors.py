# SPDX-License-Identifier: MIT
"""Arrays to JSON and back, with NaN, infinities and every dtype numpy has a name for."""

from __future__ import annotations

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

_SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def to_json(array: np.ndarray) -> object:
    """Nested lists as Core takes them: NaN and infinities as strings, bytes as text."""
    array = np.asarray(array)
    if array.dtype == BFLOAT16:
        array = array.astype(np.float32)  # which has each of its values
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _with_strings(array.tolist())
    return array.tolist()


def from_reply(reply: dict) -> dict[str, np.ndarray]:
    """The outputs of an inference reply, as arrays of the dtype and shape it states.

    Raises ValueError where the values do not fill the shape."""
    return {
        name: _array(values, reply["dtypes"][name], reply["shapes"][name])
        for name, values in reply["outputs"].items()
    }


def numpy_dtype(name: str) -> np.dtype:
    """The dtype that Core calls by this name: numpy's own, or bfloat16, which numpy lacks."""
    return BFLOAT16 if name == "bfloat16" else np.dtype(name)


def is_float(dtype: np.dtype) -> bool:
    """Whether it has NaN and infinities."""
    return dtype.kind == "f" or dtype == BFLOAT16


def max_difference(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> float:
    """The largest absolute difference over all outputs: 0 for equal ones, infinity where names,
    shapes, dtypes, text or the places of NaN differ."""
    if set(actual) != set(expected):
        return float("inf")
    pairs = [(actual[name], expected[name]) for name in expected]
    return max((_difference(a, b) for a, b in pairs), default=0.0)


def _difference(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape or a.dtype != b.dtype:
        return float("inf")
    if a.dtype.kind in "OUSb":
        return 0.0 if (a == b).all() else float("inf")
    wide_a, wide_b = a.astype(np.longdouble), b.astype(np.longdouble)
    same = (wide_a == wide_b) | (np.isnan(wide_a) & np.isnan(wide_b))
    apart = np.abs(wide_a[~same] - wide_b[~same])
    if apart.size == 0:
        return 0.0
    return float("inf") if np.isnan(apart).any() else float(apart.max())


def _array(values: object, dtype: str, shape: list[int]) -> np.ndarray:
    if dtype == "string":
        return np.array(values, dtype=object).reshape(shape)
    return np.array(_without_strings(values), dtype=numpy_dtype(dtype)).reshape(shape)


def _with_strings(value: object) -> object:
    if isinstance(value, list):
        return [_with_strings(item) for item in value]
    if value != value:
        return "NaN"
    return {np.inf: "Infinity", -np.inf: "-Infinity"}.get(value, value)


def _without_strings(value: object) -> object:
    if isinstance(value, list):
        return [_without_strings(item) for item in value]
    return _SPECIAL.get(value, value) if isinstance(value, str) else value
