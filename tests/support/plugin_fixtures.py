# SPDX-License-Identifier: MIT
"""The plugins of tests/plugin/fixtures; the top of each file tells what it does."""

from __future__ import annotations

import numpy as np

from tests.support import paths
from tests.support.core import Core


def allowed() -> list[str]:
    """The options that let Core load them beside its own."""
    return ["--plugin-dir", str(_folder()), "--plugin-dir", str(paths.product("plugins"))]


def register(core: Core, plugin: str, *models: str) -> None:
    """Registers the plugin of that file and models of it."""
    plugin_id = plugin.replace("_", "-")
    description = {"id": plugin_id, "path": str(_folder() / f"{plugin}.so")}
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


def _folder():
    return paths.product("tests/plugin/fixtures")
