# SPDX-License-Identifier: MIT
"""Bodies of the Open Inference Protocol v2 from arrays, and arrays from its replies: written out
here, so that tests need not believe a client library."""

from __future__ import annotations

import json
import struct

import numpy as np

from tests.support.tensors import BFLOAT16, to_json

LENGTH = "Inference-Header-Content-Length"

_SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def datatype(array: np.ndarray) -> str:
    """The protocol's name of an array's dtype; "BYTES" for text and bytes."""
    if array.dtype.kind in "OUS":
        return "BYTES"
    if array.dtype == BFLOAT16:
        return "BF16"
    return array.dtype.name.upper().replace("FLOAT", "FP")


def json_body(inputs: dict[str, np.ndarray], **members: object) -> bytes:
    """A request whose data is JSON."""
    tensors = [
        {**_described(name, array), "data": to_json(np.asarray(array).ravel())}
        for name, array in inputs.items()
    ]
    return json.dumps({"inputs": tensors, **members}).encode()


def binary_body(inputs: dict[str, np.ndarray], **members: object) -> tuple[bytes, dict[str, str]]:
    """A request whose data is binary and asks for the same, and the header it needs."""
    pieces = [to_bytes(np.asarray(array)) for array in inputs.values()]
    tensors = [
        {**_described(name, array), "parameters": {"binary_data_size": len(piece)}}
        for (name, array), piece in zip(inputs.items(), pieces, strict=True)
    ]
    parameters = {"binary_data_output": True, **members.pop("parameters", {})}
    text = json.dumps({"inputs": tensors, "parameters": parameters, **members}).encode()
    return b"".join([text, *pieces]), {LENGTH: str(len(text))}


def to_bytes(array: np.ndarray) -> bytes:
    """An array as the binary extension has it."""
    if datatype(array) != "BYTES":
        return array.tobytes()
    texts = [item if isinstance(item, bytes) else str(item).encode() for item in array.ravel()]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def from_bytes(data: bytes, name: str) -> np.ndarray:
    """A flat array of what `to_bytes` wrote; strings are `str`."""
    if name != "BYTES":
        return np.frombuffer(data, _numpy_dtype(name))
    texts = []
    while data:
        (size,) = struct.unpack_from("<I", data)
        texts.append(data[4 : 4 + size].decode())
        data = data[4 + size :]
    return np.array(texts, dtype=object)


def from_reply(content: bytes, header_length: str | None) -> dict[str, np.ndarray]:
    """The outputs of a reply, as arrays of the datatype and shape it states; strings are `str`.

    Raises ValueError where the values do not fill the shape, or bytes are left."""
    length = len(content) if header_length is None else int(header_length)
    reply, rest = json.loads(content[:length]), content[length:]
    outputs = {}
    for output in reply["outputs"]:
        if "data" in output:
            array = _from_list(output["data"], output["datatype"])
        else:
            size = output["parameters"]["binary_data_size"]
            array, rest = from_bytes(rest[:size], output["datatype"]), rest[size:]
        outputs[output["name"]] = array.reshape(output["shape"])
    if rest:
        raise ValueError(f"{len(rest)} bytes behind the last output")
    return outputs


def _described(name: str, array: np.ndarray) -> dict[str, object]:
    array = np.asarray(array)
    return {"name": name, "shape": list(array.shape), "datatype": datatype(array)}


def _numpy_dtype(name: str) -> np.dtype:
    return BFLOAT16 if name == "BF16" else np.dtype(name.lower().replace("fp", "float"))


def _from_list(data: list, name: str) -> np.ndarray:
    if name == "BYTES":
        return np.array(data, dtype=object)
    return np.array([_SPECIAL.get(x, x) if isinstance(x, str) else x for x in data],
                    dtype=_numpy_dtype(name))  # fmt: skip
