# SPDX-License-Identifier: MIT
"""What becomes of the weights of a registered model (`graphs.mean_of`) on the disk."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import numpy as np

from tests.support.graphs import WEIGHTS

_PUNCH_HOLE, _KEEP_SIZE = 2, 1
_OTHER = np.full(WEIGHTS, 7, np.float32).tobytes()


def overwrite(weights: Path, data: bytes = _OTHER) -> None:
    """In place, as `cp` and most exporters do."""
    with weights.open("r+b") as file:
        file.write(data)


def truncate(weights: Path) -> None:
    os.truncate(weights, 0)


def punch(weights: Path) -> None:
    """Makes zeros of all but the first page."""
    with weights.open("r+b") as file:
        done = ctypes.CDLL(None, use_errno=True).fallocate(
            file.fileno(), _PUNCH_HOLE | _KEEP_SIZE, ctypes.c_long(4096),
            ctypes.c_long(4 * WEIGHTS - 4096))  # fmt: skip
    assert done == 0, os.strerror(ctypes.get_errno())


def replace(weights: Path, data: bytes = _OTHER) -> None:
    """By another file of the same name."""
    other = weights.with_suffix(".new")
    other.write_bytes(data)
    other.rename(weights)
