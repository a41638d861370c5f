# SPDX-License-Identifier: MIT
"""Streams by the thousand of a model that has nothing to tell them yet: they hold no thread of
Core, keep no other model from an answer, and are gone when their callers are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.doors import over_grpc, over_http, over_ipc
from tests.support.flood import descriptors
from tests.support.graphs import scale
from tests.support.ipc import Client, settled
from tests.support.open_core import OpenCore, fixtures_allowed, integers, register_fixture
from tests.support.protos import mlos_v1
from tests.support.raw_h2 import RawH2, message
from tests.support.raw_http import connect, head
from tests.support.waiting import wait_until

# As many as one address may have connections, streams a connection and requests a connection.
HTTP_STREAMS = 750
GRPC_CONNECTIONS, GRPC_STREAMS = 5, 125
IPC_CONNECTIONS, IPC_REQUESTS = 5, 125
STREAMS = HTTP_STREAMS + GRPC_CONNECTIONS * GRPC_STREAMS + IPC_CONNECTIONS * IPC_REQUESTS
INFER_STREAM = "/mlos.v1.InferenceService/InferStream"


@pytest.fixture
def core(tmp_path: Path) -> Iterator[OpenCore]:
    """Core with a model that holds its answers back, and one that does not."""
    with descriptors(2 * STREAMS + 500):
        room = ("--queue-length-max", str(STREAMS))
        core = OpenCore(tmp_path / "core", *fixtures_allowed(), *room).start()
        register_fixture(core, "patient", "patient")
        assert core.register("quick", scale(tmp_path / "quick.onnx", 2.0)).status_code == 200
        yield core
        assert core.stop() == 0


def http_streams(core: OpenCore, stack: contextlib.ExitStack) -> None:
    body = b'{"count": 1, "hold": 1}'
    line = "POST /v2/models/patient/generate_stream HTTP/1.1"
    request = head(line, f"Content-Length: {len(body)}") + body
    for _ in range(HTTP_STREAMS):
        stack.enter_context(connect(core.port)).sendall(request)


def grpc_streams(core: OpenCore, stack: contextlib.ExitStack) -> None:
    messages, _ = mlos_v1("inference")
    request = messages.InferRequest(model_id="patient")
    for name in ("count", "hold"):
        request.inputs.add(name=name, dtype="int64", data=np.int64(1).tobytes())
    body = message(request.SerializeToString())
    for _ in range(GRPC_CONNECTIONS):
        client = stack.enter_context(RawH2(core.grpc_port))
        for i in range(GRPC_STREAMS):
            client.send(client.call(2 * i + 1, INFER_STREAM, body))


def ipc_requests(core: OpenCore, stack: contextlib.ExitStack) -> None:
    for _ in range(IPC_CONNECTIONS):
        client = stack.enter_context(Client(str(core.socket)))
        for _ in range(IPC_REQUESTS):
            client.submit("patient", integers(count=1, hold=1))


def is_answered(core: OpenCore) -> None:
    """Another model, at every door."""
    for ask in (over_http, over_grpc, over_ipc):
        assert ask(core, "quick", {"x": np.ones(3, np.float32)}) == "OK"


def test_two_thousand_streams_that_wait_hold_no_thread(core: OpenCore):
    for ask in (over_http, over_grpc, over_ipc):
        assert ask(core, "patient", integers(count=1)) == "OK"
    is_answered(core)
    before = core.resources()
    with contextlib.ExitStack() as stack:
        for opened in (http_streams, grpc_streams, ipc_requests):
            opened(core, stack)
        wait_until(lambda: core.in_flight() == STREAMS, 60, why=lambda: f"{core.in_flight()}")
        assert core.resources().threads == before.threads
        for _ in range(10):
            is_answered(core)
        assert core.in_flight() == STREAMS
        assert core.resources().threads == before.threads
    wait_until(lambda: core.in_flight() == 0, 60, why=lambda: f"{core.in_flight()} are left")
    assert settled(core, before)
    stats = {model["model_id"]: model for model in core.get("/stats").json()["models"]}
    assert stats["patient"]["errors"] == {"CANCELLED": STREAMS}
    is_answered(core)
