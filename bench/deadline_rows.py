# SPDX-License-Identifier: MIT
"""How late a deadline is answered at each door while runs without end take every core twice: those
of a graph with a loop, which Core can stop, and those of a plugin that never looks."""

import http.client
import json
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
from tritonclient.grpc import service_pb2, service_pb2_grpc

from load import DEAF, ENDLESS, LOOP, NEVER_LOOKING, cores, held
from models import make_endless
from row import Row, median
from servers import FIXTURES_ALLOWED, ROOT, Core, fetch, wait_until

sys.path.insert(0, str(ROOT / "sdk/python"))

from mlos.client import Client, MlosError  # noqa: E402

DEADLINE_S = 0.1
CALLERS, REQUESTS = 4, 25
GOAL_MS = 50
# Some run when they are due, the others wait for a run.
MODELS = {"endless": LOOP, "worker-in-place": DEAF}


def _http(core, _folder):
    address = urllib.parse.urlsplit(core.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    headers = {"X-Request-Timeout-Ms": str(int(DEADLINE_S * 1e3))}

    def ask(model):
        connection.request("POST", f"/models/{model}/inference", json.dumps(MODELS[model]), headers)
        reply = connection.getresponse()
        return json.loads(reply.read())["reason"]
    return ask


def _grpc(_core, folder):
    port = (folder / "state/grpc.port").read_text().strip()
    options = [("grpc.use_local_subchannel_pool", 1)]
    infer = service_pb2_grpc.GRPCInferenceServiceStub(
        grpc.insecure_channel(f"127.0.0.1:{port}", options)).ModelInfer

    def ask(model):
        request = service_pb2.ModelInferRequest(model_name=model)
        request.parameters["timeout"].int64_param = int(DEADLINE_S * 1e6)
        for name, value in MODELS[model].items():
            request.inputs.add(name=name, datatype="INT64", shape=[])
            request.raw_input_contents.append(np.int64(value).tobytes())
        try:
            infer(request)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"
    return ask


def _ipc(_core, folder):
    client = Client(str(folder / "core.sock"), timeout_s=60)

    def ask(model):
        inputs = {name: np.int64(value) for name, value in MODELS[model].items()}
        try:
            client.infer(model, inputs, timeout_s=DEADLINE_S)
        except MlosError as error:
            return error.reason
        return "OK"
    return ask


DOORS = {"HTTP": _http, "gRPC": _grpc, "IPC": _ipc}


def _lateness_ms(ask):
    """Of one caller's requests, sent one after the other; the first, which connects, is not
    counted."""
    times = []
    for number in range(1 + REQUESTS):
        start = time.perf_counter()
        told = ask(list(MODELS)[number % len(MODELS)])
        times.append((time.perf_counter() - start - DEADLINE_S) * 1e3)
        if told != "DEADLINE_EXCEEDED":
            raise RuntimeError(f"a request that is due is told {told}")
    return times[1:]


def _measure(core, folder):
    """The answers of each door, in order of lateness."""
    late = {}
    for name, connect in DOORS.items():
        callers = [connect(core, folder) for _ in range(CALLERS)]
        with ThreadPoolExecutor(CALLERS) as pool:
            late[name] = sorted(sum(pool.map(_lateness_ms, callers), []))
    return late


def _busy(folder, repetitions):
    """What was measured in each repetition, while the cores are taken."""
    core = Core(folder / "state", ["--grpc-port", "0", "--socket", str(folder / "core.sock"),
                                   "--drain-timeout-ms", "1000", *FIXTURES_ALLOWED])
    try:
        core.register("endless", make_endless(folder))
        core.register_fixture(folder, "worker-in-place")
        fetch(core.inference_url("endless"), b'{"steps": 1}')
        with held(core, ENDLESS, cores()), held(core, NEVER_LOOKING, cores()):
            wait_until(lambda: core.in_flight() == 2 * cores())
            return [_measure(core, folder) for _ in range(repetitions)]
    finally:
        core.stop()


def rows(folder, repetitions):
    """One row a door: the median of the repetitions' p99 and the worst of all."""
    measured = _busy(folder, repetitions)
    for name in DOORS:
        late = [repetition[name] for repetition in measured]
        p99 = median(times[len(times) * 99 // 100 - 1] for times in late)
        p50 = median(median(times) for times in late)
        worst = max(times[-1] for times in late)
        yield Row(f"{name}, an answer after its deadline, endless runs on every core, p99",
                  f"{p99:.1f} ms (p50 {p50:.1f} ms, worst {worst:.1f} ms)", "–", float("nan"),
                  f"≤ {GOAL_MS} ms", p99 <= GOAL_MS)
