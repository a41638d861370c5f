# SPDX-License-Identifier: MIT
"""Faults a test orders: which requests they hit, how often, and what they do.

`KINDS` is the whole list, with each kind's arguments and their defaults:

reply         answer with this status, headers and body instead
drop          close the connection without an answer
delay         wait this long before the first byte
throttle      send no faster than this
cut           close the connection after so many body bytes
stall         stop sending after so many body bytes, then go on after a pause
ignore_range  answer a range request with 200 and the whole file
change_etag   serve the file under another ETag, as if it had been replaced
flip_byte     invert the byte at this offset of the file
wrong_length  send so many bytes more or fewer, with a Content-Length that agrees
endless       send a body without an announced end, up to a limit
redirect      answer with a redirect; `{path}` in the location is the path and query asked for
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass

from tests.hub.messages import Request

SECONDS_MAX = 60.0
ENDLESS_BYTES_MAX = 1 << 30
_PENDING_MAX = 256

KINDS: dict[str, dict] = {
    "reply": {"status": 503, "headers": {}, "body": ""},
    "drop": {},
    "delay": {"seconds": 1.0},
    "throttle": {"bytes_per_second": 65536},
    "cut": {"after": 0},
    "stall": {"after": 0, "seconds": 5.0},
    "ignore_range": {},
    "change_etag": {},
    "flip_byte": {"offset": 0},
    "wrong_length": {"delta": -1},
    "endless": {"limit_bytes": 1 << 26},
    "redirect": {"location": "", "status": 302},
}
_SELECTORS = ("origin", "method", "path", "range", "skip", "times")


@dataclass
class Fault:
    """One order. It hits requests for which every given selector holds: `origin` and `method` are
    equal, `path` (a regular expression) is found in path and query, `range` says whether a Range
    header is there. The first `skip` of them pass, the next `times` are hit (None = all)."""

    kind: str
    arguments: dict
    origin: str | None = None
    method: str | None = None
    path: str = ""
    range: bool | None = None
    skip: int = 0
    times: int | None = None

    @staticmethod
    def parse(spec: dict) -> Fault:
        """Raises ValueError that names an unknown kind or argument, or a wrong type."""
        kind = spec.get("kind")
        if kind not in KINDS:
            raise ValueError(f"unknown fault kind {kind!r}; known: {', '.join(KINDS)}")
        arguments = dict(KINDS[kind])
        selectors = {}
        for name, value in spec.items():
            if name == "kind":
                continue
            if name in _SELECTORS:
                selectors[name] = value
            elif name in arguments:
                arguments[name] = _checked(name, value, arguments[name])
            else:
                raise ValueError(f"fault {kind!r} has no argument {name!r}")
        try:
            re.compile(selectors.get("path", ""))
        except re.error as problem:
            raise ValueError(f"'path' is no regular expression: {problem}") from problem
        return Fault(kind, arguments, **selectors)

    def matches(self, request: Request) -> bool:
        return (
            self.origin in (None, request.origin)
            and self.method in (None, request.method)
            and re.search(self.path, request.target) is not None
            and self.range in (None, "Range" in request.headers)
        )


class FaultPlan:
    """The faults in force. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            if len(self._faults) >= _PENDING_MAX:
                raise ValueError(f"more than {_PENDING_MAX} faults")
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, request: Request) -> dict[str, dict]:
        """The arguments, by kind, of the faults that hit this request; uses up one turn of each.
        Of two faults of one kind the earlier ordered one counts."""
        hits: dict[str, dict] = {}
        with self._lock:
            for fault in self._faults:
                if fault.kind in hits or not fault.matches(request):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                elif fault.times is None or fault.times > 0:
                    fault.times = None if fault.times is None else fault.times - 1
                    hits[fault.kind] = fault.arguments
        return hits


def _checked(name: str, value: object, default: object) -> object:
    kinds = (int, float) if isinstance(default, float) else type(default)
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise ValueError(f"{name!r} wants a {type(default).__name__}, not {value!r}")
    if name == "seconds" and not 0 <= value <= SECONDS_MAX:
        raise ValueError(f"'seconds' is at most {SECONDS_MAX}")
    if name == "limit_bytes" and not 0 <= value <= ENDLESS_BYTES_MAX:
        raise ValueError(f"'limit_bytes' is at most {ENDLESS_BYTES_MAX}")
    return value
