# SPDX-License-Identifier: MIT
"""What holds of /v2 as of /models: callers that go away, room for what is in flight."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.support.graphs import scale, slow
from tests.support.raw_http import connect, head
from tests.support.waiting import wait_until

ECHO = "/v2/models/ns--echo/infer"
# Each door's way to ask the slow model.
DOORS = {
    "oip": (
        "/v2/models/ns--slow/infer",
        b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}',
    ),
    "core": ("/models/ns%2Fslow@v1/inference", b'{"x":[1]}'),
}


@pytest.fixture
def served(make_core, tmp_path):
    """A Core of one compute thread, with `ns/slow@v1`."""
    core = make_core("--compute-threads", "1", "--intra-op-threads", "1").start()
    assert core.register("ns/slow@v1", slow(tmp_path / "slow.onnx", 250)).status_code == 200
    return core


@pytest.mark.parametrize("door", DOORS)
def test_a_caller_that_goes_away_cancels_what_waits(served, door):
    path, body = DOORS[door]
    request = head(f"POST {path} HTTP/1.1", f"Content-Length: {len(body)}") + body
    served.post(path, data=body)  # its run time is known now
    sockets = [connect(served.port) for _ in range(20)]
    for sock in sockets:
        sock.sendall(request)
    for sock in sockets:
        sock.close()

    def counted() -> tuple[int, int]:
        """Of all requests so far: how many were answered, and how many were cancelled."""
        stats = served.get("/stats").json()["models"][0]
        return stats["successful_requests"], stats["errors"].get("CANCELLED", 0)

    wait_until(lambda: sum(counted()) == 21, 30, why=lambda: str(counted()))
    assert counted()[1] >= 10
    assert served.post(path, data=body).status_code == 200


def test_no_room_is_said_with_a_time_to_come_back(make_core, tmp_path):
    limits = "--in-flight-bytes-max", str(4 << 20), "--body-bytes-max", str(4 << 20)
    core = make_core(*limits).start()
    assert core.register("ns/echo@v1", scale(tmp_path / "e.onnx")).status_code == 200
    size = 3 << 20
    line = f"POST {ECHO} HTTP/1.1"
    with connect(core.port) as first:
        # The first one holds its share while it is received.
        first.sendall(head(line, f"Content-Length: {size}") + bytes(size - 1))
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            reply = core.post(ECHO, data=bytes(size))
            if reply.status_code == 503:
                break
        assert (reply.status_code, reply.json()["reason"]) == (503, "OVERLOADED")
        assert reply.headers["Retry-After"] == "1"
        assert set(reply.json()) == {"error", "code", "reason", "field"}


@pytest.mark.parametrize("lead", range(17))
def test_binary_data_behind_json_of_any_length(shared_core, tmp_path, lead):
    """The tensors lie aligned or not, in chunks or not: the answer is the same."""
    shared_core.register("ns/echo@v1", scale(tmp_path / "e.onnx", 2.0))
    array = np.arange(1000, dtype=np.float32)
    text = (
        b'{"id":"' + b"i" * lead + b'","inputs":[{"name":"x","shape":[1000],"datatype":"FP32",'
        b'"parameters":{"binary_data_size":4000}}],"outputs":[{"name":"y",'
        b'"parameters":{"binary_data":true}}]}'
    )
    headers = {"Inference-Header-Content-Length": str(len(text))}
    whole = text + array.tobytes()
    for data in (whole, iter([whole[:50], whole[50:1000], whole[1000:]])):
        reply = shared_core.post(ECHO, data=data, headers=headers)
        assert reply.status_code == 200, reply.text
        length = int(reply.headers["Inference-Header-Content-Length"])
        assert reply.headers["Content-Type"] == "application/octet-stream"
        np.testing.assert_array_equal(np.frombuffer(reply.content[length:], np.float32), array * 2)
