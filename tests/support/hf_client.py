# SPDX-License-Identifier: MIT
"""The real `huggingface_hub` client in a process of its own: it reads its environment on import.

Run as a program it does one call of `HfApi`, given as JSON on stdin, and prints the result as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support import paths, process


class ClientError(Exception):
    """What the client raised; `classes` names its class and all base classes."""

    def __init__(self, classes: list[str], message: str) -> None:
        super().__init__(f"{classes[0]}: {message}")
        self.classes = classes


class HfClient:
    """The client against one hub, with a cache of its own. `token` None sends none."""

    def __init__(self, endpoint: str, home: Path, token: str | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1"}
        if token is not None:
            settings["HF_TOKEN"] = token
        self._environment = process.clean_environment(home, **settings)

    def call(self, method: str, **arguments: object) -> object:
        """`HfApi().<method>(**arguments)` as plain data; raises ClientError."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.hf_client"],
            input=json.dumps({"method": method, "arguments": arguments}),
            env=self._environment,
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            timeout=100,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        reply = json.loads(done.stdout)
        if "classes" in reply:
            raise ClientError(reply["classes"], reply["message"])
        return reply["value"]


def _plain(value: object) -> object:
    return vars(value) if hasattr(value, "__dict__") else str(value)


def _main() -> None:
    import huggingface_hub

    order = json.load(sys.stdin)
    try:
        value = getattr(huggingface_hub.HfApi(), order["method"])(**order["arguments"])
        reply = {"value": list(value) if isinstance(value, Iterator) else value}
    except Exception as problem:
        classes = [kind.__name__ for kind in type(problem).__mro__]
        reply = {"classes": classes, "message": str(problem)}
    print(json.dumps(reply, default=_plain))


if __name__ == "__main__":
    _main()
