# SPDX-License-Identifier: MIT
"""One user takes all the connections, rings and mappings it can get; another one has up to half of
them all the same. Connections without a request end, by time and to make room, and their clients
hear why."""

from __future__ import annotations

import contextlib
import ctypes
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import paths
from tests.support.flood import descriptors
from tests.support.ipc import Client, Frame, IpcCore, MlosError, RawIpc, encode_infer, wire
from tests.support.ipc_ring import RawRing, memfd
from tests.support.open_core import fixtures_allowed, integers, register_fixture
from tests.support.waiting import wait_until, with_time_enough

STRANGER = 65534
LIMIT, RINGS = 16, 32

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., IpcCore]]:
    """Starts a Core whose socket any user can reach."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mlos-test-")))
        os.chmod(folder, 0o711)

        def start(*arguments: str) -> IpcCore:
            core = IpcCore(tmp_path / "core", "--socket-mode", "0666", *arguments)
            core.socket = folder / "core.sock"
            core.args[-1] = str(core.socket)
            stack.callback(lambda: core.stop())
            return core.start()

        yield start


@contextlib.contextmanager
def stranger() -> Iterator[None]:
    """Whoever connects here is another user to the kernel."""
    os.seteuid(STRANGER)
    try:
        yield
    finally:
        os.seteuid(0)


def silent(_: RawIpc) -> None:
    """Says hello, and no more."""


def slow_body(raw: RawIpc) -> None:
    raw.send(wire.HEADER.pack(1000, Frame.INFER, 0, 0, 5) + b"abc")


def slow_reader(raw: RawIpc) -> None:
    """Answers beyond what the kernel takes, never read."""
    raw.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError, BrokenPipeError):
        for number in range(2, 100_000):
            raw.send(wire.frame(Frame.HEALTH, number, b""))


def take(core: IpcCore, attack: Callable[[RawIpc], None], stack: contextlib.ExitStack) -> None:
    """As many connections of the other user as it gets."""
    for _ in range(2 * LIMIT):
        with stranger(), contextlib.suppress(ConnectionError, AssertionError):
            raw = stack.enter_context(RawIpc(core.socket))
            attack(raw)


@needs_root
@pytest.mark.parametrize("attack", [silent, slow_body, slow_reader])
def test_one_user_keeps_no_other_from_half_of_the_connections(start, attack):
    core = start("--socket-connections-max", str(LIMIT))
    with contextlib.ExitStack() as stack:
        take(core, attack, stack)
        mine = [stack.enter_context(Client(str(core.socket))) for _ in range(LIMIT // 2)]
        assert all(client.ready() for client in mine)
        take(core, attack, stack)
        assert all(client.ready() for client in mine)


def test_a_user_who_is_alone_has_all_but_an_eighth(start):
    """Those that have waited longest make room, and hear why."""
    core = start("--socket-connections-max", str(LIMIT))
    with contextlib.ExitStack() as stack:
        raws = [stack.enter_context(RawIpc(core.socket)) for _ in range(LIMIT + 4)]
        ended, left = raws[: 4 + LIMIT // 8], raws[4 + LIMIT // 8 :]
        for raw in ended:
            error = raw.error()
            assert (error.reason, "made room" in str(error)) == ("REQUEST_TIMEOUT", True)
            assert raw.ended()
        for raw in left:
            raw.send(wire.frame(Frame.HEALTH, 2, b""))
            assert raw.answer()[:2] == (Frame.DOCUMENT, 2)


@needs_root
def test_a_connection_of_a_busy_user_ends_with_its_answer(start):
    """Nothing of the user is idle: others are let in ahead, an eighth beyond the limit."""
    core = start("--socket-connections-max", str(LIMIT), *fixtures_allowed())
    register_fixture(core, "patient", "patient")
    body = b"".join(map(bytes, encode_infer("patient", integers(hold=1, count=1), [], 0, False)))
    with contextlib.ExitStack() as stack:
        theirs = []
        for _ in range(LIMIT - LIMIT // 8):
            with stranger():
                theirs.append(stack.enter_context(RawIpc(core.socket)))
            theirs[-1].send(wire.frame(Frame.INFER, 7, body))
        wait_until(lambda: core.in_flight() == len(theirs))
        mine = [stack.enter_context(Client(str(core.socket))) for _ in range(LIMIT // 4)]
        with pytest.raises(MlosError, match="OVERLOADED"):
            Client(str(core.socket))
        for raw in theirs[: LIMIT // 8]:
            raw.send(wire.frame(Frame.HEALTH, 8, b""))
            assert raw.error().reason == "OVERLOADED"
            raw.send(wire.frame(Frame.CANCEL, 7, b""))
            assert raw.error().reason == "CANCELLED"
            assert "made room" in str(raw.error())
            assert raw.ended()
        mine.append(stack.enter_context(Client(str(core.socket))))
        assert all(client.ready() for client in mine)


@needs_root
def test_one_user_keeps_no_other_from_half_of_the_rings(start):
    core = start()
    with contextlib.ExitStack() as stack:
        theirs, refused = [], []
        for _ in range(RINGS):
            with stranger():
                raw = stack.enter_context(RawIpc(core.socket))
            try:
                theirs.append((raw, RawRing(raw)))
            except MlosError as error:
                refused.append((error.reason, "share" in str(error)))
        assert refused == [("OVERLOADED", True)] * (RINGS // 8)
        # There are so many for others at once, and up to half as those of the first end.
        mine = [RawRing(stack.enter_context(RawIpc(core.socket))) for _ in range(RINGS // 8)]
        while len(mine) < RINGS // 2:
            raw, _ = theirs.pop()
            raw.close()
            mine.append(attached_soon(core, stack))
            with stranger(), pytest.raises(MlosError, match="OVERLOADED"):
                RawRing(stack.enter_context(RawIpc(core.socket)))
        for ring in mine:
            ring.put(wire.frame(Frame.HEALTH, 3, b""))
            assert ring.get()[:2] == (Frame.DOCUMENT, 3)


def attached_soon(core: IpcCore, stack: contextlib.ExitStack) -> RawRing:
    """A ring once one of another connection, which was closed, has ended."""
    raw = stack.enter_context(RawIpc(core.socket))
    made = []

    def attach() -> bool:
        with contextlib.suppress(MlosError):
            made.append(RawRing(raw))
        return bool(made)

    wait_until(attach)
    return made[0]


@needs_root
@pytest.mark.limit(120)
def test_one_user_keeps_no_other_from_half_of_the_mappings(start):
    core = start()
    everybody, each = 8192, 64
    fd = memfd(4096)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, fd)
        stack.enter_context(descriptors(1000))
        taken = 0
        for _ in range(everybody // each):
            with stranger():
                raw = stack.enter_context(RawIpc(core.socket))
            taken += sum(mapped(raw, fd, number) for number in range(1, each + 1))
        assert taken == everybody - everybody // 8
        raw = stack.enter_context(RawIpc(core.socket))
        assert all(mapped(raw, fd, number) for number in range(1, each + 1))


def mapped(raw: RawIpc, fd: int, number: int) -> bool:
    body = wire.MAP_REGION.pack(number, wire.READ)
    raw.send(wire.frame(Frame.MAP_REGION, number, body, descriptors=1), fds=[fd])
    return raw.answer()[0] == Frame.REGION


# ---- Idle connections ----


def test_a_connection_without_a_request_ends_and_says_why(start):
    core = start("--socket-idle-timeout-ms", "1500")
    with RawIpc(core.socket, timeout_s=30) as idle:
        error = idle.error()
        assert error.reason == "REQUEST_TIMEOUT" and "1500 ms" in str(error)
        assert idle.ended()


def test_the_next_call_of_a_client_says_why(start):
    core = start("--socket-idle-timeout-ms", "500")
    with Client(str(core.socket)) as client:
        before = core.resources()
        wait_until(lambda: core.resources().fds < before.fds)
        for _ in range(2):
            with pytest.raises(MlosError, match="idle for 500 ms; connect again") as caught:
                client.ready()
            assert caught.value.reason == "REQUEST_TIMEOUT"
    with Client(str(core.socket)) as client:
        assert client.ready()


class CError(ctypes.Structure):
    """mlos_error_t."""

    _fields_ = [
        ("code", ctypes.c_int32), ("retry_after_ms", ctypes.c_uint32),
        ("reason", ctypes.c_char * 48), ("field", ctypes.c_char * 256),
        ("message", ctypes.c_char * 1024),
    ]  # fmt: skip


@pytest.mark.release_only
def test_the_next_call_of_libmlos_says_why(start):
    core = start("--socket-idle-timeout-ms", "500")
    library = ctypes.CDLL(str(paths.product("libmlos.so")))
    client, json, error = ctypes.c_void_p(), ctypes.c_char_p(), CError()
    path = str(core.socket).encode()
    assert library.mlos_connect(path, ctypes.byref(client), ctypes.byref(error)) == 0
    before = core.resources()
    wait_until(lambda: core.resources().fds < before.fds)
    health = 0x02
    code = library.mlos_call(client, health, None, ctypes.byref(json), ctypes.byref(error))
    assert (code, error.reason) == (4, b"REQUEST_TIMEOUT")
    assert b"idle for 500 ms; connect again" in error.message
    library.mlos_close(client)


def test_requests_over_sockets_and_rings_keep_a_connection(start):
    """Each of them comes before the time is over, and the connection lives for several of it."""

    def attempt(time_s: float) -> bool:
        core = start("--socket-idle-timeout-ms", str(int(time_s * 1000)))
        try:
            return lives(core, time_s)
        finally:
            core.stop()

    with_time_enough(1.0, attempt)


def lives(core: IpcCore, time_s: float) -> bool:
    with RawIpc(core.socket) as by_frames, RawIpc(core.socket) as by_ring:
        ring = RawRing(by_ring)
        end, number = time.monotonic() + 3 * time_s, 7
        while time.monotonic() < end:
            number += 1
            frame = wire.frame(Frame.HEALTH, number, b"")
            try:
                by_frames.send(frame)
                by_frames.answer()
                ring.put(frame)
                ring.get(time_s)
            except (ConnectionError, AssertionError):
                return False
            time.sleep(time_s / 8)
    return True
