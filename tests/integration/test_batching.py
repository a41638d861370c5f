# SPDX-License-Identifier: MIT
"""Requests that share a run: the answers are those of a run of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import helper, numpy_helper, save

from tests.support import graphs

WIDTH = 1536
CALLERS = 12


def wide(path: Path, axis: str = "batch") -> Path:
    """Writes two wide layers: reading their weights takes far longer than using them once."""
    rng = np.random.default_rng(7)
    weights = [
        numpy_helper.from_array((rng.random((WIDTH, WIDTH), np.float32) - 0.5) / 16, name)
        for name in ("a", "b")
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "b"], ["y"]),
    ]
    inputs, outputs = graphs.value("x", [axis, WIDTH]), graphs.value("y", [axis, WIDTH])
    save(graphs.model(nodes, [inputs], [outputs], weights), str(path))
    return path


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def ask_together(core, model_id: str, inputs: list[np.ndarray]) -> list[np.ndarray]:
    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(lambda x: core.infer(model_id, {"x": x})["y"], inputs))


@pytest.fixture
def path(tmp_path) -> Path:
    return wide(tmp_path / "wide.onnx")


def test_answers_of_shared_runs_are_each_callers_own(core, path):
    assert core.register("wide", path).status_code == 200
    rng = np.random.default_rng(3)
    inputs = [rng.random((1 + n % 3, WIDTH), np.float32) for n in range(20 * CALLERS)]
    answers = ask_together(core, "wide", inputs)
    own = session(path)
    for x, y in zip(inputs, answers, strict=True):
        np.testing.assert_allclose(y, own.run(None, {"x": x})[0], rtol=1e-5, atol=1e-5)
    assert 'batching tried model="wide" requests_differ="yes" answers_equal="yes"' in core.log()


def test_a_batch_of_one_caller_is_onnx_runtimes_own_bit_for_bit(core, path):
    assert core.register("wide", path).status_code == 200
    x = np.random.default_rng(5).random((16, WIDTH), np.float32)
    own = session(path).run(None, {"x": x})[0]
    np.testing.assert_array_equal(core.infer("wide", {"x": x})["y"], own)


@pytest.mark.parametrize(
    ("axis", "fields", "tried"),
    [
        ("sequence", {}, False),  # merging would join sequences
        ("batch", {"max_batch_size": 1}, False),
        ("sequence", {"max_batch_size": 8}, True),
    ],
)
def test_it_is_on_by_default_only_where_a_batch_is_named(core, tmp_path, axis, fields, tried):
    path = wide(tmp_path / "wide.onnx", axis)
    assert core.register("wide", path, **fields).status_code == 200
    info = core.get("/models/wide").json()
    assert info["max_batch_size"] == fields.get("max_batch_size", 0)
    x = np.ones((1, WIDTH), np.float32)
    ask_together(core, "wide", [x] * (5 * CALLERS))
    assert ("batching tried" in core.log()) == tried


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("max_batch_size", -1, "VALUE_OUT_OF_RANGE"),
        ("max_batch_size", 1 << 40, "VALUE_OUT_OF_RANGE"),
        ("preferred_batch_size", "8", "INVALID_FIELD"),
        ("max_queue_delay_us", 2_000_000, "VALUE_OUT_OF_RANGE"),
        ("max_queue_delay_us", 1 << 63, "INVALID_FIELD"),
    ],
)
def test_settings_out_of_range_are_refused(core, tmp_path, field, value, reason):
    reply = core.register("m", graphs.scale(tmp_path / "m.onnx"), **{field: value})
    error = reply.json()
    assert (reply.status_code, error["reason"], error["field"]) == (400, reason, field)
    assert core.get("/models").json()["models"] == []
