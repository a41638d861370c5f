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


def with_time_enough(first_s: float, attempt: Callable[[float], bool]) -> None:
    """Gives `attempt` a time, `first_s`, then four times as much and so on up to a minute, until it
    is true. For tests in which something has to happen before a time is over: on a busy machine it
    may happen only afterwards."""
    time_s = first_s
    while not attempt(time_s):
        time_s *= 4
        assert time_s <= 60, "it never happened in time"
