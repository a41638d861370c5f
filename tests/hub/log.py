# SPDX-License-Identifier: MIT
"""The hub's memory of the requests it saw, so that a test can ask what a client really sent."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from itertools import islice

from tests.hub.messages import Request

_ENTRIES_MAX = 20_000
_RECENT = 64


@dataclass
class Entry:
    """One request. `status` and `bytes_sent` (of the body) are filled in when it is over;
    `under_way` is how many there were, this one included, just before it was answered."""

    number: int
    origin: str
    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    status: int | None = None
    bytes_sent: int = 0
    under_way: int = 1
    fault: str | None = None


class RequestLog:
    """The last requests in order of arrival. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES_MAX)
        self._count = 0

    def begin(self, request: Request) -> Entry:
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self._count += 1
            entry = Entry(self._count, request.origin, request.method, request.target, headers)
            self._entries.append(entry)
        return entry

    def count_under_way(self, entry: Entry) -> None:
        with self._lock:
            recent = islice(reversed(self._entries), _RECENT)
            entry.under_way = sum(other.status is None for other in recent)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def entries(self) -> list[dict]:
        with self._lock:
            return [asdict(entry) for entry in self._entries]
