# SPDX-License-Identifier: MIT
"""`GET /health` while clients ask for more than ten times what Core can run. What it cannot run or
queue it refuses at once, and these clients ask again at once, so their number decides how much they
ask for; that it is ten times as much is measured too."""

import http.client
import subprocess
import time
import urllib.parse

from bodies import own_json
from load import figures_of, load, load_command
from models import inputs, make_models
from row import Row, median
from servers import HTTP_ONLY, Core, fetch, wait_until

CONNECTIONS = 1900  # more than may wait (--queue-length-max) and fewer than one address may open
GOAL_MS = 50


def _health_times_ms(url, until):
    """How long GET /health takes, on a connection that is kept and on a new one, in turn."""
    host = urllib.parse.urlsplit(url).netloc
    kept = http.client.HTTPConnection(host, timeout=30)
    times = []
    while time.perf_counter() < until:
        for connection in (kept, http.client.HTTPConnection(host, timeout=30)):
            start = time.perf_counter()
            connection.request("GET", "/health")
            reply = connection.getresponse()
            reply.read()
            times.append((time.perf_counter() - start) * 1e3)
            if reply.status != 200:
                raise RuntimeError(f"GET /health answers {reply.status}")
            if connection is not kept:
                connection.close()
        time.sleep(0.01)
    kept.close()
    return sorted(times)


def _is_run(url, body):
    """Whether a request is answered, and with it all that waited before it."""
    try:
        fetch(url, body)
    except OSError:  # 503: the queue is full of what the last crowd has left behind
        return False
    return True


def rows(folder, repetitions, seconds):
    """One row; the worst answer of each repetition, and the median of those."""
    make_models(folder)
    body = own_json(folder, "wide", inputs()["wide"])
    core = Core(folder / "state", HTTP_ONLY)
    sustained, asked, worst, late = [], [], [], []
    try:
        # Runs apart: a model that takes its milliseconds for each request.
        core.register("wide", folder / "wide.onnx", max_batch_size=1)
        url = core.inference_url("wide")
        fetch(url, body.read())
        load(url, body, 32, 1)
        for _ in range(repetitions):
            wait_until(lambda: _is_run(url, body.read()))
            sustained.append(load(url, body, 32, seconds).rate)
            with subprocess.Popen(load_command(url, body, CONNECTIONS, seconds + 1), text=True,
                                  stdout=subprocess.PIPE) as crowd:
                time.sleep(0.5)
                times = _health_times_ms(core.url, time.perf_counter() + seconds)
                asked.append(figures_of(crowd.communicate()[0]).rate)
            worst.append(times[-1])
            late.append(times[len(times) * 99 // 100])
    finally:
        core.stop()
    factor = median(many / few for many, few in zip(asked, sustained))
    yield Row(f"GET /health under {factor:.0f} × the load of wide that Core sustains, worst",
              f"{median(worst):.1f} ms (p99 {median(late):.1f} ms)",
              f"{median(sustained):,.0f} answers/s sustained, "
              f"{median(asked):,.0f} requests/s asked",
              float("nan"), f"≤ {GOAL_MS} ms under ≥ 10 ×",
              median(worst) <= GOAL_MS and factor >= 10)
