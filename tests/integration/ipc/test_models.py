# SPDX-License-Identifier: MIT
"""The collected models over IPC against ONNX Runtime, bit for bit. (ONNX's own node tests go
through every door in models/test_onnx_node.py.)"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.support.ipc import Client, IpcCore

pytestmark = pytest.mark.release_only

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
