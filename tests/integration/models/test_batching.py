# SPDX-License-Identifier: MIT
"""Requests that share a run: the answers are those of a run of their own."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import helper, numpy_helper, save

from tests.support import graphs, oip

WIDTH = 1535
CALLERS = 12
ITEMS_MAX = 32  # --max-batch-size


def wide(path: Path, axis: str = "batch", last: list | None = None) -> Path:
    """Writes two wide layers. Between them is an operator whose last bits depend on where in a
    batch of odd width an element lies. `last` are the nodes from there ("h") to the output ("y"),
    if any. Before them is what takes the same time for any batch: so merging pays on every machine,
    and none is so fast that Core runs a request at once rather than let others join it."""
    rng = np.random.default_rng(7)
    weights = [
        numpy_helper.from_array((rng.random((WIDTH, WIDTH), np.float32) - 0.5) / 16, name)
        for name in ("a", "b")
    ]
    nodes = [
        *graphs.busy(40),
        helper.make_node("MatMul", ["x", "a"], ["f"]),
        helper.make_node("Add", ["f", "nought"], ["g"]),
        helper.make_node("Softplus", ["g"], ["r"]),
        helper.make_node("MatMul", ["r", "b"], ["h"]),
        *(last or [helper.make_node("Identity", ["h"], ["y"])]),
    ]
    inputs, outputs = graphs.value("x", [axis, WIDTH]), graphs.value("y", [axis, WIDTH])
    save(graphs.model(nodes, [inputs], [outputs], weights), str(path))
    return path


def less_the_mean(path: Path) -> Path:
    """Writes a graph that takes the mean over the batch from each item."""
    last = [
        helper.make_node("ReduceMean", ["h"], ["m"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["h", "m"], ["d"]),
        helper.make_node("Add", ["d", "x"], ["y"]),
    ]
    return wide(path, last=last)


def int8(path: Path) -> Path:
    """Writes a graph whose activations are quantized by the range of the whole batch."""
    last = [
        helper.make_node("DynamicQuantizeLinear", ["h"], ["q", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    return wide(path, last=last)


def session(path: Path) -> onnxruntime.InferenceSession:
    """ONNX Runtime with as many threads as Core gives it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def ask(core, x: np.ndarray) -> np.ndarray:
    body, headers = oip.binary_body({"x": x})
    reply = core.post("/v2/models/wide/infer", data=body, headers=headers)
    assert reply.status_code == 200, reply.text
    size = int(reply.headers[oip.LENGTH])
    return np.frombuffer(reply.content[size:], np.float32).reshape(x.shape)


def ask_together(core, inputs: list[np.ndarray]) -> list[np.ndarray]:
    with ThreadPoolExecutor(CALLERS) as callers:
        return list(callers.map(lambda x: ask(core, x), inputs))


def trust(core, requests: list[np.ndarray], log: str = "") -> None:
    """Asks until the requests share runs: trials that seem not to pay, for other work on the
    machine, are made again."""
    for _ in range(500):
        ask_together(core, requests)
        if re.search(rf'batching tried .*{log}.*batching="on"', core.log()):
            return
    raise AssertionError("requests never shared a run:\n" + core.log())


def assert_own(path: Path, inputs: list[np.ndarray], answers: list[np.ndarray]) -> None:
    """Each answer is that of a run of its own, but for rounding."""
    own = session(path)
    for x, y in zip(inputs, answers, strict=True):
        np.testing.assert_allclose(y, own.run(None, {"x": x})[0], rtol=0, atol=1e-5)


def random_inputs(count: int, seed: int = 3) -> list[np.ndarray]:
    """Requests of one to three items."""
    rng = np.random.default_rng(seed)
    return [rng.random((1 + n % 3, WIDTH), np.float32) for n in range(count)]


def runs(core) -> Counter:
    """How many runs of so many items there were."""
    (stats,) = core.get("/v2/models/wide/stats").json()["model_stats"]
    sizes = {b["batch_size"]: b["compute_infer"]["count"] for b in stats["batch_stats"]}
    assert stats["execution_count"] == sum(sizes.values())
    assert stats["inference_count"] == sum(size * count for size, count in sizes.items())
    return Counter(sizes)


def ask_behind(core, first: np.ndarray, rest: list[np.ndarray]) -> list[np.ndarray]:
    """The answers to `rest`, sent one after the other, each once that before it is in Core. They
    are there together where all of them came while `first` was run; `runs` tells."""

    def submit(callers: ThreadPoolExecutor, x: np.ndarray, before: int) -> Future:
        future = callers.submit(ask, core, x)
        while core.in_flight() <= before and not future.done():
            time.sleep(0.001)
        return future

    with ThreadPoolExecutor(1 + len(rest)) as callers:
        submit(callers, first, 0)
        return [f.result() for f in [submit(callers, x, n) for n, x in enumerate(rest, 1)]]


@pytest.fixture
def path(tmp_path) -> Path:
    return wide(tmp_path / "wide.onnx")


def test_answers_of_shared_runs_are_each_callers_own(core, path):
    assert core.register("wide", path).status_code == 200
    inputs = random_inputs(5 * CALLERS)
    trust(core, inputs)
    before = runs(core)
    assert_own(path, inputs, ask_together(core, inputs))
    shared = runs(core) - before
    assert sum(size * count for size, count in shared.items()) == sum(len(x) for x in inputs)
    assert sum(shared.values()) < len(inputs)


def test_a_shared_run_is_onnx_runtimes_own_of_that_batch_bit_for_bit(core, path):
    assert core.register("wide", path).status_code == 200
    trust(core, random_inputs(5 * CALLERS))
    long_run = np.ones((1024, WIDTH), np.float32)  # too many items to share a run
    parts = random_inputs(8, seed=11)
    items = sum(len(x) for x in parts)
    assert items < ITEMS_MAX
    for _ in range(50):  # until they came in time
        before = runs(core)
        answers = ask_behind(core, long_run, parts)
        if runs(core) - before == Counter({len(long_run): 1, items: 1}):
            break
    else:
        raise AssertionError(f"the requests never shared one run: {runs(core)}")
    own = session(path).run(None, {"x": np.concatenate(parts)})[0]
    assert np.concatenate(answers).tobytes() == own.tobytes()
    assert_own(path, parts, answers)


def test_callers_who_ask_the_same_say_nothing_of_those_who_do_not(core, tmp_path):
    path = less_the_mean(tmp_path / "mean.onnx")
    assert core.register("wide", path).status_code == 200
    trust(core, random_inputs(1) * (5 * CALLERS))  # whose mean is their own
    off = r'requests_differ="yes" answers_equal="no" .*batching="off"'
    for _ in range(100):
        inputs = random_inputs(5 * CALLERS)
        assert_own(path, inputs, ask_together(core, inputs))
        if re.search(off, core.log()):
            break
    assert re.search(off, core.log())


@pytest.mark.parametrize("fields", [{}, {"max_batch_size": 8}])
def test_a_graph_that_quantizes_by_the_whole_batch_is_not_even_tried(core, tmp_path, fields):
    path = int8(tmp_path / "int8.onnx")
    assert core.register("wide", path, **fields).status_code == 200
    assert 'operator="DynamicQuantizeLinear"' in core.log()
    inputs = random_inputs(5 * CALLERS)
    assert_own(path, inputs, ask_together(core, inputs))
    assert "batching tried" not in core.log()


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
    for _ in range(100 if tried else 1):
        ask_together(core, [x] * (5 * CALLERS))
        if "batching tried" in core.log():
            break
    assert ("batching tried" in core.log()) == tried
