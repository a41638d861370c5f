# SPDX-License-Identifier: MIT
"""/openapi.json is valid, and Core keeps to it whatever it is asked."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support import Core
from tests.support.graphs import scale

MODEL = "ns/echo@v1"


def test_the_document_is_valid(shared_core):
    reply = shared_core.get("/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    document = reply.json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def settings(examples: int, **more: object) -> hypothesis.settings:
    """The same requests in every run."""
    return hypothesis.settings(
        max_examples=examples, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(hypothesis.HealthCheck), **more,
    )  # fmt: skip


def excluded(response, *more: Callable) -> list[Callable]:
    """Checks that do not hold of an answer: what Core does not offer is a 501 that says so."""
    return [*more, *([not_a_server_error] if response.status_code == 501 else [])]


def ask_everything(schema, examples: int, *no_checks: Callable, **generation: object) -> int:
    """Sends requests to every operation, all answers checked; how many."""
    failures = []
    asked = 0
    for operation in schema.get_all_operations():
        operation = operation.ok()

        @settings(examples)
        @hypothesis.given(case=operation.as_strategy(**generation))
        def ask(case):
            nonlocal asked
            asked += 1
            response = case.call(timeout=30)
            case.validate_response(response, excluded_checks=excluded(response, *no_checks))

        try:
            ask()
        except Exception as error:  # noqa: BLE001  all operations are asked, then all is told
            failures.append(f"{operation.label}: {error}")
    assert not failures, f"{len(failures)} operations differ:\n" + "\n".join(failures)
    return asked


@pytest.mark.deep
@pytest.mark.limit(900)
def test_core_keeps_to_the_document(core, tmp_path):
    """Good and bad forms alike. Which of the good ones are accepted depends on more than their
    form: on files, models and their inputs; see below."""
    assert core.register(MODEL, scale(tmp_path / "e.onnx", 2.0)).status_code == 200
    schema = schemathesis.openapi.from_url(f"{core.url}/openapi.json")
    assert ask_everything(schema, 25, positive_data_acceptance) > 300
    assert core.get("/health").status_code == 200


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
    return narrow


@pytest.fixture
def narrow(core: Core, tmp_path: Path):
    """Core's document as it is for `MODEL`, which is registered."""
    graph = scale(tmp_path / "e.onnx", 2.0)
    assert core.register(MODEL, graph).status_code == 200
    document = known_here(core.get("/openapi.json").json(), graph)
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=core.url)
    return schema


@pytest.mark.deep
@pytest.mark.limit(600)
def test_what_the_document_allows_is_accepted(core, narrow):
    mode = schemathesis.GenerationMode.POSITIVE
    assert ask_everything(narrow, 15, generation_mode=mode) > 200
    assert core.get("/health").status_code == 200


@pytest.mark.deep
@pytest.mark.limit(900)
def test_what_follows_from_an_answer_works(narrow):
    """Along the links of the document: what was registered is there, runs, and is gone once it is
    removed."""
    machine = narrow.as_state_machine()

    class Links(machine):
        def validate_response(self, response, case, *_, **__):
            case.validate_response(response, excluded_checks=excluded(response))

    Links.run(settings=settings(30, stateful_step_count=12))
