# SPDX-License-Identifier: MIT
"""Triton's generate extension: inputs and outputs by name."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper, save

from tests.support.graphs import model, value


@pytest.fixture(scope="module")
def served(shared_core, tmp_path_factory):
    """Core with `ns/text@v1`, which gives text and numbers back."""
    nodes = [
        helper.make_node("Identity", ["text_input"], ["text_output"]),
        helper.make_node("Identity", ["numbers"], ["same"]),
    ]
    into = [value("text_input", [1], TensorProto.STRING), value("numbers", ["N"])]
    out = [value("text_output", [1], TensorProto.STRING), value("same", ["N"])]
    path = tmp_path_factory.mktemp("m") / "text.onnx"
    save(model(nodes, into, out), str(path))
    assert shared_core.register("ns/text@v1", path).status_code == 200
    return shared_core


@pytest.mark.parametrize(
    "path", ["ns%2Ftext@v1/generate", "ns--text/generate", "ns/text/versions/v1/generate"]
)
def test_values_by_name(served, path):
    body = {"text_input": "häl\"lo", "numbers": [1, 2.5], "id": "9", "stream": False,
            "parameters": {"max_tokens": 20, "temperature": 0.5}}  # fmt: skip
    reply = served.post(f"/v2/models/{path}", json=body)
    assert (reply.status_code, reply.json()) == (200, {
        "id": "9", "model_name": "ns/text@v1", "model_version": "v1",
        "text_output": "häl\"lo", "same": [1, 2.5],
    })  # fmt: skip
    lone = served.post(f"/v2/models/{path}", json={"text_input": ["a"], "numbers": 3}).json()
    assert (lone["text_output"], lone["same"]) == ("a", 3)


BODIES = {
    "an array": (b"[]", "MALFORMED_JSON", ""),
    "a number for text": (b'{"text_input": 1, "numbers": 1}', "DTYPE_MISMATCH", "text_input"),
    "two texts": (b'{"text_input": ["a", "b"], "numbers": 1}', "SHAPE_MISMATCH", "text_input"),
    "no text": (b'{"numbers": 1}', "MISSING_INPUT", "text_input"),
    "an object that is no input": (b'{"other": {}}', "INVALID_FIELD", "other"),
    "a deep parameter": (b'{"parameters": {"a": []}}', "INVALID_FIELD", "parameters.a"),
    "a text twice": (b'{"numbers": 1, "numbers": 1}', "INVALID_FIELD", "numbers"),
    "two documents": (b'{"text_input": "a", "numbers": 1} {}', "MALFORMED_JSON", ""),
}


@pytest.mark.parametrize("what", BODIES)
def test_bad_bodies(served, what):
    body, reason, field = BODIES[what]
    reply = served.post("/v2/models/ns--text/generate", data=body)
    error = reply.json()
    assert (reply.status_code, error["reason"], error["field"]) == (400, reason, field), error


def test_streams_are_refused(served):
    reply = served.post("/v2/models/ns--text/generate_stream", json={"text_input": "a"})
    assert (reply.status_code, reply.json()["reason"]) == (501, "UNIMPLEMENTED")
