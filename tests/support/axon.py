# SPDX-License-Identifier: MIT
"""The `axon` command under test."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import paths, process


@dataclass(frozen=True)
class AxonResult:
    """How one run of `axon` ended: stdout is data, stderr is progress and messages."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> object:
        """stdout as JSON; raises json.JSONDecodeError where it is none."""
        return json.loads(self.stdout)


class Axon:
    """Runs `axon` with a home of its own. `env` may be changed between runs.

    `AXON_HOME` is `home`, and what is published on the machine lies below it; the hub and the Core
    it talks to are those given, if any.
    """

    def __init__(self, home: Path, hub_url: str | None = None, core_url: str | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.env: dict[str, str] = {
            "AXON_HOME": str(home),
            "AXON_PUBLISHED_DIR": str(home / "published"),
        }
        if hub_url is not None:
            self.env["HF_ENDPOINT"] = hub_url
        if core_url is not None:
            self.env["MLOS_CORE_ENDPOINT"] = core_url

    def run(self, *args: str, check: bool = False, timeout_s: float = 60, **env: str) -> AxonResult:
        """Runs it to its end. With `check`, AssertionError where the exit code is not 0."""
        done = subprocess.run(
            self.command(*args),
            env=self.environment(**env),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        if check:
            shown = f"axon {' '.join(args)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            assert done.returncode == 0, shown
        return AxonResult(done.returncode, done.stdout, done.stderr)

    def start(self, *args: str, **env: str) -> subprocess.Popen:
        """Starts it without waiting, output thrown away; for tests that kill it half-way."""
        return process.spawn(
            self.command(*args),
            env=self.environment(**env),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def command(self, *args: str) -> list[str]:
        return [str(paths.product("axon")), *args]

    def environment(self, **env: str) -> dict[str, str]:
        return process.clean_environment(self.home, **{**self.env, **env})

    def model_dir(self, name: str, version: str = "latest", namespace: str = "hf") -> Path:
        """Where an installed model lies: `hf/org/name@version` → its directory."""
        return self.home / "cache" / "models" / namespace / name / version
