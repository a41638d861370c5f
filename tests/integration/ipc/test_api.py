# SPDX-License-Identifier: MIT
"""The IPC door with the Python client: what HTTP gives, bit for bit, over a Unix socket."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.support import graphs, process
from tests.support.ipc import Client, IpcCore, MlosError, settled

DTYPES = [
    "float32", "float64", "float16", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32", "uint64", "bool",
]  # fmt: skip


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpcCore]:
    """Core with an identity model for each dtype, and `slow`."""
    folder = tmp_path_factory.mktemp("ipc")
    core = IpcCore(folder).start()
    for name in [*DTYPES, "string", "bfloat16"]:
        dtype = {"string": TensorProto.STRING, "bfloat16": TensorProto.BFLOAT16}.get(name)
        dtype = dtype or helper.np_dtype_to_tensor_dtype(np.dtype(name))
        reply = core.register(name, graphs.identity(folder / f"{name}.onnx", dtype))
        assert reply.status_code == 200, reply.text
    assert core.register("slow", graphs.slow(folder / "slow.onnx", 100)).status_code == 200
    yield core
    assert core.stop() == 0


@pytest.fixture
def client(core: IpcCore) -> Iterator[Client]:
    with Client(str(core.socket)) as client:
        yield client


def values(dtype: str) -> np.ndarray:
    """Every bit pattern that comes up, in [n, 4]."""
    rng = np.random.default_rng(3)
    kind = np.dtype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)
    bits = rng.integers(0, 256, 4000 * kind.itemsize, np.uint8)
    return (bits % 2 if dtype == "bool" else bits).view(kind).reshape(-1, 4)


@pytest.mark.smoke
@pytest.mark.parametrize("place", ["inline", "regions"])
@pytest.mark.parametrize("dtype", [*DTYPES, "bfloat16"])
def test_every_value_comes_back(client, dtype, place):
    array = values(dtype)
    if place == "inline":
        back = client.infer(dtype, {"x": array}).outputs["y"]
    else:
        with client.input_region(1 << 16) as source, client.output_region(1 << 16) as target:
            wanted = [("y", target, 4096, array.nbytes)]
            back = client.infer(dtype, {"x": source.put(array, 64)}, outputs=wanted).outputs["y"]
            assert back.tobytes() == bytes(target.bytes[4096 : 4096 + array.nbytes])
            back = back.copy()
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("place", ["inline", "regions"])
def test_strings_come_back(client, place):
    texts = np.array([["", "a", 'q"\\\n\t\x01'], ["é", "日本", "\U0001f600"]], dtype=object)
    if place == "inline":
        back = client.infer("string", {"x": texts}).outputs["y"]
    else:
        with client.input_region(4096) as source, client.output_region(4096) as target:
            outputs = [("y", target, 0, 4096)]
            back = client.infer("string", {"x": source.put(texts)}, outputs=outputs).outputs["y"]
    assert back.tolist() == texts.tolist()


def test_answers_are_those_of_http(core, client):
    array = values("float32")[:64]
    array = np.where(np.isfinite(array), array, np.float32(1))
    assert client.infer("float32", {"x": array}).outputs["y"].tobytes() == (
        core.infer("float32", {"x": array})["y"].tobytes())  # fmt: skip
    health = client.health()
    assert health["apis"] == ["http", "ipc"]
    assert set(health) == set(core.get("/health").json())
    assert client.list_models() == core.get("/models").json()["models"]
    assert client.get_model("float32") == core.get("/models/float32").json()
    assert client.list_plugins() == core.get("/plugins").json()["plugins"]
    assert client.ready()


def test_models_come_and_go(core, client, tmp_path):
    path = graphs.scale(tmp_path / "scale.onnx", 3.0)
    reply = client.register_model("ns/scale@1", path, description="three times")
    assert (reply["status"], reply["state"]) == ("success", "loaded")
    x = np.arange(5, dtype=np.float32)
    assert client.infer("ns/scale@1", {"x": x}).outputs["y"].tolist() == (3 * x).tolist()
    assert client.get_model("ns/scale@1")["description"] == "three times"
    assert client.unload_model("ns/scale@1")["state"] == "unloaded"
    assert client.load_model("ns/scale@1")["state"] == "loaded"
    assert client.remove_model("ns/scale@1")["status"] == "success"
    assert "ns/scale@1" not in {model["model_id"] for model in client.list_models()}
    registered = client.register_plugin("waits", name="a plugin to come")
    assert (registered["plugin_id"], registered["state"]) == ("waits", "registered")
    assert client.get_plugin("waits")["name"] == "a plugin to come"
    assert client.remove_plugin("waits")["status"] == "success"


def refusal(call) -> MlosError:
    """The failure that `call` raises."""
    with pytest.raises(MlosError) as caught:
        call()
    return caught.value


X = np.zeros((1, 4), np.float32)


def test_fitting_is_asked_for(client):
    assert client.infer("float32", {"x": X[0]}, fit=True).outputs["y"].shape == (1, 4)


def test_several_in_flight_answer_in_any_order(client):
    slow = client.submit("slow", {"x": np.ones(1, np.float32)})
    quick = [client.submit("float32", {"x": X + i}) for i in range(50)]
    for i, pending in reversed(list(enumerate(quick))):
        assert (pending.result().outputs["y"] == i).all()
    assert slow.result().outputs["y"].tolist() == [1]


def test_more_in_flight_than_core_keeps_answers_for(client):
    arrays = [np.full((25_000, 1), i, np.float32) for i in range(100)]
    pending = [client.submit("float32", {"x": array}) for array in arrays]
    for answer, array in zip(pending, arrays, strict=True):
        assert (answer.result().outputs["y"] == array).all()


def test_threads_that_fill_a_connection(client):
    """One that sends much, while others read for it."""

    def work(number: int) -> list[int]:
        arrays = [np.full((25_000, 1), number * 100 + i, np.float32) for i in range(20)]
        pending = [client.submit("float32", {"x": array}) for array in arrays]
        answers = zip(pending, arrays, strict=True)
        return [i for i, (answer, array) in enumerate(answers)
                if not (answer.result().outputs["y"] == array).all()]  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [[]] * 4


def test_threads_share_a_connection(client):
    def work(number: int) -> list[int]:
        xs = [np.full((2, 4), number * 1000 + i, np.float32) for i in range(40)]
        return [i for i, x in enumerate(xs)
                if not (client.infer("float32", {"x": x}).outputs["y"] == x).all()]  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [[]] * 4


def test_what_waits_can_be_cancelled(client):
    x = {"x": np.ones(1, np.float32)}
    ahead = [client.submit("slow", x) for _ in range(6)]
    waiting = [client.submit("slow", x) for _ in range(4)]
    for pending in waiting:
        pending.cancel()
    outcomes = [refusal(pending.result).reason for pending in waiting]
    assert outcomes == ["CANCELLED"] * 4
    for pending in ahead:
        pending.result()


def test_large_tensors_inline_and_in_regions(client):
    array = np.arange(500_000, dtype=np.float32).reshape(-1, 4)
    assert (client.infer("float32", {"x": array}).outputs["y"] == array).all()
    with client.input_region(64 << 20) as source, client.output_region(64 << 20) as target:
        assert not source.in_place
        big = source.array(np.float32, (4 << 20, 4))
        big[:] = 7
        tensor = source.tensor(np.float32, big.shape)
        error = refusal(lambda: client.infer("float32", {"x": tensor}))
        assert error.reason == "PAYLOAD_TOO_LARGE"
        error = refusal(lambda: client.infer(
            "float32", {"x": tensor}, outputs=[("y", target, 0, 64)]))  # fmt: skip
        assert (error.reason, error.field) == ("PAYLOAD_TOO_LARGE", "y")
        back = client.infer("float32", {"x": tensor}, outputs=[("y", target, 0, 64 << 20)])
        assert (back.outputs["y"] == 7).all()


def test_a_client_that_goes_leaves_nothing(core):
    with Client(str(core.socket)) as client:
        client.infer("float32", {"x": X})
    before = core.resources()
    for _ in range(20):
        client = Client(str(core.socket))
        client.input_region(1 << 20)
        client.output_region(1 << 20)
        for _ in range(3):
            client.submit("slow", {"x": np.ones(1, np.float32)})
        client.close()
    assert settled(core, before, 60)
    end = time.monotonic() + 10
    while "memfd:mlos" in Path(f"/proc/{core.pid}/maps").read_text():
        assert time.monotonic() < end, "a region of a client that is gone is still mapped"
        time.sleep(0.01)


def test_the_socket_is_its_owners(core):
    mode = os.stat(core.socket).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_one_core_to_a_socket(core, tmp_path):
    second = IpcCore(tmp_path / "second")
    second.args[-1] = str(core.socket)
    with pytest.raises(RuntimeError, match="another process listens"):
        second.start()
    with Client(str(core.socket)) as client:
        assert client.ready()


def test_a_dead_cores_socket_is_replaced_and_an_orderly_one_removed(tmp_path):
    core = IpcCore(tmp_path / "core").start()
    core.kill()
    assert core.socket.exists()
    core.start()
    with Client(str(core.socket)) as client:
        assert client.ready()
    assert core.stop() == 0
    assert not core.socket.exists()


def test_a_file_that_is_no_socket_stays(tmp_path):
    core = IpcCore(tmp_path / "core")
    core.socket.write_text("precious")
    with pytest.raises(RuntimeError, match="no socket"):
        core.start()
    assert core.socket.read_text() == "precious"


def test_sigterm_answers_what_is_in_flight(tmp_path):
    core = IpcCore(tmp_path / "core").start()
    assert core.register("slow", graphs.slow(tmp_path / "slow.onnx", 300)).status_code == 200
    client = Client(str(core.socket))
    x = {"x": np.ones(1, np.float32)}
    pending = [client.submit("slow", x) for _ in range(3)]
    assert client.health()["status"] == "healthy"
    assert process.stop(core._process, 30) == 0
    assert [answer.result().outputs["y"].tolist() for answer in pending] == [[1]] * 3
