# SPDX-License-Identifier: MIT
"""What the tests of /openapi.json ask Core with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import hypothesis
from schemathesis.checks import not_a_server_error

MODEL = "ns/echo@v1"


def settings(examples: int) -> hypothesis.settings:
    """The same requests in every run."""
    return hypothesis.settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip


def excluded(response, *more: Callable) -> list[Callable]:
    """Checks that do not hold of an answer: what Core does not offer is a 501 that says so."""
    return [*more, *([not_a_server_error] if response.status_code == 501 else [])]


def known_here(document: dict, graph: Path) -> dict:
    """The document of a Core on which only `MODEL` may be registered: what a form cannot tell,
    which files and models there are and what they take, is put in its place."""
    narrow = copy.deepcopy(document)
    schemas, parameters = (narrow["components"][kind] for kind in ("schemas", "parameters"))
    parameters["ModelId"]["schema"] = {"const": MODEL}
    parameters["ModelName"]["schema"] = {"enum": [MODEL, "ns/echo", "ns--echo", "ns--echo@v1"]}
    parameters["Version"]["schema"] = {"const": "v1"}
    parameters["Timeout"]["schema"] = {"type": "integer", "minimum": 20_000, "maximum": 60_000}
    del parameters["HeaderLength"]["schema"]["minimum"]
    register = schemas["RegisterModel"]["properties"]
    for name in ("manifest_path", "plugin_id", "framework", "execution_format"):
        del register[name]
    register["model_id"] = {"const": MODEL}
    register["path"] = {"const": str(graph)}
    register["options"] = {"enum": [None, {}]}  # ONNX Runtime's plugin has none
    register["intra_op_threads"] = {"enum": [None, 0, 1, 2]}  # no more than the machine has
    register["state_pairs"] = {"enum": [None, {}]}  # the graph carries none
    schemas["RegisterModel"]["additionalProperties"] = False
    values = {"type": "array", "items": {"type": "number", "minimum": -1e6, "maximum": 1e6}}
    whole = {"type": "object", "additionalProperties": False, "required": ["x"]}
    schemas["Inputs"] = whole | {"properties": {"x": values | {"minItems": 1}}}
    schemas["Generate"] = schemas["Inputs"]
    tensor = {"name": {"const": "x"}, "datatype": {"const": "FP32"}, "shape": {"const": [2]}}
    tensor["data"] = values | {"minItems": 2, "maxItems": 2}
    schemas["OipInput"] = whole | {"properties": tensor, "required": list(tensor)}
    inputs = schemas["OipInputs"]
    inputs["properties"] = {"id": {"type": "string", "maxLength": 40}}
    one = {"type": "array", "items": schemas["OipInput"], "minItems": 1, "maxItems": 1}
    inputs["properties"]["inputs"] = one
    inputs["additionalProperties"] = False
    schemas["OipParameters"] = {"type": "object", "additionalProperties": False}
    schemas["RegisterPlugin"]["properties"] = {"id": {"const": "onnx"}}
    schemas["RegisterPlugin"]["additionalProperties"] = False
    for path in narrow["paths"].values():
        content = path.get("post", {}).get("requestBody", {}).get("content", {})
        # The tensors in it are not told by a schema.
        content.pop("application/octet-stream", None)
        parts = path.get("post", {}).get("parameters", [])
        parts[:] = [part for part in parts if not str(part.get("$ref")).endswith("HeaderLength")]
        for part in parts:  # the model keeps no state
            if part.get("name") == "sequence_id":
                part["schema"] = {"enum": ["", "0"]}
            elif part.get("name") in ("sequence_start", "sequence_end"):
                part["schema"] = {"enum": ["false", "0"]}
    return narrow
