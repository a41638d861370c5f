# SPDX-License-Identifier: MIT
"""Core without a file descriptor left, and with no idle connection that it could close instead."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from tests.support import raw_http
from tests.support.open_core import OpenCore
from tests.support.waiting import wait_until

# UBSan asks through a pipe whether an object is there.
pytestmark = pytest.mark.release_only

# Its body never ends, so the connection is not idle.
BUSY = raw_http.head("POST /models/m/inference HTTP/1.1", "Content-Length: 1000") + b"{"
LEFT = 8


def descriptors(core: OpenCore) -> int:
    return len(os.listdir(f"/proc/{core.pid}/fd"))


@contextlib.contextmanager
def none_left(core: OpenCore) -> Iterator[None]:
    """Takes every descriptor that Core may open with requests that are under way."""
    # The connection of its start is idle.
    before = descriptors(core)
    core.session.close()
    wait_until(lambda: descriptors(core) < before)
    usual = resource.prlimit(core.pid, resource.RLIMIT_NOFILE)
    limit = max(int(fd) for fd in os.listdir(f"/proc/{core.pid}/fd")) + 1 + LEFT
    resource.prlimit(core.pid, resource.RLIMIT_NOFILE, (limit, usual[1]))
    try:
        with contextlib.ExitStack() as busy:
            while descriptors(core) < limit:
                before = descriptors(core)
                busy.enter_context(raw_http.connect(core.port)).sendall(BUSY)
                wait_until(lambda: descriptors(core) > before)
            yield
    finally:
        resource.prlimit(core.pid, resource.RLIMIT_NOFILE, usual)


def ask(core: OpenCore, line: str) -> raw_http.RawReply:
    return raw_http.exchange(core.port, raw_http.head(f"{line} HTTP/1.1"))


def is_refused(client: socket.socket) -> bool:
    """Whether the connection is ended before the client has said anything."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def core(tmp_path) -> Iterator[OpenCore]:
    core = OpenCore(tmp_path / "core").start()
    yield core
    assert core.stop() == 0


def test_health_is_answered_and_the_rest_is_told_to_come_again(core):
    with none_left(core):
        for _ in range(20):
            for path in ("/health", "/health/ready", "/v2/health/live"):
                healthy = ask(core, f"GET {path}")
                assert (healthy.status, healthy.closed) == (200, True), path
                assert healthy.headers["connection"] == "close"
            refused = ask(core, "GET /models")
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
            assert refused.document["reason"] == "OVERLOADED"
            assert "descriptor" in refused.document["message"]
    # Nothing of that is left.
    wait_until(lambda: core.get("/models").status_code == 200)


def test_a_silent_client_does_not_keep_the_reserve(core):
    with none_left(core), contextlib.ExitStack() as silent:
        for _ in range(5):
            silent.enter_context(raw_http.connect(core.port))
        assert ask(core, "GET /health").status == 200


def test_clients_of_the_other_doors_are_refused_at_once(core):
    with none_left(core):
        for _ in range(3):
            with raw_http.connect(core.grpc_port) as client:
                assert is_refused(client)
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(30)
                client.connect(str(core.socket))
                assert is_refused(client)
        assert ask(core, "GET /health").status == 200


