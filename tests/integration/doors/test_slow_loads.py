# SPDX-License-Identifier: MIT
"""Loads that take long keep each other waiting, and nothing else, at any door."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import requests

from tests.support import paths
from tests.support.ipc import Client
from tests.support.open_core import OpenCore
from tests.support.protos import mlos_v1
from tests.support.waiting import wait_until

models_pb, models_grpc = mlos_v1("model")

KNOWN = "ns/known@v1"
ACTING = {"plugin_id": "acting", "execution_format": "acting"}
TRIALS = 8
TRIES = 20


class SlowCore:
    """Core that tries `TRIALS` models whose loads last until `release`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.core = OpenCore(folder / "core", "--plugin-dir", str(_fixtures())).start()
        plugin = {"id": "acting", "path": str(_fixtures() / "acting.so")}
        assert self.core.post("/plugins/register", json=plugin).status_code == 200
        self.known = self._model("known", 100)
        assert self.core.register(KNOWN, self.known, **ACTING).status_code == 200
        # Each has a connection of its own: all doors are asked.
        self._pool = ThreadPoolExecutor(TRIALS)
        self.registering = [self._pool.submit(self._register, i) for i in range(TRIALS)]
        wait_until(lambda: self._children() >= 2, 30, why=self.core.log)

    def release(self) -> None:
        for hold in self.folder.glob("*.hold"):
            hold.unlink()

    def held(self) -> bool:
        return not any(future.done() for future in self.registering)

    def _model(self, name: str, number: int) -> Path:
        path = self.folder / name
        path.write_text(f"held {number} {path}.hold")
        return path

    def _register(self, i: int) -> object:
        path = self._model(f"slow{i}", i)
        (self.folder / f"slow{i}.hold").touch()
        return DOORS[i % len(DOORS)][0](self.core, f"ns/slow{i}@v1", path)

    def _children(self) -> int:
        tasks = Path(f"/proc/{self.core.pid}/task").iterdir()
        return sum(len((task / "children").read_text().split()) for task in tasks)


def _fixtures() -> Path:
    return paths.product("tests/plugin/fixtures")


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowCore]:
    slow = SlowCore(tmp_path)
    yield slow
    slow.release()
    assert slow.core.stop() == 0


def http_register(core: OpenCore, model_id: str, path: Path) -> None:
    body = {"model_id": model_id, "path": str(path), **ACTING}
    reply = requests.post(f"{core.url}/models/register", json=body, timeout=100)
    assert reply.status_code == 200, reply.text


def http_unload(core: OpenCore) -> None:
    reply = requests.post(core.url + core.model_path(KNOWN, "unload"), timeout=100)
    assert reply.status_code == 200, reply.text


def grpc_call(core: OpenCore, ask: Callable) -> None:
    with grpc.insecure_channel(core.grpc_address) as channel:
        ask(models_grpc.ModelServiceStub(channel))


def grpc_register(core: OpenCore, model_id: str, path: Path) -> None:
    request = models_pb.RegisterModelRequest(model_id=model_id, path=str(path), **ACTING)
    grpc_call(core, lambda stub: stub.RegisterModel(request, timeout=100))


def grpc_unload(core: OpenCore) -> None:
    request = models_pb.UnloadModelRequest(model_id=KNOWN)
    grpc_call(core, lambda stub: stub.UnloadModel(request, timeout=100))


def ipc_register(core: OpenCore, model_id: str, path: Path) -> None:
    with Client(str(core.socket)) as client:
        client.register_model(model_id, path, **ACTING)


def ipc_unload(core: OpenCore) -> None:
    with Client(str(core.socket)) as client:
        client.unload_model(KNOWN)


DOORS = [(http_register, http_unload), (grpc_register, grpc_unload), (ipc_register, ipc_unload)]


def quickest_s(ask: Callable[[], None]) -> float:
    """Of `TRIES`: what else the machine does is not Core's."""
    times = []
    for _ in range(TRIES):
        start = time.monotonic()
        ask()
        times.append(time.monotonic() - start)
    return min(times)


@pytest.mark.parametrize("door", range(len(DOORS)), ids=["http", "grpc", "ipc"])
def test_what_is_known_does_not_wait_for_slow_trials(slow, door):
    register, unload = DOORS[door]
    registered = quickest_s(lambda: register(slow.core, KNOWN, slow.known))
    unloaded = quickest_s(lambda: unload(slow.core))
    assert slow.held()
    assert max(registered, unloaded) <= 0.1
    slow.release()
    for future in slow.registering:
        future.result(100)


def test_a_registration_that_waits_too_long_is_told_when_it_is_due(slow):
    path = slow.folder / "late"
    path.write_text(f"held 200 {path}.hold")
    body = {"model_id": "ns/late@v1", "path": str(path), **ACTING}
    start = time.monotonic()
    late = requests.post(f"{slow.core.url}/models/register", json=body, timeout=100,
                         headers={"X-Request-Timeout-Ms": "300"})  # fmt: skip
    took = time.monotonic() - start
    assert slow.held()
    assert (late.status_code, late.json()["reason"]) == (504, "DEADLINE_EXCEEDED")
    assert took >= 0.3
    slow.release()
    for future in slow.registering:
        future.result(100)
    # It was not started either.
    assert slow.core.get(slow.core.model_path("ns/late@v1")).status_code == 404


def test_more_registrations_than_may_wait_are_told_to_come_back(slow):
    replies: list[requests.Response] = []

    def ask(i: int) -> None:
        path = slow.folder / f"more{i}"
        path.write_text(f"held {300 + i} {path}.hold")
        body = {"model_id": f"ns/more{i}@v1", "path": str(path), **ACTING}
        replies.append(requests.post(f"{slow.core.url}/models/register", json=body, timeout=100))

    with ThreadPoolExecutor(80) as pool:
        for i in range(80):
            pool.submit(ask, i)
        wait_until(lambda: len(replies) >= 10, 60, why=slow.core.log)
        refused = list(replies)
        assert slow.held()
        slow.release()
    for reply in refused:
        assert (reply.status_code, reply.json()["reason"]) == (503, "OVERLOADED")
        assert int(reply.headers["Retry-After"]) >= 1
    assert len(replies) == 80
    assert {reply.status_code for reply in replies} == {200, 503}


class HeldModel:
    """Core with one model that passed its trial; while it is held, its loads do not end."""

    def __init__(self, folder: Path):
        self.core = OpenCore(folder / "core", "--plugin-dir", str(_fixtures())).start()
        plugin = {"id": "acting", "path": str(_fixtures() / "acting.so")}
        assert self.core.post("/plugins/register", json=plugin).status_code == 200
        self.path = folder / "model"
        self._hold = folder / "hold"
        self.path.write_text(f"held 2 {self._hold}")

    def ask(self, action: str, timeout_ms: int = 60_000) -> tuple[int, str]:
        """What a caller is told who waits that long."""
        headers = {"X-Request-Timeout-Ms": str(timeout_ms)}
        if action == "register":
            body = {"model_id": KNOWN, "path": str(self.path), **ACTING}
            reply = self.core.post("/models/register", json=body, headers=headers)
        else:
            url = self.core.model_path(KNOWN, action)
            reply = self.core.post(url, headers=headers)
        return reply.status_code, reply.json().get("reason", "")

    def hold(self, held: bool) -> None:
        if held:
            self._hold.touch()
        else:
            self._hold.unlink(missing_ok=True)

    def await_overdue(self, count: int) -> None:
        line = f"mlos_overdue_loads {count}\n"
        wait_until(lambda: line in self.core.get("/metrics").text, why=self.core.log)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldModel]:
    held = HeldModel(tmp_path)
    yield held
    held.hold(False)
    assert held.core.stop() == 0


def test_a_trial_that_takes_too_long_for_its_caller_ends_then(held):
    held.hold(True)
    assert held.ask("register", 300) == (504, "DEADLINE_EXCEEDED")
    assert held.core.get(held.core.model_path(KNOWN)).status_code == 404
    held.hold(False)
    assert held.ask("register") == (200, "")


def test_a_load_that_takes_too_long_goes_on_without_its_caller(held):
    assert held.ask("register") == (200, "")
    assert held.ask("unload") == (200, "")
    held.hold(True)
    assert held.ask("load", 300) == (504, "DEADLINE_EXCEEDED")
    # On a slow machine the time may be over before the engine is asked.
    wait_until(lambda: held.ask("load", 300) == (503, "OVERLOADED"), 60, why=held.core.log)
    held.await_overdue(4)
    # They keep nobody from changing the model.
    assert held.ask("unload") == (200, "")
    held.hold(False)
    held.await_overdue(0)
    assert held.ask("load") == (200, "")


def test_a_model_that_is_being_loaded_is_not_unloaded_or_removed(held):
    assert held.ask("register") == (200, "")
    assert held.ask("unload") == (200, "")
    held.hold(True)
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(held.core.post, held.core.model_path(KNOWN, "load"))
        wait_until(lambda: held.core.get(held.core.model_path(KNOWN)).json()["state"] == "loading")
        for _ in range(6):  # more than there are threads for this
            assert held.ask("unload") == (409, "CONFLICT")
        assert held.core.delete(held.core.model_path(KNOWN)).json()["reason"] == "CONFLICT"
        held.hold(False)
        assert loading.result(60).status_code == 200
    assert held.core.delete(held.core.model_path(KNOWN)).status_code == 200
