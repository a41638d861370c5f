# SPDX-License-Identifier: MIT
"""Checked requests through one way into Core, from a process of its own:
`python -m tests.support.traffic '{"way": ..., "count": ..., ...}'` prints how many were answered
rightly, and what was wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import grpc
import numpy as np
import requests
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support import oip, paths, process
from tests.support.ipc import Client, Frame, RawIpc, encode_infer, read_result, wire
from tests.support.ipc_ring import RawRing
from tests.support.tensors import from_reply, max_difference, to_json

SCALE, IDS, TEXT, REAL = "load/scale", "load/ids", "load/text", "load/real"
FACTOR = 1.5
# How many requests a way keeps under way at a time, where it can.
IN_FLIGHT = 16

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Target:
    """Where Core is, and the inputs and outputs of its `REAL` model."""

    url: str
    grpc_address: str
    socket: str
    real: str


@dataclass(frozen=True)
class Sample:
    """A request and its answer. Only `REAL` may differ, by what batching may change."""

    model: str
    inputs: Arrays
    expected: Arrays

    def check(self, outputs: Arrays) -> str:
        """What is wrong with an answer; empty where nothing is."""
        allowed = 1e-5 if self.model == REAL else 0.0
        difference = max_difference(outputs, self.expected)
        return "" if difference <= allowed else f"{self.model}: off by {difference}"


def samples(seed: int, real: Path) -> Iterator[Sample]:
    """Requests without end, the same for a seed; every twentieth runs the real model."""
    rng = np.random.default_rng(seed)
    with np.load(real) as file:
        pairs = dict(file)
    names = {side: [key[2:] for key in pairs if key[0] == side] for side in "io"}
    runs = len(pairs["i_" + names["i"][0]])
    while True:
        kind = rng.integers(20)
        if kind == 0:
            run = rng.integers(runs)
            given, wanted = ({n: pairs[f"{side}_{n}"][run] for n in names[side]} for side in "io")
            yield Sample(REAL, given, wanted)
        elif kind < 10:
            x = rng.standard_normal(rng.integers(1, 200), np.float32)
            yield Sample(SCALE, {"x": x}, {"y": x * np.float32(FACTOR)})
        elif kind < 16:
            x = rng.integers(-(2**63), 2**63 - 1, rng.integers(1, 9, 2), np.int64)
            yield Sample(IDS, {"x": x}, {"y": x})
        else:
            numbers = rng.integers(0, 10**9, rng.integers(1, 9, 2))
            x = np.array([[f"ä{n}" for n in row] for row in numbers], dtype=object)
            yield Sample(TEXT, {"x": x}, {"y": x})


Answers = Iterator[tuple[Sample, Arrays]]


def http_json(target: Target, todo: Iterable[Sample]) -> Answers:
    """POST /models/{id}/inference."""
    session = _session()
    for sample in todo:
        body = {name: to_json(array) for name, array in sample.inputs.items()}
        path = f"{target.url}/models/{sample.model.replace('/', '%2F')}/inference"
        reply = session.post(path, json=body, timeout=60)
        reply.raise_for_status()
        yield sample, from_reply(reply.json())


def oip_binary(target: Target, todo: Iterable[Sample]) -> Answers:
    """POST /v2/models/{id}/infer in binary."""
    session = _session()
    for number, sample in enumerate(todo):
        body, headers = oip.binary_body(sample.inputs, id=str(number))
        path = f"{target.url}/v2/models/{sample.model}/infer"
        reply = session.post(path, data=body, headers=headers, timeout=60)
        reply.raise_for_status()
        assert f'"id":"{number}"'.encode() in reply.content, "the answer of another request"
        yield sample, oip.from_reply(reply.content, reply.headers.get(oip.LENGTH))


def grpc_unary(target: Target, todo: Iterable[Sample]) -> Answers:
    """ModelInfer, several calls at once over one connection."""
    with grpc.insecure_channel(target.grpc_address) as channel:
        infer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer

        def ask(number: int, sample: Sample) -> tuple[str, grpc.Future]:
            return str(number), infer.future(oip_message(sample, str(number)), timeout=60)

        for sample, (number, call) in _windowed(todo, ask):
            reply = call.result()
            assert reply.id == number, "the answer of another request"
            yield sample, oip_outputs(reply)


def grpc_stream(target: Target, todo: Iterable[Sample]) -> Answers:
    """ModelStreamInfer: one stream, several requests ahead of their answers."""
    room = threading.Semaphore(IN_FLIGHT)
    asked: deque[Sample] = deque()

    def requests_of() -> Iterator[pb.ModelInferRequest]:
        for number, sample in enumerate(todo):
            room.acquire()
            asked.append(sample)
            yield oip_message(sample, str(number))

    with grpc.insecure_channel(target.grpc_address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        for number, reply in enumerate(stub.ModelStreamInfer(requests_of())):
            assert not reply.error_message, reply.error_message
            assert reply.infer_response.id == str(number), "the answer of another request"
            yield asked.popleft(), oip_outputs(reply.infer_response)
            room.release()
    assert not asked, f"{len(asked)} requests without an answer"


def ipc_socket(target: Target, todo: Iterable[Sample]) -> Answers:
    """INFER frames, several ahead of their answers."""
    with Client(target.socket) as client:
        for sample, pending in _windowed(todo, lambda _, s: client.submit(s.model, s.inputs)):
            yield sample, pending.result(60).outputs


def ipc_ring(target: Target, todo: Iterable[Sample]) -> Answers:
    """The same through a ring in shared memory; answers come in any order."""
    with RawIpc(target.socket) as raw:
        ring = RawRing(raw, slots=IN_FLIGHT, slot_bytes=1 << 16)
        asked: dict[int, Sample] = {}

        def answer() -> tuple[Sample, Arrays]:
            kind, number, body = ring.get(60)
            assert kind == Frame.RESULT, f"a frame of type {kind:#x}: {body[:200]!r}"
            return asked.pop(number), read_result(memoryview(body), {})[0]

        for number, sample in enumerate(todo, start=100):
            if len(asked) == IN_FLIGHT // 2:
                yield answer()
            parts = encode_infer(sample.model, sample.inputs, [], 0, False)
            asked[number] = sample
            ring.put(wire.frame(Frame.INFER, number, b"".join(map(bytes, parts))))
        while asked:
            yield answer()


WAYS: dict[str, Callable[[Target, Iterable[Sample]], Answers]] = {
    way.__name__: way
    for way in (http_json, oip_binary, grpc_unary, grpc_stream, ipc_socket, ipc_ring)
}


def oip_message(sample: Sample, number: str) -> pb.ModelInferRequest:
    """A sample as ModelInfer takes it."""
    tensors = [
        pb.ModelInferRequest.InferInputTensor(
            name=name, datatype=oip.datatype(array), shape=array.shape
        )
        for name, array in sample.inputs.items()
    ]
    raw = [oip.to_bytes(array) for array in sample.inputs.values()]
    return pb.ModelInferRequest(
        model_name=sample.model, id=number, inputs=tensors, raw_input_contents=raw
    )


def oip_outputs(reply: pb.ModelInferResponse) -> Arrays:
    """What ModelInfer answered."""
    return {
        output.name: oip.from_bytes(content, output.datatype).reshape(output.shape)
        for output, content in zip(reply.outputs, reply.raw_output_contents, strict=True)
    }


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _windowed(
    todo: Iterable[Sample], ask: Callable[[int, Sample], Future]
) -> Iterator[tuple[Sample, Future]]:
    """Asks up to `IN_FLIGHT` ahead."""
    ahead: deque[tuple[Sample, Future]] = deque()
    for number, sample in enumerate(todo):
        if len(ahead) == IN_FLIGHT:
            yield ahead.popleft()
        ahead.append((sample, ask(number, sample)))
    yield from ahead


def start(target: Target, way: str, count: int, seed: int) -> subprocess.Popen:
    """Starts a process that asks `count` requests, or without an end where that is 0, until its
    input is closed; see `finish`. It says "answered" on a line of its own after its first."""
    order = json.dumps({"way": way, "count": count, "seed": seed, "target": asdict(target)})
    return process.spawn(
        [sys.executable, "-m", "tests.support.traffic", order], cwd=paths.ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(client: subprocess.Popen, timeout_s: float) -> tuple[int, list[str]]:
    """Closes its input, waits for its end, and gives what it was answered and what was wrong."""
    output, _ = client.communicate(timeout=timeout_s)
    assert client.returncode == 0, f"the client ended with {client.returncode}"
    told = json.loads(output.splitlines()[-1])
    return told["answered"], told["wrong"]


def main(order: dict) -> None:
    """Asks what `order` says and prints the outcome."""
    target = Target(**order["target"])
    todo = samples(order["seed"], Path(target.real))
    todo = islice(todo, order["count"]) if order["count"] else _until_told(todo)
    answered, wrong = 0, []
    for sample, outputs in WAYS[order["way"]](target, todo):
        answered += 1
        if answered == 1:
            print("answered", flush=True)
        if fault := sample.check(outputs):
            wrong.append(fault)
    print(json.dumps({"answered": answered, "wrong": wrong[:10]}))


def _until_told(todo: Iterator[Sample]) -> Iterator[Sample]:
    """Samples until the input is closed."""
    told = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), told.set()), daemon=True).start()
    while not told.is_set():
        yield next(todo)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
