# SPDX-License-Identifier: MIT
"""Where Core listens by default, and who may serve there."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Callable

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_UID = struct.Struct("I")
_UID_MAX = 0xFFFFFFFF


def default_sockets() -> list[str]:
    """Where Core listens unless it is told otherwise, in the order in which it is looked for."""
    runtime_dir = _folder("XDG_RUNTIME_DIR")
    state_dir = _state_dir()
    return [
        *([f"{runtime_dir}/mlos.sock"] if runtime_dir else []),
        "/run/mlos/mlos.sock",
        *([f"{state_dir}/mlos.sock"] if state_dir else []),
        "/tmp/mlos.sock",
    ]


def connect_trusted(
    path: str | None, server_user: str | int | None, connect: Callable[[str], socket.socket]
) -> socket.socket:
    """A socket that `connect` makes for `path`, or for the first default place, at which a user
    serves who may. PermissionError if only others do; OSError if nobody does."""
    trusted = _trusted(server_user)
    if path is not None:
        return _connect_at(path, trusted, connect)
    first_failure = None
    for place in default_sockets():
        try:
            # A stranger's full queue would keep whoever connects waiting, so whose the socket is is
            # looked at before: Core's default ones are its own user's.
            _check(place, os.lstat(place).st_uid, trusted)
            return _connect_at(place, trusted, connect)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            # It tells more than those after it.
            first_failure = first_failure or error
    raise first_failure or FileNotFoundError(
        "no Core listens at any of the default places; start one, or give its --socket"
    )


def _connect_at(path: str, trusted: set[int], connect: Callable[[str], socket.socket]):
    try:
        connected = connect(path)
    except OSError as error:
        if error.errno is None:  # too long
            raise
        # With the path, and still of the same class.
        raise OSError(error.errno, error.strerror, path) from None
    try:
        _check(path, _server_of(connected), trusted)
    except BaseException:
        connected.close()
        raise
    return connected


def _server_of(connected: socket.socket) -> int:
    data = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _UID.unpack_from(data, 4)[0]


def _check(path: str, user: int, trusted: set[int]) -> None:
    if user not in trusted:
        raise PermissionError(
            f"user {user} serves {path}, who is neither this user nor root; if that is Core's "
            "user, name it with MLOS_SERVER_USER or server_user"
        )


def _trusted(server_user: str | int | None) -> set[int]:
    """Who may serve. ValueError if the named user does not exist."""
    if server_user is None:
        server_user = os.environ.get("MLOS_SERVER_USER", "")
    trusted = {0, os.geteuid()}
    text = str(server_user)
    if text.isascii() and text.isdigit() and int(text) < _UID_MAX:
        trusted.add(int(text))
    elif text:
        try:
            trusted.add(pwd.getpwnam(text).pw_uid)
        except KeyError:
            raise ValueError(
                f"{text!r} is not a user of this machine, by name or number"
            ) from None
    return trusted


def _folder(variable: str) -> str | None:
    """None unless it is an absolute path: what is relative counts as unset, as for Core."""
    value = os.environ.get(variable, "")
    return value if value.startswith("/") else None


def _state_dir() -> str | None:
    """Core's state folder, if Core runs as this user and was not given another."""
    if os.geteuid() == 0:
        return "/var/lib/mlos"
    if state := _folder("XDG_STATE_HOME"):
        return f"{state}/mlos"
    home = _folder("HOME") or _home_of_entry()
    return f"{home}/.local/state/mlos" if home else None


def _home_of_entry() -> str | None:
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return None
    return home if home.startswith("/") else None
