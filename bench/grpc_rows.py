# SPDX-License-Identifier: MIT
"""The gRPC door beside a bare grpc++ callback server that echoes: the same client, goal P9."""

import subprocess
import time

from models import make_models
from row import Row, median
from servers import ROOT, Core

OUTSTANDING = 32
BARE = "127.0.0.1:18981"


def _floor(*arguments):
    program = str(ROOT / "build/bench/grpc_floor")
    output = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                            check=True).stdout
    return float(output.split()[0])


def rows(folder, repetitions, seconds):
    """Requests a second and the median latency of one caller."""
    make_models(folder)
    bare = subprocess.Popen([str(ROOT / "build/bench/grpc_floor"), "server", BARE])
    core = Core(folder / "state", arguments=["--no-ipc", "--grpc-port", "0"])
    try:
        core.register("one", folder / "one.onnx")
        address = f"127.0.0.1:{(folder / 'state/grpc.port').read_text().strip()}"
        time.sleep(0.5)
        rates, bare_rates, latencies, bare_latencies = [], [], [], []
        for _ in range(repetitions):
            bare_rates.append(_floor("load", BARE, "one", OUTSTANDING, seconds))
            rates.append(_floor("load", address, "one", OUTSTANDING, seconds))
            bare_latencies.append(_floor("latency", BARE, "one", 5000))
            latencies.append(_floor("latency", address, "one", 5000))
    finally:
        core.stop()
        bare.terminate()
        bare.wait()
    ratio = median(ours / floor for ours, floor in zip(rates, bare_rates))
    yield Row("P9: gRPC null, 32 outstanding", f"{median(rates):,.0f} requests/s",
              f"bare grpc++ callback server {median(bare_rates):,.0f} requests/s", ratio,
              "≥ 0.85 ×", ratio >= 0.85)
    ratio = median(ours / floor for ours, floor in zip(latencies, bare_latencies))
    yield Row("gRPC null, 1 caller, p50", f"{median(latencies):,.0f} µs",
              f"bare grpc++ callback server {median(bare_latencies):,.0f} µs", ratio, "–", True)
