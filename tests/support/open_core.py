# SPDX-License-Identifier: MIT
"""The daemon under test with all its doors open, and the plugins of tests/plugin/fixtures in it."""

from __future__ import annotations

import numpy as np

from tests.support import paths
from tests.support.core import Core
from tests.support.grpc_core import GrpcCore
from tests.support.ipc import IpcCore


class OpenCore(GrpcCore, IpcCore):
    """A Core that listens for HTTP at `url`, for gRPC at `grpc_address` and for IPC at `socket`."""


def fixtures_allowed() -> list[str]:
    """The options that let Core load the plugins of tests/plugin/fixtures beside its own."""
    return ["--plugin-dir", str(_fixtures()), "--plugin-dir", str(paths.product("plugins"))]


def register_fixture(core: Core, plugin: str, *models: str) -> None:
    """Registers the plugin of that file, the top of which tells what it does, and models of it."""
    plugin_id = plugin.replace("_", "-")
    description = {"id": plugin_id, "path": str(_fixtures() / f"{plugin}.so")}
    done = core.post("/plugins/register", json=description)
    assert done.status_code == 200, done.text
    for model in models:
        path = core.folder / f"{model}.model"
        path.write_text("anything")
        done = core.register(model, path, plugin_id=plugin_id, execution_format="any")
        assert done.status_code == 200, done.text


def integers(**inputs: int) -> dict[str, np.ndarray]:
    """Inputs of theirs, int64 scalars all."""
    return {name: np.array(number, np.int64) for name, number in inputs.items()}


def _fixtures():
    return paths.product("tests/plugin/fixtures")
