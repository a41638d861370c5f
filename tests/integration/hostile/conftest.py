# SPDX-License-Identifier: MIT
"""A Core that serves one good model while others are offered to it that it must refuse."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support import Core
from tests.support.graphs import scale

X = {"x": np.array([1.0, 2.0], np.float32)}


class Guarded:
    """A running Core and what must not change about it."""

    def __init__(self, folder: Path) -> None:
        self.core = Core(folder / "core").start()
        assert self.core.register("good", scale(folder / "good.onnx", 2.0)).status_code == 200
        self._held = self._holds()
        self._state = self._kept()

    def refuses(self, path: Path | str, *outcome: object, says: str = "", **fields: object) -> None:
        """Registering `path` fails with `outcome`: HTTP status, reason and field. The message
        holds `says` and nothing of the server's insides; nothing is left behind."""
        reply = self.core.register("hostile/m@v1", path, **fields)
        document = reply.json()
        found = (reply.status_code, document.get("reason"), document.get("field"))
        assert found == outcome, document
        message = document["message"]
        assert says in message
        for leak in (str(path), str(self.core.folder), "/tmp", f" {self.core.pid}"):
            assert leak not in message
        assert not re.search(r"0x[0-9a-f]{6}|\.cc:|\.h:\d|state/packages", message), message
        self.is_unharmed()

    def is_unharmed(self) -> None:
        """The other model answers; files, descriptors and children are those of the beginning."""
        assert np.array_equal(self.core.infer("good", X)["y"], X["x"] * 2)
        assert self._kept() == self._state
        deadline = time.monotonic() + 10
        while self._holds() != self._held:
            assert time.monotonic() < deadline, (self._holds(), self._held)
            time.sleep(0.05)

    def _holds(self) -> tuple[int, int]:
        resources = self.core.resources()
        return resources.fds, resources.children

    def _kept(self) -> tuple[list[str], list[str]]:
        models = [entry["id"] for entry in self.core.get("/models").json()["models"]]
        packages = self.core.state_dir / "packages"
        return models, sorted(str(file) for file in packages.rglob("*"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    guarded = Guarded(tmp_path_factory.mktemp("guarded"))
    yield guarded
    assert guarded.core.stop() == 0
