# SPDX-License-Identifier: MIT
"""One address takes all the connections, or all the bytes in flight, that it can get, and does as
little with them as it can. Another one has up to half all the same, and is answered; alone, one has
all but an eighth."""

from __future__ import annotations

import contextlib
import re
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.integration.doors.stalls import GRPC_STALLS, HTTP_STALLS, Stall, silent
from tests.support.doors import over_grpc, over_http, over_ipc
from tests.support.flood import connect, descriptors
from tests.support.graphs import scale
from tests.support.open_core import OpenCore
from tests.support.raw_h2 import RawH2
from tests.support.raw_http import head, parse, read_all, send
from tests.support.waiting import wait_until

MIB = 1 << 20
LIMIT = 64
# HTTP keeps an eighth of its connections for health checks.
ORDINARY = {"http": LIMIT - LIMIT // 8, "grpc": LIMIT}

class HttpCaller:
    """A connection of the other address."""

    def __init__(self, core: OpenCore):
        self.socket = socket.create_connection(("127.0.0.1", core.port), timeout=30)

    def is_answered(self) -> bool:
        """Whether it is open still, and a request on it is answered."""
        send(self.socket, head("GET /models HTTP/1.1"))
        received = b""
        while b'"models"' not in received:
            try:
                piece = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return False
            if not piece:
                return False
            received += piece
        return received.startswith(b"HTTP/1.1 200 ")

    def close(self) -> None:
        self.socket.close()


class GrpcCaller:
    """As HttpCaller."""

    def __init__(self, core: OpenCore):
        self.raw = RawH2(core.grpc_port)
        self.streams = 0

    def is_answered(self) -> bool:
        stream = 2 * self.streams + 1
        self.streams += 1
        self.raw.send(self.raw.call(stream))
        return self.raw.trailers(stream).get("grpc-status") == "0"

    def close(self) -> None:
        self.raw.socket.close()


CALLERS = {"http": HttpCaller, "grpc": GrpcCaller}
ATTACKS = [
    *(("http", stall) for stall in (silent, *HTTP_STALLS)),
    *(("grpc", stall) for stall in (silent, *GRPC_STALLS)),
]


@pytest.fixture
def core(tmp_path: Path) -> Iterator[OpenCore]:
    """Core with a thread for each door, so that all connections are one share."""
    threads = ("--http-threads", "1", "--grpc-threads", "1")
    with descriptors(20 * LIMIT):
        core = OpenCore(tmp_path / "core", "--connections-max", str(LIMIT), *threads).start()
        core.session.close()
        yield core
        assert core.stop() == 0


def port_of(core: OpenCore, door: str) -> int:
    return core.port if door == "http" else core.grpc_port


def attack_from_one_address(core: OpenCore, door: str, attack: Stall,
                            stack: contextlib.ExitStack) -> None:  # fmt: skip
    for _ in range(2 * LIMIT):
        sock = stack.enter_context(connect(port_of(core, door), 0, sources=1))
        attack(sock)


@pytest.mark.parametrize(
    ("door", "attack"), ATTACKS, ids=lambda value: getattr(value, "__name__", value)
)
def test_one_address_keeps_no_other_from_half(core: OpenCore, door: str, attack: Stall):
    with contextlib.ExitStack() as stack:
        attack_from_one_address(core, door, attack, stack)
        mine = []
        for _ in range(ORDINARY[door] // 2):
            mine.append(stack.enter_context(contextlib.closing(CALLERS[door](core))))
            assert mine[-1].is_answered(), f"connection {len(mine)}"
        attack_from_one_address(core, door, attack, stack)
        lost = [i for i, caller in enumerate(mine) if not caller.is_answered()]
        assert not lost, f"of {len(mine)} connections"


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_one_who_is_alone_has_all_but_an_eighth(core: OpenCore, door: str):
    with contextlib.ExitStack() as stack:
        mine = []
        for _ in range(LIMIT + 20):
            mine.append(stack.enter_context(contextlib.closing(CALLERS[door](core))))
            assert mine[-1].is_answered(), f"connection {len(mine)}"
        left = sum(caller.is_answered() for caller in mine)
        assert left == ORDINARY[door] - ORDINARY[door] // 8


# ---- Bytes in flight ----

# Eight bodies fill the budget, with what is counted for them besides.
BUDGET, BODY = 64 * MIB, 8 * MIB - 4096


@pytest.fixture
def small_core(tmp_path: Path) -> Iterator[OpenCore]:
    """Core with room for a few bodies, and `echo`."""
    limits = ("--in-flight-bytes-max", str(BUDGET), "--body-bytes-max", str(8 * MIB))
    core = OpenCore(tmp_path / "core", *limits, "--body-timeout-ms", "600000").start()
    assert core.register("echo", scale(tmp_path / "echo.onnx")).status_code == 200
    yield core
    assert core.stop() == 0


def held_bytes(core: OpenCore) -> int:
    page = core.get("/metrics").text
    return int(re.search(r"^mlos_in_flight_bytes (\d+)$", page, re.MULTILINE)[1])


class SlowBody:
    """A body of which the last bytes do not come; `is_held` by Core, or refused."""

    def __init__(self, core: OpenCore, source: str, stack: contextlib.ExitStack):
        before = held_bytes(core)
        address = ("127.0.0.1", core.port)
        made = socket.create_connection(address, timeout=30, source_address=(source, 0))
        self.socket = stack.enter_context(made)
        line = "POST /models/echo/inference HTTP/1.1"
        send(made, head(line, f"Content-Length: {BODY}") + bytes(BODY - 1))
        wait_until(lambda: self.is_answered() or held_bytes(core) >= before + BODY, 60)
        self.is_held = not self.is_answered()

    def is_answered(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])

    def end(self, core: OpenCore) -> None:
        """Leaves."""
        before = held_bytes(core)
        self.socket.close()
        wait_until(lambda: held_bytes(core) <= before - BODY)


def test_bytes_of_one_address_keep_no_other_from_half(small_core: OpenCore):
    core = small_core
    with contextlib.ExitStack() as stack:
        theirs = [SlowBody(core, "127.0.0.2", stack) for _ in range(8)]
        assert [body.is_held for body in theirs] == [True] * 7 + [False]
        refused = parse(*read_all(theirs.pop().socket))
        assert (refused.status, refused.document["reason"]) == (503, "OVERLOADED")
        assert refused.headers["retry-after"] == "1"
        assert "this caller's share" in refused.document["message"]
        held = held_bytes(core)
        for ask in (over_http, over_grpc, over_ipc):
            assert ask(core, "echo", {"x": np.ones(1 << 16, np.float32)}) == "OK"
        # Core may give back what an answer took after its caller has it.
        wait_until(lambda: held_bytes(core) <= held, 60)
        mine = [SlowBody(core, "127.0.0.1", stack)]
        while len(mine) < 4:
            assert mine[-1].is_held, f"body {len(mine)}"
            theirs.pop().end(core)
            assert not SlowBody(core, "127.0.0.2", stack).is_held, "it is the other's"
            mine.append(SlowBody(core, "127.0.0.1", stack))
        assert mine[-1].is_held
