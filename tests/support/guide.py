# SPDX-License-Identifier: MIT
"""The console blocks of the guides, done as they say."""

from __future__ import annotations

import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support import paths, process

_DAEMON = re.compile(r"(?:\w+=\S+ )*\./build/mlos_core\b")
_ENDS_BY_ITSELF = re.compile(r"--(?:(?:check|print)-config|check-state|backup|restore)\b")


@dataclass(frozen=True)
class Step:
    """A command, and what the guide shows of its output: "" where nothing, and "…" where something
    was left out."""

    command: str
    shown: str

    @property
    def is_daemon(self) -> bool:
        """Whether it goes on until it is ended."""
        ends = self.shown.startswith("error: ") or _ENDS_BY_ITSELF.search(self.command)
        return bool(_DAEMON.match(self.command)) and not ends

    def check(self, output: str) -> None:
        """AssertionError where the output is not as shown."""
        rest = output
        for piece in filter(None, self.shown.split("…")):
            assert piece in rest, f"{self.command}:\n{output}"
            rest = rest.partition(piece)[2]


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page, by the path of the page below the root."""
    text = (paths.ROOT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def steps(page: str) -> list[Step]:
    """Each command of the console blocks of a page."""
    found = []
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            # A command goes on behind a backslash, and within quotes.
            end = next(i for i in range(1, len(lines) + 1) if _whole("".join(lines[:i])))
            command = re.sub(r"\s{2,}# .*$", "", "".join(lines[:end])).strip()
            found.append(Step(command, "".join(lines[end:]).strip()))
    return found


def _whole(command: str) -> bool:
    return not command.endswith("\\\n") and command.count("'") % 2 == 0


class Reader:
    """Someone who follows a guide in a folder that looks like the repository. Its daemon takes any
    free port, unless a command names one, and that is where the guide's port 8080 leads."""

    def __init__(self, folder: Path, **environment: str) -> None:
        for name in ("include", "plugins"):
            (folder / name).symlink_to(paths.ROOT / name)
        (folder / "build").symlink_to(paths.build_dir())
        self.folder = folder
        doors = {"MLOS_HTTP_PORT": "0", "MLOS_GRPC_PORT": "0", "MLOS_SOCKET": f"{folder}/m.sock"}
        state = {"MLOS_STATE_DIR": str(folder / "state")}
        self.environment = process.clean_environment(folder, **doors, **state, **environment)
        self.daemon: subprocess.Popen | None = None
        self.ports = {"8080": "", "8081": ""}

    def do(self, step: Step) -> str:
        """Does a step and gives its output, which is as shown; a daemon has none."""
        if step.command.startswith("export "):
            self._export(step.command)
            return ""
        if step.is_daemon:
            self.start(step.command.removesuffix(" &"))
            if not step.command.endswith(" &"):
                assert self.stop() == 0, step.command
            return ""
        done = self._run(step.command)
        refused = step.shown.startswith("error: ")
        assert (done.returncode != 0) == refused, f"{step.command}: {done.stdout}{done.stderr}"
        step.check(done.stderr if refused else done.stdout)
        return done.stdout

    def start(self, command: str) -> None:
        """Starts a daemon and waits until it listens."""
        port_files = {"8080": "http.port", "8081": "grpc.port"}
        for name in port_files.values():
            (self.folder / "state" / name).unlink(missing_ok=True)
        with (self.folder / "daemon.log").open("ab") as log:
            self.daemon = process.spawn(
                ["bash", "-c", f"{self._here(command).replace('./build', 'exec ./build', 1)}"],
                cwd=self.folder, env=self.environment, stderr=log,
            )  # fmt: skip
        listening = self.folder / "state/http.port"
        while not (listening.exists() and listening.read_text().strip()):
            log = self.folder / "daemon.log"
            assert self.daemon.poll() is None, f"{command} ended: {log.read_text()}"
            time.sleep(0.02)
        for port, name in port_files.items():
            file = self.folder / "state" / name
            self.ports[port] = file.read_text().strip() if file.exists() else ""

    def stop(self) -> int:
        """Ends the daemon in order; its exit code."""
        return process.stop(self.daemon, 30)

    def kill(self) -> None:
        """Ends what still runs."""
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()

    def _here(self, command: str) -> str:
        """A command with this reader's ports, and folder in place of the guide's."""
        for port, own in self.ports.items():
            command = command.replace(f"localhost:{port}", f"127.0.0.1:{own}")
        for folder in ("/srv/mlos/", "/models/mine"):
            at = re.compile(rf"(?<![\w:.]){re.escape(folder)}")
            command = at.sub(f"{self.folder}{folder}", command)
        return command

    def _run(self, command: str) -> subprocess.CompletedProcess:
        command = self._here(re.sub(r"\bcurl ", "curl -sS ", command))
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    def _export(self, command: str) -> None:
        name = command.removeprefix("export ").partition("=")[0]
        done = self._run(f'{command}; printf %s "${name}"')
        self.environment[name] = done.stdout
