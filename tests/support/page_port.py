# SPDX-License-Identifier: MIT
"""The ports of the user's page, 8080 and those beside it, are one program's at a time: tests run in
parallel, and `make try` takes 8080 where it can."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

PORT = 8080

# A name in the kernel only one socket can have: gone with its process, and no file is left.
_NAME = "\0mlos-page-ports"


@contextmanager
def claimed(wait_s: float = 0.0) -> Iterator[bool]:
    """Claims the page's ports for the context, after up to `wait_s`; False where another has them
    all that time."""
    with socket.socket(socket.AF_UNIX) as claim:
        end = time.monotonic() + wait_s
        while not (mine := _bind(claim)) and time.monotonic() < end:
            time.sleep(0.1)
        yield mine


def _bind(claim: socket.socket) -> bool:
    try:
        claim.bind(_NAME)
    except OSError:
        return False
    return True
