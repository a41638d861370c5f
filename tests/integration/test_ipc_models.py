# SPDX-License-Identifier: MIT
"""Models over IPC against ONNX Runtime and against HTTP, bit for bit: the collected models, and
ONNX's own node tests with every dtype."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx.backend.test.case.model import TestCase
from onnx.backend.test.case.node import collect_testcases

from tests.support.ipc import Client, IpcCore

SHARDS = 4
_NUMPY = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16,
    "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}  # fmt: skip
# Sizes for dimensions that a graph leaves open, tried in turn.
_OPEN_SIZES = (1, 4, 16, 128)


@pytest.fixture
def core(tmp_path: Path) -> Iterator[IpcCore]:
    core = IpcCore(tmp_path / "core", "--intra-op-threads", "1").start()
    yield core
    core.stop()


def options() -> onnxruntime.SessionOptions:
    """One thread, as Core is started with, and no warnings."""
    made = onnxruntime.SessionOptions()
    made.intra_op_num_threads = 1
    made.log_severity_level = 4
    return made


def made_inputs(session: onnxruntime.InferenceSession, size: int) -> dict[str, np.ndarray]:
    """Small whole numbers in the shapes of a graph: they are good as ids, masks and pixels."""
    rng = np.random.default_rng(11)
    inputs = {}
    for value in session.get_inputs():
        shape = [dim if isinstance(dim, int) else size for dim in value.shape]
        inputs[value.name] = rng.integers(0, 2, shape).astype(_NUMPY[value.type])
    return inputs


def reference_run(graph: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]] | None:
    """Inputs that ONNX Runtime takes and its outputs, or None where none of ours suits."""
    session = onnxruntime.InferenceSession(str(graph), options(), ["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    for size in _OPEN_SIZES:
        try:
            inputs = made_inputs(session, size)
            return inputs, dict(zip(names, session.run(None, inputs), strict=True))
        except Exception:  # noqa: BLE001  another size, then
            continue
    return None


def regions_for(client: Client, arrays: dict[str, np.ndarray]):
    """The arrays in one input region, at multiples of 64 bytes."""
    region = client.input_region(sum(array.nbytes + 128 for array in arrays.values()) + 64)
    tensors, offset = {}, 0
    for name, array in arrays.items():
        tensors[name] = region.put(array, offset)
        offset += -(-array.nbytes // 64) * 64
    return tensors


@pytest.mark.limit(300)
def test_collected_models_give_onnx_runtimes_bits(models, core, record_property):
    compared = 0
    with Client(str(core.socket)) as client:
        for graph in sorted(models.rglob("*.onnx")):
            if graph.stat().st_size > 64 << 20:
                continue
            made = reference_run(graph)
            if made is None:
                continue
            inputs, expected = made
            name = f"m{compared}"
            assert core.register(name, graph).status_code == 200, graph
            inline = client.infer(name, inputs).outputs
            placed = client.infer(name, regions_for(client, inputs)).outputs
            for output, wanted in expected.items():
                for actual in (inline[output], placed[output]):
                    assert (actual.dtype, actual.shape) == (wanted.dtype, wanted.shape), graph
                    assert actual.tobytes() == wanted.tobytes(), f"{graph}: {output}"
            client.remove_model(name)
            compared += 1
    record_property("collected models over IPC, bit for bit", compared)
    assert compared >= 2


def is_text(array: np.ndarray) -> bool:
    return array.dtype.kind in "OUS" and all(isinstance(item, str) for item in array.ravel())


def sendable(values: list[object]) -> bool:
    """Whether every value is a tensor of one of the fourteen dtypes."""
    kinds = {"bfloat16", *(np.dtype(kind).name for kind in "?bBhHiIlLefd")}
    return all(
        isinstance(value, np.ndarray) and (value.dtype.name in kinds or is_text(value))
        for value in values
    )


def same_bits(actual: np.ndarray, expected: np.ndarray) -> bool:
    """Equal shape, dtype and bits; text by its elements."""
    if actual.shape != expected.shape:
        return False
    if is_text(expected):
        return actual.tolist() == expected.astype(object).tolist()
    return actual.dtype == expected.dtype and actual.tobytes() == expected.tobytes()


def run_reference(case: TestCase, inputs: list[np.ndarray]) -> list[np.ndarray] | None:
    """ONNX Runtime's outputs, or None where it refuses the case."""
    try:
        session = onnxruntime.InferenceSession(
            case.model.SerializeToString(), options(), providers=["CPUExecutionProvider"]
        )
        names = [value.name for value in session.get_inputs()]
        return session.run(None, dict(zip(names, inputs, strict=False)))
    except Exception:  # noqa: BLE001  whatever it refuses is not a case it passes
        return None


def outcome(case: TestCase, core: IpcCore, client: Client, folder: Path) -> str:
    """What became of a case: "equal", or why it was left out; AssertionError where Core differs."""
    inputs = list(case.data_sets[0][0])
    if not sendable(inputs) or not sendable(list(case.data_sets[0][1])):
        return "types that are no tensors"
    expected, again = run_reference(case, inputs), run_reference(case, inputs)
    if expected is None or again is None:
        return "not run by ONNX Runtime in Python"
    if not all(map(same_bits, again, expected)):
        return "random"
    graph = folder / f"{case.name}.onnx"
    graph.write_bytes(case.model.SerializeToString())
    client.register_model(case.name, graph)
    names = [value.name for value in case.model.graph.input]
    outputs = client.infer(case.name, dict(zip(names, inputs, strict=False))).outputs
    for value, wanted in zip(case.model.graph.output, expected, strict=True):
        assert same_bits(outputs[value.name], wanted), f"{case.name}: output {value.name} differs"
    client.remove_model(case.name)
    graph.unlink()
    return "equal"


def in_shard(case: TestCase, shard: int) -> bool:
    """Spreads the cases evenly, the same way on every machine."""
    return int(hashlib.sha256(case.name.encode()).hexdigest(), 16) % SHARDS == shard


@pytest.mark.limit(600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_node_test_that_onnx_runtime_runs(shard, core, tmp_path, record_property):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [case for case in collect_testcases() if in_shard(case, shard)]
    counts: Counter[str] = Counter()
    differences = []
    with Client(str(core.socket)) as client:
        for case in cases:
            try:
                counts[outcome(case, core, client, tmp_path)] += 1
            except Exception as error:  # noqa: BLE001  each is named at the end
                differences.append(f"{case.name}: {error}")
    for what, count in counts.items():
        record_property(f"ONNX node tests over IPC, {what}", count)
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(differences[:40])
    assert counts["equal"] > 250, counts
