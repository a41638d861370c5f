# SPDX-License-Identifier: MIT
"""Where the clients look for Core, and that they speak to nobody else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.ipc.machine import STRANGER, Machine, stranger_listening
from tests.support import paths, process
from tests.support.ipc import IpcCore

pytestmark = pytest.mark.skipif(not Machine.possible(), reason="needs root and mounts of its own")

NOBODY_THERE = "no Core listens at any of the default places"

ASK = {
    "python": """
import sys
sys.path.insert(0, sys.argv[1])
from mlos.client import Client
path, user = (value if value != "-" else None for value in sys.argv[3:5])
try:
    with Client(path, server_user=user) as client:
        print(client.health()["status"])
except (OSError, ValueError) as error:
    print(type(error).__name__, error)
""",
    "c": """
import ctypes, json, sys
class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int32), ("retry_after_ms", ctypes.c_uint32),
                ("reason", ctypes.c_char * 48), ("field", ctypes.c_char * 256),
                ("message", ctypes.c_char * 1024)]
mlos = ctypes.CDLL(sys.argv[2])
path, user = (value.encode() if value != "-" else None for value in sys.argv[3:5])
client, error, text = ctypes.c_void_p(), Error(), ctypes.c_char_p()
if mlos.mlos_connect_trusting(path, user, ctypes.byref(client), ctypes.byref(error)) == 0:
    mlos.mlos_call(client, 0x02, None, ctypes.byref(text), None)
    print(json.loads(text.value)["status"])
else:
    print(error.reason.decode(), error.message.decode())
""",
}


@pytest.fixture(params=["python", pytest.param("c", marks=pytest.mark.release_only)])
def ask(request, machine: Machine) -> Callable[..., str]:
    """What a client says, on that machine: Core's health, or why it does not ask."""

    def ask(path: Path | str = "-", user: str = "-", **env: str) -> str:
        program = [sys.executable, "-c", ASK[request.param], str(paths.ROOT / "sdk/python"),
                   str(paths.product("libmlos.so")), str(path), user]  # fmt: skip
        done = subprocess.run(
            machine.command(program), env=process.clean_environment(machine.folder, **env),
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return ask


@pytest.mark.parametrize("place", ["runtime", "system", "shared"])
def test_clients_find_core_where_it_is(machine, make, ask, place):
    folder = machine.made("runtime", 0o700)
    env = {"XDG_RUNTIME_DIR": str(folder)}
    make(**(env if place == "runtime" else {})).start()
    sockets = {"runtime": folder, "system": machine.run / "mlos", "shared": machine.tmp}
    for name, other in sockets.items():
        if name != place:
            (other / "mlos.sock").unlink(missing_ok=True)
    assert ask(**env) == "healthy"


def test_clients_find_core_in_its_state_folder(machine, make, ask):
    machine.made("run/mlos", 0o755, STRANGER)
    core = make()
    core.state_dir = machine.lib / "mlos"
    core.start()
    (machine.tmp / "mlos.sock").unlink()
    assert ask() == "healthy"


def test_clients_say_that_nobody_is_there(ask):
    assert NOBODY_THERE in ask()
    assert "/nowhere/at/all" in ask("/nowhere/at/all")


def test_clients_do_not_ask_strangers(machine, make, ask):
    core = IpcCore(machine.folder / "core").start()
    core.socket.chmod(0o777)
    theirs = machine.made("theirs", 0o777) / "core.sock"
    try:
        with stranger_listening(theirs, core.socket):
            refusal = ask(theirs)
            assert f"user {STRANGER} serves {theirs}" in refusal
            assert "MLOS_SERVER_USER" in refusal
            assert ask(theirs, str(STRANGER)) == "healthy"
            assert ask(theirs, "nobody") == "healthy"
            assert ask(theirs, MLOS_SERVER_USER="nobody") == "healthy"
            assert ask(theirs, "", MLOS_SERVER_USER="nobody") == refusal
            assert "'no-such-user' is not a user" in ask(theirs, "no-such-user")
    finally:
        assert core.stop() == 0


def test_clients_pass_strangers_on_the_way_to_core(machine, make, ask):
    folder = machine.made("runtime", 0o700, STRANGER)
    with stranger_listening(folder / "mlos.sock"):
        refusal = ask(XDG_RUNTIME_DIR=str(folder))
        assert f"user {STRANGER} serves {folder}/mlos.sock" in refusal
        make(XDG_RUNTIME_DIR=str(folder)).start()
        assert ask(XDG_RUNTIME_DIR=str(folder)) == "healthy"


@pytest.mark.parametrize("runtime", [True, False])
def test_clients_do_not_wait_in_a_strangers_queue(machine, ask, runtime):
    folder = machine.made("runtime", 0o700, STRANGER)
    with stranger_listening((folder if runtime else machine.tmp) / "mlos.sock"):
        named = folder if runtime else "/tmp"
        assert f"user {STRANGER} serves {named}/mlos.sock" in ask(XDG_RUNTIME_DIR=str(folder))
