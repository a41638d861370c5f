# SPDX-License-Identifier: MIT
"""Arrays as they travel. numpy's bytes are the protocol's; strings are lengths and UTF-8."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from mlos.client import wire

STRING = 8
_NAMES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64",
    9: "bool", 10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 16: "bfloat16",
}  # fmt: skip
_NUMBERS = {name: number for number, name in _NAMES.items()}
_LENGTH = struct.Struct("<I")


def dtype_number(array: np.ndarray) -> int:
    """The protocol's number of an array's dtype. TypeError for one that cannot travel."""
    if array.dtype.kind in "OUS":
        return STRING
    try:
        return _NUMBERS[array.dtype.name]
    except KeyError:
        raise TypeError(f"arrays of {array.dtype} cannot be sent") from None


def dtype_of(number: int) -> np.dtype:
    """numpy's dtype; bfloat16 needs ml_dtypes, and comes as its bits (uint16) without it."""
    name = _NAMES[number]
    if name != "bfloat16":
        return np.dtype(name).newbyteorder("<")
    try:
        import ml_dtypes
    except ImportError:
        return np.dtype("<u2")
    return np.dtype(ml_dtypes.bfloat16)


def encode(array: np.ndarray) -> tuple[int, memoryview | bytes]:
    """The dtype's number and the bytes of an array, without a copy where it lies in order."""
    number = dtype_number(array)
    if number == STRING:
        return number, encode_strings(array.ravel().tolist())
    array = np.ascontiguousarray(array)
    return number, array.reshape(-1).view(np.uint8).data if array.size else b""


def encode_strings(values: Iterable[str | bytes]) -> bytes:
    """Each element as its length and its bytes."""
    parts = []
    for value in values:
        data = value if isinstance(value, bytes) else str(value).encode()
        parts += (_LENGTH.pack(len(data)), data)
    return b"".join(parts)


def decode(number: int, shape: tuple[int, ...], data: memoryview) -> np.ndarray:
    """An array over `data`; of strings, one of `str` objects (`bytes` where it is no UTF-8)."""
    if number == STRING:
        return _strings(shape, data)
    return np.frombuffer(data, dtype=dtype_of(number)).reshape(shape)


def _strings(shape: tuple[int, ...], data: memoryview) -> np.ndarray:
    values, position = [], 0
    while position < len(data):
        (size,) = _LENGTH.unpack_from(data, position)
        position += _LENGTH.size
        value = bytes(data[position : position + size])
        position += size
        try:
            values.append(value.decode())
        except UnicodeDecodeError:
            values.append(value)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array.reshape(shape)


def entry(name: str, number: int, shape: tuple[int, ...], place: tuple[int, int, int]) -> bytes:
    """What a frame says of one tensor; `place` is region, offset and size."""
    text = name.encode()
    head = wire.ENTRY.pack(len(text), number, len(shape), *place)
    return head + struct.pack(f"<{len(shape)}q", *shape) + wire.text(text)
