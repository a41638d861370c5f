# SPDX-License-Identifier: MIT
"""How long a race runs, and what goes on beside it."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator

SECONDS = float(os.environ.get("MLOS_RACE_SECONDS", "2"))
# Where a race has to show something, on a busy machine.
_PATIENCE_S = 60


def turns(shown: Callable[[], bool] = lambda: True) -> Iterator[int]:
    """Counts for MLOS_RACE_SECONDS, and on until the race has shown what it is to show."""
    start = time.monotonic()
    for turn in itertools.count():
        spent = time.monotonic() - start
        if spent > SECONDS and shown():
            return
        assert spent < SECONDS + _PATIENCE_S, "the race has shown nothing"
        yield turn


@contextlib.contextmanager
def during(act: Callable[[], None]) -> Iterator[None]:
    """Does that over and over in a thread until the end of the block."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            act()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
