# SPDX-License-Identifier: MIT
"""ONNX's own node tests through Core: every case that ONNX Runtime passes in Python gives the same
bits through each door, where it can carry the types. A model is registered once and asked through
all of them."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx.backend.test.case.model import TestCase
from onnx.backend.test.case.node import collect_testcases

from tests.support import Core, oip
from tests.support.tensors import from_reply, to_json

SHARDS = 4

# What a request and a reply can carry; numpy has no bfloat16 to compare with.
CARRIED = {
    np.dtype(name)
    for name in (
        "float16", "float32", "float64", "bool", "int8", "int16", "int32", "int64",
        "uint8", "uint16", "uint32", "uint64",
    )
}  # fmt: skip


def ask_core(core: Core, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """POST /models/{id}/inference."""
    body = {
        key: {"shape": list(array.shape), "data": to_json(array.ravel())}
        for key, array in inputs.items()
    }
    reply = core.post(core.model_path(name, "inference"), json=body)
    assert reply.status_code == 200, f"{name}: {reply.text[:500]}"
    return from_reply(reply.json())


def ask_oip(core: Core, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """POST /v2/models/{id}/infer, numbers and text in JSON."""
    reply = core.post(f"/v2/models/{name}/infer", data=oip.json_body(inputs))
    assert reply.status_code == 200, f"{name}: {reply.text[:500]}"
    return oip.from_reply(reply.content, reply.headers.get(oip.LENGTH))


def ask_oip_binary(core: Core, name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same in binary, both ways."""
    body, headers = oip.binary_body(inputs)
    reply = core.post(f"/v2/models/{name}/infer", data=body, headers=headers)
    assert reply.status_code == 200, f"{name}: {reply.content[:500]}"
    return oip.from_reply(reply.content, reply.headers.get(oip.LENGTH))


DOORS = {"JSON": ask_core, "OIP JSON": ask_oip, "OIP binary": ask_oip_binary}


def carried(values: list[object]) -> bool:
    """Whether every value is a tensor of a dtype that JSON can carry."""
    return all(
        isinstance(value, np.ndarray) and (value.dtype in CARRIED or is_text(value))
        for value in values
    )


def is_text(array: np.ndarray) -> bool:
    """Whether a tensor holds strings."""
    return array.dtype.kind in "OUS" and all(isinstance(item, str) for item in array.ravel())


def same_bits(actual: np.ndarray, expected: np.ndarray) -> bool:
    """Equal shape, dtype and bits; any NaN equals any NaN."""
    if actual.shape != expected.shape:
        return False
    if is_text(expected):
        return actual.astype(object).tolist() == expected.astype(object).tolist()
    if actual.dtype != expected.dtype:
        return False
    if expected.dtype.kind != "f":
        return actual.tobytes() == expected.tobytes()
    unsigned = np.dtype(f"u{expected.dtype.itemsize}")
    equal = actual.view(unsigned) == expected.view(unsigned) if actual.size else np.True_
    return bool(np.all(equal | (np.isnan(actual) & np.isnan(expected))))


def run_reference(case: TestCase, inputs: list[object]) -> list[object] | None:
    """ONNX Runtime's outputs, or None where it refuses the case."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            case.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        names = [value.name for value in session.get_inputs()]
        return session.run(None, dict(zip(names, inputs, strict=False)))
    except Exception:  # noqa: BLE001  whatever it refuses is not a case it passes
        return None


def passes(case: TestCase, outputs: list[object], expected: list[object]) -> bool:
    """Whether the outputs are what ONNX says, within the case's tolerance."""
    try:
        for actual, wanted in zip(outputs, expected, strict=True):
            if is_text(wanted):
                if actual.tolist() != wanted.tolist():
                    return False
            else:
                np.testing.assert_allclose(actual, wanted, rtol=case.rtol, atol=case.atol)
    except (AssertionError, TypeError, ValueError):
        return False
    return True


def outcome(case: TestCase, core: Core, folder: Path) -> str:
    """What became of a case: "equal", or why it was left out; AssertionError where Core differs."""
    inputs, expected = case.data_sets[0]
    if not carried(list(inputs)) or not carried(list(expected)):
        return "types that JSON does not carry"
    outputs = run_reference(case, list(inputs))
    if outputs is None or not passes(case, outputs, list(expected)):
        return "not passed by ONNX Runtime"
    again = run_reference(case, list(inputs))
    if not all(map(same_bits, outputs, again)):
        return "random"
    graph = folder / f"{case.name}.onnx"
    graph.write_bytes(case.model.SerializeToString())
    registered = core.register(case.name, graph)
    assert registered.status_code == 200, f"{case.name}: {registered.text[:500]}"
    names = [value.name for value in case.model.graph.input]
    given = dict(zip(names, map(np.asarray, inputs), strict=False))
    for door, ask in DOORS.items():
        actual = ask(core, case.name, given)
        for value, wanted in zip(case.model.graph.output, outputs, strict=True):
            same = same_bits(actual[value.name], wanted)
            assert same, f"{case.name}: output {value.name} differs through {door}"
    assert core.delete(core.model_path(case.name)).status_code == 200
    graph.unlink()
    return "equal"


def in_shard(case: TestCase, shard: int) -> bool:
    """Spreads the cases evenly, the same way on every machine."""
    return int(hashlib.sha256(case.name.encode()).hexdigest(), 16) % SHARDS == shard


@pytest.mark.limit(600)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_case_that_onnx_runtime_passes(shard, make_core, tmp_path, record_property):
    core = make_core("--intra-op-threads", "1").start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [case for case in collect_testcases() if in_shard(case, shard)]
    counts: Counter[str] = Counter()
    differences = []
    for case in cases:
        try:
            counts[outcome(case, core, tmp_path)] += 1
        except AssertionError as error:
            differences.append(str(error))
    for what, count in counts.items():
        record_property(f"ONNX node tests, {what}", count)
    assert not differences, f"{len(differences)} differ:\n" + "\n".join(differences[:40])
    assert counts["equal"] > 300, counts
