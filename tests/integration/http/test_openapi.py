# SPDX-License-Identifier: MIT
"""/openapi.json is valid, and Core keeps to it whatever it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support import Core, paths
from tests.support.graphs import scale
from tests.support.openapi import MODEL, excluded, known_here, settings


def test_the_document_is_valid(shared_core):
    reply = shared_core.get("/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    document = reply.json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_nothing_of_the_first_document_has_changed(shared_core):
    """A client that was made from it finds every operation, parameter and property as it was."""
    first = json.loads((paths.ROOT / "tests/abi/first/openapi.json").read_text())
    assert changes(first, shared_core.get("/openapi.json").json()) == []


# What a client may be told anew.
TEXTS = {"description", "summary", "example", "examples", "tags"}
# Schemas of what only clients send: more may be taken than before.
SENT = {"OipInput", "OipInputs", "OipParameters", "OipIndexRequest", "Generate"}


def changes(old: object, new: object, where: str = "") -> list[str]:
    """What of `old` is not in `new`. Objects and lists may have more, what is required may not."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = [f"{where}/{key} is gone" for key in old.keys() - new.keys() - TEXTS]
        if required(new) > required(old):
            found.append(f"{where} requires more")
        for key in (old.keys() & new.keys()) - TEXTS:
            found += changes(old[key], new[key], f"{where}/{key}")
        return found
    if isinstance(old, list) and isinstance(new, list):
        return [
            f"{where}/{number} is gone: {one}"
            for number, one in enumerate(old)
            if all(changes(one, other) for other in new)
        ]
    widened = isinstance(new, list) and old in new
    if widened and where.endswith("/type") and SENT & set(where.split("/")):
        return []
    return [] if old == new else [f"{where} is {new!r}, not {old!r}"]


def required(schema: dict) -> set[str]:
    """The properties that it requires; the body and a parameter say `required` of themselves."""
    names = schema.get("required", [])
    return set(names) if isinstance(names, list) else {"itself"} if names else set()


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
