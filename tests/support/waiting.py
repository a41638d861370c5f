# SPDX-License-Identifier: MIT
"""Waiting for what takes a moment."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE_S = 0.01


def wait_until(
    holds: Callable[[], bool],
    timeout_s: float = 20,
    why: Callable[[], str] = lambda: "it did not happen",
) -> None:
    """Until it does; fails with `why` where it has not by then."""
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, why()
        time.sleep(_PAUSE_S)
