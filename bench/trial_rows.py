# SPDX-License-Identifier: MIT
"""What an operator waits for while eight models are tried whose loads do not end: registering a
model that is known, and unloading one."""

import http.client
import json
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from row import Row, median
from servers import FIXTURES_ALLOWED, HTTP_ONLY, Core, wait_until

TRIALS = 8
REQUESTS = 200
GOAL_MS = 100
KNOWN = "acting"


class SlowTrials:
    """Core with models that are tried until the end of the block."""

    def __init__(self, folder):
        self._folder = folder
        self.core = Core(folder / "state", [*HTTP_ONLY, "--drain-timeout-ms", "1000",
                                            *FIXTURES_ALLOWED])
        # Its file is a factor.
        self.core.register_fixture(folder, KNOWN, KNOWN)
        self._pool = ThreadPoolExecutor(TRIALS)
        self._registering = []

    def __enter__(self):
        for number in range(TRIALS):
            path = self._folder / f"slow{number}"
            path.write_text(f"held {number} {self._hold(number)}")
            self._hold(number).touch()
            self._registering.append(
                self._pool.submit(self.core.register, f"slow{number}", path, plugin_id=KNOWN,
                                  execution_format=KNOWN))
        wait_until(lambda: self.core.children() >= 2)
        return self

    def __exit__(self, *error):
        if any(registering.done() for registering in self._registering):
            raise RuntimeError("a trial did not last")
        for number in range(TRIALS):
            self._hold(number).unlink()
        self._pool.shutdown()
        self.core.stop()

    def _hold(self, number):
        return self._folder / f"slow{number}.hold"


def _p99_ms(core, path, document):
    """Of one caller's requests, sent one after the other."""
    address = urllib.parse.urlsplit(core.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    body = json.dumps(document)
    times = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        said = reply.read()
        times.append((time.perf_counter() - start) * 1e3)
        if reply.status != 200:
            raise RuntimeError(f"{path}: {said}")
    return sorted(times)[REQUESTS * 99 // 100]


def rows(folder, repetitions):
    """One row for each of the two."""
    with SlowTrials(folder) as slow:
        known = {"model_id": KNOWN, "path": str(folder / f"{KNOWN}.model"), "plugin_id": KNOWN,
                 "execution_format": KNOWN}
        asked = {"Registering a known model": ("/models/register", known),
                 "Unloading a model": (f"/models/{KNOWN}/unload", {})}
        for name, (path, document) in asked.items():
            p99 = median(_p99_ms(slow.core, path, document) for _ in range(repetitions))
            yield Row(f"{name} beside {TRIALS} trials that do not end, p99", f"{p99:.1f} ms", "–",
                      float("nan"), f"≤ {GOAL_MS} ms", p99 <= GOAL_MS)
