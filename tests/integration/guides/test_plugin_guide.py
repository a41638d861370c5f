# SPDX-License-Identifier: MIT
"""docs/PLUGIN-DEVELOPMENT.md, done as it says."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import paths, process

GUIDE = (paths.ROOT / "docs/PLUGIN-DEVELOPMENT.md").read_text()
SAMPLE = paths.ROOT / "plugins/samples/my_plugin/my_plugin.c"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def steps() -> list[tuple[str, str]]:
    """Each command of the console blocks, and what the guide shows of its output."""
    found = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            end = next(i for i, line in enumerate(lines) if not line.endswith("\\\n")) + 1
            found.append(("".join(lines[:end]).strip(), "".join(lines[end:]).strip()))
    return found


class Reader:
    """Someone who follows the guide in a folder that looks like the repository."""

    def __init__(self, folder: Path) -> None:
        for name in ("include", "plugins"):
            (folder / name).symlink_to(paths.ROOT / name)
        (folder / "build").symlink_to(paths.build_dir())
        self.folder = folder
        self.environment = process.clean_environment(
            folder, MLOS_STATE_DIR=str(folder / "state"), MLOS_HTTP_PORT="0"
        )
        self.daemon: subprocess.Popen | None = None
        self.port = ""

    def do(self, command: str) -> str:
        """Runs a command and gives its output; one that ends in & is the daemon's."""
        if command.endswith(" &"):
            return self._start(command.removesuffix(" &"))
        command = command.replace("localhost:8080", f"127.0.0.1:{self.port}")
        done = subprocess.run(
            ["bash", "-c", command.replace("curl ", "curl -sS ")],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def _start(self, command: str) -> str:
        self.daemon = process.spawn(
            ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environment,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port = self.folder / "state/http.port"
        while not (port.exists() and port.read_text().strip()):
            assert self.daemon.poll() is None, "mlos_core ended"
            time.sleep(0.02)
        self.port = port.read_text().strip()
        return ""

    def maps(self) -> str:
        return Path(f"/proc/{self.daemon.pid}/maps").read_text()


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path)
    yield reader
    if reader.daemon is not None:
        reader.daemon.kill()
        reader.daemon.wait()


def test_the_guide_shows_the_sample():
    _, _, code = SAMPLE.read_text().split("\n", 2)  # without licence and title
    assert blocks("c") == [code]


def test_the_guide_works_as_written(reader):
    mapped = []
    for command, shown in steps():
        output = reader.do(command)
        assert shown in output, f"{command}:\n{output}"
        mapped.append(reader.daemon is not None and "my_plugin.so" in reader.maps())
    assert any(mapped)
    assert not mapped[-1], "unloaded while Core runs"
    assert process.stop(reader.daemon, 30) == 0
