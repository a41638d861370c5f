# SPDX-License-Identifier: MIT
"""The user's page, pasted into a shell line by line, in its order."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import Hub, page_port, paths, process
from tests.support.promises import PAGE, page_markdown, update

pytestmark = pytest.mark.release_only

PIXELS = "[" + ",".join(["0.1", "0.2", "-0.3"] * 50176) + "]"


class Shell:
    """A user's shell in the repository: `build` on the PATH, everything else in a folder."""

    def __init__(self, folder: Path, hub: Hub):
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{paths.build_dir()}:{os.environ['PATH']}",
            "HOME": str(folder),
            "MLOS_STATE_DIR": str(folder / "state"),
            "HF_ENDPOINT": hub.url,
            "AXON_HOME": str(folder / "axon"),
            "LC_ALL": "C",
        }
        self.daemons: list[subprocess.Popen] = []

    def run(self, command: str) -> subprocess.CompletedProcess:
        """Runs one command to its end."""
        # 150,528 numbers do not fit an argument of curl: the shell reads them from a file.
        if "$PIXELS" in command:
            before, _, body = command.partition(" -d '")
            (self.folder / "body").write_text(body[:-1].replace("$PIXELS", PIXELS))
            command = f"{before} -d @{self.folder}/body"
        return subprocess.run(
            ["bash", "-c", command.replace("curl ", "curl -sS ", 1)],
            cwd=paths.ROOT, env=self.environment, capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    def daemon(self, command: str) -> str:
        """Starts a daemon and gives the answer of its health once it has the page's port."""
        port = 9090 if "9090" in command else page_port.PORT
        self.daemons.append(process.spawn(
            ["bash", "-c", f"exec {command}"], cwd=paths.ROOT, env=self.environment,
            stderr=subprocess.DEVNULL))  # fmt: skip
        bound = Path(self.environment["MLOS_STATE_DIR"], "http.port")
        for _ in range(500):
            assert self.daemons[-1].poll() is None, f"{command} has ended"
            if bound.exists() and bound.read_text() == f"{port}\n":
                return self.run(f"curl http://localhost:{port}/health").stdout
            time.sleep(0.02)
        return "no answer"

    def stop(self) -> None:
        """Ends the daemons in order; each must exit 0."""
        assert [process.stop(daemon, 30) for daemon in self.daemons] == [0] * len(self.daemons)


@pytest.fixture
def shell(tmp_path, hub):
    """A shell that has the page's ports and whose daemons end with the test, whatever happens."""
    with page_port.claimed(wait_s=150) as mine:
        assert mine, "another run of MLOS's tests, or `make try`, has the page's ports"
        shell = Shell(tmp_path, hub)
        yield shell
        for daemon in shell.daemons:
            daemon.kill()
            daemon.wait()


@pytest.mark.limit(300)
def test_the_page_works_as_written(shell, tmp_path):
    commands = [p for p in PAGE if p.test.endswith("test_promises.py") and not p.run_by]
    shell.environment["MLOS_STATE_DIR"] = str(tmp_path / "first")
    assert commands[0].shows in shell.daemon(commands[0].command)
    shell.environment["MLOS_STATE_DIR"] = str(tmp_path / "second")
    shell.environment["MLOS_SOCKET"] = str(tmp_path / "second.sock")
    assert commands[1].shows in shell.daemon(commands[1].command)
    for promise in commands[2:]:
        done = shell.run(promise.command)
        output = done.stdout + done.stderr
        if promise.refused:
            assert promise.refused in output, f"{promise.command}: {output[:1000]}"
            assert done.returncode != 0 or promise.command.startswith("curl")
        else:
            assert promise.shows in output, f"{promise.command}: {output[:1000]}"
            assert done.returncode == 0, f"{promise.command}: {output[:1000]}"
    shell.stop()


def test_the_generated_page_is_up_to_date():
    if os.environ.get("MLOS_UPDATE_DOCS"):
        update()
    page = paths.ROOT / "docs/PROMISES.md"
    assert page.read_text() == page_markdown(), "run with MLOS_UPDATE_DOCS=1"
