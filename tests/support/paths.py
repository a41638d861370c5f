# SPDX-License-Identifier: MIT
"""Where the tree and its products are."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEPS = ROOT / ".deps"
MODELS = DEPS / "models"


def build_dir() -> Path:
    """The build under test: `MLOS_BUILD_DIR` (relative to the root or absolute), else `build`."""
    return ROOT / os.environ.get("MLOS_BUILD_DIR", "build")


def instrumented() -> bool:
    """Whether the build under test is a sanitizer's: its memory says nothing, because what was
    freed is kept."""
    return build_dir() != ROOT / "build"


def product(name: str) -> Path:
    """A program or library of the build under test; raises FileNotFoundError saying how to get
    it."""
    path = build_dir() / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built; run make (or set MLOS_BUILD_DIR)")
    return path
