# SPDX-License-Identifier: MIT
"""What a program and its children ask of the kernel, as `strace` sees it: whom they connect to,
where they listen, and which files they write."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.waiting import wait_until

_OPENS = ("open", "openat", "openat2")
_CHANGES = ("creat", "mkdir", "mkdirat", "mknod", "mknodat", "rename", "renameat", "renameat2",
            "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "truncate",
            "chmod", "fchmodat", "utimensat")  # fmt: skip
_LINE = re.compile(r"^(\d+) +(<\.\.\. )?(\w+)(?: resumed>|\()(.*)$")
_FAMILY = re.compile(r"sa_family=(AF_\w+)(?:, sun_path=@?\"([^\"]*)\")?")
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
_QUOTED = re.compile(r"(?:(\w+)<([^>]*)>, )?\"((?:[^\"\\]|\\.)*)\"")
_WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC")
_SENDS = ("connect", "sendto", "sendmsg")


@dataclass(frozen=True)
class Call:
    """One system call that was made, whole; a failed one counts as well."""

    name: str
    arguments: str

    @property
    def address(self) -> str:
        """Of a connect or bind: the path of a Unix socket, or the family and port."""
        family = _FAMILY.search(self.arguments)
        if family is None:
            return self.arguments
        port = _PORT.search(self.arguments)
        return family[2] or (f"{family[1]}:{port[1]}" if port else family[1])

    @property
    def paths(self) -> list[str]:
        """The paths it names, absolute."""
        return [os.path.normpath(os.path.join(folder or "/", path))
                for _, folder, path in _QUOTED.findall(self.arguments)]  # fmt: skip


class Trace:
    """The trace of one program in the file `path`, until it has ended."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def command(self, command: list[str]) -> list[str]:
        """Runs `command` and traces it, without coming between it and whoever runs it."""
        calls = "trace=" + ",".join(("network", *_OPENS, *_CHANGES))
        return ["strace", "-D", "-f", "-y", "-s", "4096", "-o", str(self.path), "-e", calls,
                *command]  # fmt: skip

    def finish(self) -> None:
        """Waits until it has told the end of the program, whose call is the first one. Threads and
        children have ends of their own."""
        wait_until(self._ended, 20)

    def connected(self) -> set[str]:
        """To whom something was sent that is no connection of a client."""
        return {call.address for call in self._calls()
                if call.name in _SENDS and "sa_family" in call.arguments}  # fmt: skip

    def bound(self) -> set[str]:
        """Where it listens."""
        return {call.address for call in self._calls() if call.name == "bind"}

    def sockets(self) -> set[str]:
        """The families of its sockets."""
        return {call.arguments.split(",")[0] for call in self._calls() if call.name == "socket"}

    def written(self) -> set[str]:
        """The files and folders that were opened for writing, made, moved or removed."""
        paths = set()
        for call in self._calls():
            opened = call.name in _OPENS and any(flag in call.arguments for flag in _WRITES)
            if opened or call.name in _CHANGES:
                paths.update(call.paths)
        return paths

    def _ended(self) -> bool:
        text = self._text()
        program = text.split(" ", 1)[0]
        return re.search(rf"^{program} +\+\+\+ (exited|killed)", text, re.MULTILINE) is not None

    def _text(self) -> str:
        return self.path.read_text(errors="replace") if self.path.exists() else ""

    def _calls(self) -> Iterator[Call]:
        """Calls in the order of their ends: a line that is interrupted goes on in a later one."""
        begun: dict[str, str] = {}
        for line in self._text().splitlines():
            found = _LINE.match(line)
            if found is None:
                continue
            thread, resumed, name, rest = found.groups()
            if rest.endswith("<unfinished ...>"):
                begun[thread] = rest.removesuffix("<unfinished ...>")
            else:
                yield Call(name, begun.pop(thread, "") + rest if resumed else rest)
