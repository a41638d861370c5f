# SPDX-License-Identifier: MIT
"""Request bodies of one array, in the forms that the servers take."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Body:
    """A file with a body; `json_bytes` is the length of its JSON where tensors follow, else 0."""
    path: Path
    json_bytes: int = 0

    def read(self):
        """Its bytes."""
        return self.path.read_bytes()


def _text(value):
    return json.dumps(value, separators=(",", ":"))


def _numbers(array):
    return [float(f"{value:.7g}") for value in array.ravel()]


def _written(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def own_json(folder, name, array):
    """What Core's own API takes: {"x": [numbers]}."""
    return Body(_written(folder / f"{name}.own.json", _text({"x": _numbers(array)}).encode()))


def oip_json(folder, name, array):
    """The Open Inference Protocol, all of it JSON."""
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32",
              "data": _numbers(array)}
    return Body(_written(folder / f"{name}.oip.json", _text({"inputs": [tensor]}).encode()))


def oip_binary(folder, name, array):
    """The Open Inference Protocol, tensors as bytes in both directions."""
    tensor = {"name": "x", "shape": list(array.shape), "datatype": "FP32",
              "parameters": {"binary_data_size": array.nbytes}}
    head = _text({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return Body(_written(folder / f"{name}.oip.bin", head + array.tobytes()), len(head))
