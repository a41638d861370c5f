# SPDX-License-Identifier: MIT
"""The test hub (`tests.hub`) as an object."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import requests

from tests.support import paths, process


class Hub:
    """A running test hub. `url` is what HF_ENDPOINT wants; `token` opens every repository,
    `reader_token` is valid but opens neither gated nor private ones."""

    token = "hf_test_full"
    reader_token = "hf_test_reader"

    def __init__(self, models: Path = paths.MODELS, *args: str) -> None:
        """Starts it and waits until it is ready. `args` go to `python -m tests.hub`."""
        self.models = models
        command = [sys.executable, "-m", "tests.hub", "--models", models, *args]
        self._process = process.spawn(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the test hub ended with {self._process.wait()} before ready")
        ready = json.loads(line)
        self.url: str = ready["url"]
        self.cdn_url: str = ready["cdn_url"]
        self._control_url: str = ready["control_url"]

    def stop(self) -> None:
        process.stop(self._process, grace_s=5)
        self._process.stdout.close()

    def control(self, op: str, **order: object) -> dict:
        """Sends one order (tests/hub/control.py); raises ValueError with the hub's reason."""
        reply = requests.post(self._control_url, json={"op": op, **order}, timeout=30)
        if reply.status_code != 200:
            raise ValueError(reply.json()["error"])
        return reply.json()

    def fault(self, kind: str, **order: object) -> None:
        """Orders a fault: kinds, arguments and selectors as in tests/hub/faults.py."""
        self.control("fault", kind=kind, **order)

    def clear_faults(self) -> None:
        self.control("clear_faults")

    def reset(self) -> None:
        """No faults, empty log, branches and options as at the start."""
        self.control("reset")

    def options(self, **values: object) -> None:
        """Sets `page_size` or `url_lifetime_s`."""
        self.control("options", **values)

    def move_branch(self, repo: str, branch: str, commit: str) -> None:
        self.control("move_branch", repo=repo, branch=branch, commit=commit)

    def log(self, origin: str | None = None) -> list[dict]:
        """The requests seen since the last reset: `origin` ("hub" or "cdn"), `method`, `target`,
        `headers` (names in lower case), `status`, `bytes_sent`, `fault`."""
        entries = self.control("log")["entries"]
        return [e for e in entries if origin in (None, e["origin"])]

    def tokens_seen(self, origin: str) -> set[str]:
        """Every value of an Authorization header that arrived at this origin."""
        found = (entry["headers"].get("authorization") for entry in self.log(origin))
        return {value for value in found if value is not None}

    def repo(self, repo_id: str) -> dict:
        """The entry of repos.json: commits, branches, files with size and digests."""
        index = json.loads((self.models / "repos.json").read_text())
        return next(r for r in index["repos"] if repo_id in (r["id"], *r["former_ids"]))

    def file(self, repo_id: str, path: str) -> Path:
        """A file of the head of `main`, as it lies on disk."""
        return self.models / self.repo(repo_id)["folder"] / path
