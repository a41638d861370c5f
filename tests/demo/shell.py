# SPDX-License-Identifier: MIT
"""Runs commands exactly as they are printed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.demo.screen import Screen

_COMMAND_SECONDS_MAX = 1800  # an online install may have half a gigabyte to fetch


class Shell:
    """A folder and an environment in which command lines run, with bash, one after the other."""

    def __init__(self, folder: Path, environment: dict[str, str], screen: Screen) -> None:
        self._folder = folder
        self._environment = environment
        self._screen = screen

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)

    def run(self, command: str, quiet: bool = False) -> str:
        """Prints (unless `quiet`) and runs `command`; returns its stdout. What it says on stderr,
        progress for one, goes to ours. Raises ValueError where it fails."""
        if not quiet:
            self._screen.command(command)
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=_COMMAND_SECONDS_MAX,
        )
        if done.returncode != 0:
            raise ValueError(f"`{command}` ended with {done.returncode}\n{done.stdout.strip()}")
        return done.stdout
