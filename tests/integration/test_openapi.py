# SPDX-License-Identifier: MIT
"""/openapi.json is valid, and Core keeps to it whatever it is asked."""

from __future__ import annotations

import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.graphs import scale


def test_the_document_is_valid(shared_core):
    reply = shared_core.get("/openapi.json")
    assert reply.headers["Content-Type"] == "application/json"
    document = reply.json()
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


# Which requests are good depends on more than their form: on files, models and their inputs.
NOT_TOLD_BY_FORM = [positive_data_acceptance]


@pytest.mark.deep
@pytest.mark.limit(900)
def test_core_keeps_to_the_document(core, tmp_path):
    assert core.register("ns/echo@v1", scale(tmp_path / "e.onnx", 2.0)).status_code == 200
    schema = schemathesis.openapi.from_url(f"{core.url}/openapi.json")
    failures = []
    asked = 0
    for operation in schema.get_all_operations():
        operation = operation.ok()

        @hypothesis.settings(
            max_examples=25, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def ask(case):
            nonlocal asked
            asked += 1
            response = case.call(timeout=30)
            excluded = list(NOT_TOLD_BY_FORM)
            # What is refused as such says so.
            if response.status_code == 501:
                excluded.append(not_a_server_error)
            case.validate_response(response, excluded_checks=excluded)

        try:
            ask()
        except Exception as error:  # noqa: BLE001  all operations are asked, then all is told
            failures.append(f"{operation.label}: {error}")
    assert not failures, f"{len(failures)} operations differ:\n" + "\n".join(failures)
    assert asked > 300
    assert core.get("/health").status_code == 200
