# SPDX-License-Identifier: MIT
"""The daemon under test as an object."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import numpy as np
import requests

from tests.support import paths, process
from tests.support.tensors import from_reply, to_json

_START_S = 30.0
_GRACE_S = 20.0


class Core:
    """One `mlos_core` with a state directory of its own and a port it picked itself.

    It can be stopped, killed and started again over the same state. Its log is kept in
    `log_path`. Requests use one keep-alive session; thread-compatible.
    """

    def __init__(
        self,
        folder: Path,
        *args: str,
        env: dict[str, str] | None = None,
        http_port: int = 0,
    ) -> None:
        """Prepares a daemon that keeps everything below `folder`. `args` and `env` are added to
        its command line and environment at every start; `http_port` 0 lets it pick one."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.state_dir = folder / "state"
        self.log_path = folder / "core.log"
        self.args = list(args)
        self.env = dict(env or {})
        self.http_port = http_port
        self.port = http_port
        self.session = requests.Session()
        self.session.trust_env = False
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id; raises RuntimeError where it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("mlos_core is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def command(self) -> list[str]:
        """The command line `start` uses."""
        port, state_dir = str(self.http_port), str(self.state_dir)
        fixed = ["--http-port", port, "--state-dir", state_dir, "--no-grpc", "--no-ipc"]
        return [str(paths.product("mlos_core")), *fixed, *self.args]

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Runs mlos_core to its end over this state directory."""
        return subprocess.run(
            [paths.product("mlos_core"), "--state-dir", self.state_dir, *arguments],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def launch(self) -> subprocess.Popen:
        """Starts the process without waiting for it; for tests of starting itself."""
        (self.state_dir / "http.port").unlink(missing_ok=True)
        with self.log_path.open("ab") as log:
            env = process.clean_environment(self.folder, **self.env)
            self._process = process.spawn(
                self.command(), env=env, cwd=self.folder, stdout=log, stderr=log
            )
        return self._process

    def start(self, timeout_s: float = _START_S) -> Core:
        """Starts it and waits until it is ready; raises RuntimeError with its log if it ends."""
        self.launch()
        deadline = time.monotonic() + timeout_s
        while not self._ready():
            if self._process.poll() is not None:
                code = self._process.returncode
                raise RuntimeError(f"mlos_core ended with {code} while starting:\n{self.log()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"mlos_core not ready in {timeout_s} s:\n{self.log()}")
            time.sleep(0.01)
        return self

    def stop(self, grace_s: float = _GRACE_S) -> int:
        """SIGTERM; returns the exit code, which is 0 for an orderly end."""
        self.session.close()
        return process.stop(self._process, grace_s)

    def kill(self) -> None:
        """SIGKILL, as kill -9 or the kernel's memory killer would."""
        self.session.close()
        self._process.kill()
        self._process.wait()

    def restart(self) -> Core:
        """Stops it in order where it is running, and starts it over the same state."""
        if self.running:
            self.stop()
        return self.start()

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def resources(self) -> process.Resources:
        """Open files, threads, resident bytes and child processes right now."""
        return process.Resources.of(self.pid)

    def in_flight(self) -> int:
        """Inferences that Core has and has not answered, those that wait included."""
        metrics = self.get("/metrics").text
        return int(re.search(r"^mlos_inferences_in_flight (\d+)$", metrics, re.MULTILINE)[1])

    def resources_within(self, fds_max: int) -> process.Resources:
        """The same, once no more files are open than that, or after 20 s: what is closed takes a
        moment to go."""
        end = time.monotonic() + 20
        while (now := self.resources()).fds > fds_max and time.monotonic() < end:
            time.sleep(0.05)
        return now

    def request(self, method: str, path: str, **options: object) -> requests.Response:
        """One HTTP request; `options` as for `requests` (json, data, headers, timeout)."""
        options.setdefault("timeout", 60)
        return self.session.request(method, self.url + path, **options)

    def get(self, path: str, **options: object) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: object) -> requests.Response:
        return self.request("POST", path, **options)

    def delete(self, path: str, **options: object) -> requests.Response:
        return self.request("DELETE", path, **options)

    def register(self, model_id: str, path: Path | str, **fields: object) -> requests.Response:
        """POST /models/register."""
        body = {"model_id": model_id, "path": str(path), **fields}
        return self.post("/models/register", json=body)

    def model_path(self, model_id: str, action: str = "") -> str:
        """`/models/<id, URL-encoded>[/<action>]`."""
        return f"/models/{quote(model_id, safe='')}" + (f"/{action}" if action else "")

    def infer(self, model_id: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a model over arrays and gives its outputs as arrays of the dtype and shape the
        reply states. Raises AssertionError with the reply where it is not a 200."""
        body = {name: to_json(array) for name, array in inputs.items()}
        reply = self.post(self.model_path(model_id, "inference"), json=body)
        assert reply.status_code == 200, f"{reply.status_code}: {reply.text[:2000]}"
        return from_reply(reply.json())

    def _ready(self) -> bool:
        try:
            if self.http_port == 0:
                self.port = int((self.state_dir / "http.port").read_text() or 0)
            return self.port > 0 and self.get("/health/ready", timeout=5).status_code == 200
        except (OSError, ValueError):
            return False
