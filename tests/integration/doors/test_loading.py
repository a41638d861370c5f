# SPDX-License-Identifier: MIT
"""Requests for a model that is being loaded wait for it at every door, as long as their time is and
no longer, and harm nobody if they leave."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
import requests
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from tests.support.ipc import Client, MlosError
from tests.support.open_core import OpenCore, fixtures_allowed
from tests.support.protos import mlos_v1
from tests.support.waiting import wait_until

inference_pb, inference_grpc = mlos_v1("inference")

MODEL, X = "ns/slow@v1", 2.0
PLUGIN = {"plugin_id": "acting", "execution_format": "acting"}
SHORT_MS = 300


class LoadingCore:
    """Core with a model whose loads last while `hold` is there."""

    def __init__(self, folder: Path, *arguments: str):
        self.core = OpenCore(folder / "core", *fixtures_allowed(), *arguments).start()
        library = Path(fixtures_allowed()[1]) / "acting.so"
        plugin = {"id": "acting", "path": str(library)}
        assert self.core.post("/plugins/register", json=plugin).status_code == 200
        self.hold = folder / "hold"
        model = folder / "model"
        model.write_text(f"held 1 {self.hold}")
        done = self.core.register(MODEL, model, **PLUGIN)
        assert done.status_code == 200, done.text
        self._loads: list[threading.Thread] = []

    def load(self) -> None:
        """The model is being loaded from now on, until `release`."""
        assert self.core.post(self.core.model_path(MODEL, "unload")).status_code == 200
        self.hold.touch()
        url = self.core.url + self.core.model_path(MODEL, "load")
        load = threading.Thread(target=lambda: _post(url))
        load.start()
        self._loads.append(load)
        wait_until(lambda: self.state() == "loading")

    def launch(self) -> None:
        """Starts Core, which is not ready before all is loaded."""
        self.core.launch()
        wait_until(self._listens, why=self.core.log)

    def _listens(self) -> bool:
        try:
            self.core.port = int((self.core.state_dir / "http.port").read_text())
            return self.core.get("/health/live").ok
        except (OSError, ValueError):
            return False

    def release(self) -> None:
        self.hold.unlink(missing_ok=True)

    def state(self) -> str:
        return self.core.get(self.core.model_path(MODEL)).json()["status"]

    def waiting(self) -> int:
        """How many requests wait for the model."""
        name = f'mlos_model_queue_length{{model="{MODEL}"}} '
        lines = self.core.get("/metrics").text.splitlines()
        return next((int(line[len(name) :]) for line in lines if line.startswith(name)), 0)

    def close(self) -> None:
        self.release()
        if self.core.running:
            assert self.core.stop() == 0
        for load in self._loads:
            load.join()


def _post(url: str) -> None:
    """What Core answers, if it does: it may end first."""
    with contextlib.suppress(requests.ConnectionError):
        requests.post(url, timeout=100)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., LoadingCore]]:
    with contextlib.ExitStack() as stack:

        def start(*arguments: str) -> LoadingCore:
            loading = LoadingCore(tmp_path, *arguments)
            stack.callback(loading.close)
            return loading

        yield start


def own_http(core: OpenCore, timeout_ms: int | None = None) -> float:
    headers = {} if timeout_ms is None else {"X-Request-Timeout-Ms": str(timeout_ms)}
    url = core.url + core.model_path(MODEL, "inference")
    reply = requests.post(url, json={"x": [X]}, headers=headers, timeout=100)
    document = reply.json()
    if reply.status_code != 200:
        assert reply.status_code != 503 or reply.headers["Retry-After"] == "1"
        raise Refused(reply.status_code, document["reason"])
    return document["outputs"]["y"]


def oip_http(core: OpenCore, timeout_ms: int | None = None) -> float:
    tensor = triton_http.InferInput("x", [1], "FP32")
    tensor.set_data_from_numpy(np.float32([X]))
    timeout = None if timeout_ms is None else timeout_ms * 1000
    with triton_http.InferenceServerClient(core.url.removeprefix("http://")) as client:
        try:
            return float(client.infer(MODEL, [tensor], timeout=timeout).as_numpy("y"))
        except InferenceServerException as error:
            assert "loaded" in error.message()
            raise Refused(int(error.status()), "MODEL_LOADING") from error


def oip_grpc(core: OpenCore, timeout_ms: int | None = None) -> float:
    tensor = triton_grpc.InferInput("x", [1], "FP32")
    tensor.set_data_from_numpy(np.float32([X]))
    timeout = None if timeout_ms is None else timeout_ms * 1000
    with triton_grpc.InferenceServerClient(core.grpc_address) as client:
        try:
            return float(client.infer(MODEL, [tensor], timeout=timeout).as_numpy("y"))
        except InferenceServerException as error:
            assert "loaded" in error.message()
            raise Refused(error.status(), "MODEL_LOADING") from error


def own_grpc(core: OpenCore, timeout_ms: int | None = None) -> float:
    request = inference_pb.InferRequest(model_id=MODEL)
    request.inputs.add(name="x", dtype="float32", shape=[1], data=np.float32([X]).tobytes())
    with grpc.insecure_channel(core.grpc_address) as channel:
        stub = inference_grpc.InferenceServiceStub(channel)
        try:
            reply = stub.Infer(request, timeout=timeout_ms and timeout_ms / 1000)
        except grpc.RpcError as error:
            raise Refused(error.code().name, error.details()) from error
    return float(np.frombuffer(reply.outputs[0].data, np.float32)[0])


def ipc(core: OpenCore, timeout_ms: int | None = None) -> float:
    with Client(str(core.socket)) as client:
        try:
            result = client.infer(
                MODEL, {"x": np.float32([X])}, timeout_s=timeout_ms and timeout_ms / 1000
            )
        except MlosError as error:
            raise Refused(error.code, error.reason) from error
    return float(result.outputs["y"])


class Refused(Exception):
    """Code and reason of a refusal."""


# The time of a call over gRPC is over for its client, too, which may tell it first.
DOORS = {
    "own_http": (own_http, [503]),
    "oip_http": (oip_http, [503]),
    "own_grpc": (own_grpc, ["UNAVAILABLE", "DEADLINE_EXCEEDED"]),
    "oip_grpc": (oip_grpc, ["StatusCode.UNAVAILABLE"]),
    "ipc": (ipc, ["UNAVAILABLE"]),
}
every_door = pytest.mark.parametrize("door", DOORS)


def test_requests_of_all_doors_wait_for_the_load(start):
    loading = start()
    loading.load()
    with ThreadPoolExecutor(2 * len(DOORS)) as pool:
        asked = [pool.submit(ask, loading.core) for ask, _ in [*DOORS.values()] * 2]
        wait_until(lambda: loading.waiting() == len(asked), why=loading.core.log)
        assert not any(future.done() for future in asked)
        loading.release()
        assert [future.result(60) for future in asked] == [X] * len(asked)
    assert loading.waiting() == 0


def test_requests_wait_for_models_that_a_restart_loads(start):
    loading = start()
    loading.core.stop()
    loading.hold.touch()
    loading.launch()
    assert loading.core.get("/health/ready").status_code == 503
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(own_http, loading.core)
        wait_until(lambda: loading.waiting() == 1, why=loading.core.log)
        loading.release()
        assert asked.result(60) == X


@every_door
def test_who_asks_for_a_time_waits_no_longer(start, door):
    ask, codes = DOORS[door]
    loading = start()
    loading.load()
    begin = time.monotonic()
    with pytest.raises(Refused) as refused:
        ask(loading.core, SHORT_MS)
    assert refused.value.args[0] in codes
    assert time.monotonic() - begin >= SHORT_MS / 1000
    assert loading.state() == "loading"


@every_door
def test_who_asks_for_no_time_waits_as_long_as_core_is_told(start, door):
    ask, codes = DOORS[door]
    loading = start("--load-wait-ms", str(SHORT_MS))
    loading.load()
    with pytest.raises(Refused) as refused:
        ask(loading.core)
    assert refused.value.args[0] == codes[0]
    assert loading.state() == "loading"


def test_a_request_is_told_why_its_model_could_not_be_loaded(start):
    loading = start()
    loading.core.stop()
    (loading.hold.parent / "model").write_text(f"held 2 {loading.hold}")
    loading.launch()
    with pytest.raises(Refused, match="MODEL_NOT_LOADED"):
        own_http(loading.core)


def test_no_more_wait_than_may_and_those_that_leave_make_room(start):
    loading = start("--queue-length-max", "2")
    loading.load()
    url = loading.core.url + loading.core.model_path(MODEL, "inference")
    for _ in range(2):
        with pytest.raises(requests.ReadTimeout):
            requests.post(url, json={"x": [X]}, timeout=0.3)
    wait_until(lambda: loading.waiting() == 0)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(own_http, loading.core) for _ in range(2)]
        wait_until(lambda: loading.waiting() == 2)
        with pytest.raises(Refused, match="OVERLOADED"):
            own_http(loading.core)
        loading.release()
        assert [future.result(60) for future in asked] == [X] * 2


def test_the_end_of_core_is_told_at_once(start):
    loading = start("--drain-timeout-ms", "20000")
    loading.load()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(own_http, loading.core)
        wait_until(lambda: loading.waiting() == 1)
        stopping = threading.Thread(target=loading.core.stop)
        stopping.start()
        with pytest.raises(Refused, match="DRAINING"):
            asked.result(60)
        loading.release()
        stopping.join()
