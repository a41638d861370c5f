# SPDX-License-Identifier: MIT
"""Clients that give up, through Triton's own library, and clients that ask too much: work that
nobody waits for is not done, and what finds no room is told at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import grpc
import numpy as np
import pytest
import requests
import tritonclient.grpc as triton_grpc
import tritonclient.grpc.aio as triton_grpc_aio
import tritonclient.http.aio as triton_http_aio
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from tests.support.graphs import slow
from tests.support.open_core import OpenCore
from tests.support.raw_h2 import INFER, RawH2, message
from tests.support.waiting import wait_until

SLOW = "ns/slow@v1"
ASKED = 12
QUEUE = 3


@pytest.fixture
def core(tmp_path: Path) -> Iterator[OpenCore]:
    """Core that runs one request of `SLOW` at a time."""
    yield from running(tmp_path, "--compute-threads", "1", "--intra-op-threads", "1")


@pytest.fixture
def small_core(tmp_path: Path) -> Iterator[OpenCore]:
    """The same with little room to wait in."""
    queue = ["--queue-length-max", str(QUEUE), "--max-batch-size", "1"]
    yield from running(tmp_path, "--compute-threads", "1", "--intra-op-threads", "1", *queue)


def running(folder: Path, *args: str) -> Iterator[OpenCore]:
    core = OpenCore(folder / "core", *args).start()
    assert core.register(SLOW, slow(folder / "slow.onnx", 250)).status_code == 200
    # Its run time is known from now on.
    assert core.post(core.model_path(SLOW, "inference"), json={"x": [1]}).status_code == 200
    yield core
    assert core.stop() == 0


def inputs(module) -> list:
    array = np.ones(1, np.float32)
    tensor = module.InferInput("x", [1], "FP32")
    tensor.set_data_from_numpy(array)
    return [tensor]


def cancel_async_infer(core: OpenCore) -> None:
    """InferenceServerClient.async_infer and CallContext.cancel."""
    with triton_grpc.InferenceServerClient(core.grpc_address) as client:
        calls = [
            client.async_infer(SLOW, inputs(triton_grpc), callback=lambda result, error: None)
            for _ in range(ASKED)
        ]
        wait_until_under_way(core)
        for call in calls:
            call.cancel()


def cancel_stream(core: OpenCore) -> None:
    """stop_stream that does not wait for answers. A stream is answered in order, one request at a
    time: its first one waits behind those of another client."""
    with (
        triton_grpc.InferenceServerClient(core.grpc_address) as other,
        triton_grpc.InferenceServerClient(core.grpc_address) as client,
    ):
        done: list = []
        ahead = [
            other.async_infer(SLOW, inputs(triton_grpc), callback=lambda *told: done.append(told))
            for _ in range(8)
        ]
        wait_until_under_way(core)
        client.start_stream(lambda result, error: None)
        for _ in range(ASKED):
            client.async_stream_infer(SLOW, inputs(triton_grpc))
        # One more than those that may still be there.
        wait_until(lambda: len(ahead) - len(done) < core.in_flight(), 30)
        client.stop_stream(cancel_requests=True)
        wait_until(lambda: core.in_flight() == 0, 30)


def cancel_asyncio(module, address: str):
    """Tasks of an asyncio client that are cancelled."""

    async def ask(core: OpenCore) -> None:
        async with module.InferenceServerClient(address) as client:
            tasks = [
                asyncio.create_task(client.infer(SLOW, inputs(module))) for _ in range(ASKED)
            ]
            await asyncio.sleep(0)
            await asyncio.to_thread(wait_until_under_way, core)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return ask


def cancel_grpc_asyncio(core: OpenCore) -> None:
    asyncio.run(cancel_asyncio(triton_grpc_aio, core.grpc_address)(core))


def cancel_http_asyncio(core: OpenCore) -> None:
    """Over HTTP a client gives up by closing its connection."""
    asyncio.run(cancel_asyncio(triton_http_aio, f"127.0.0.1:{core.port}")(core))


def wait_until_under_way(core: OpenCore) -> None:
    wait_until(lambda: core.in_flight() >= 2, 30)


CANCELS = [cancel_async_infer, cancel_stream, cancel_grpc_asyncio, cancel_http_asyncio]


@pytest.mark.parametrize("cancel", CANCELS)
def test_work_that_nobody_waits_for_is_cancelled(core, cancel):
    with contextlib.suppress(asyncio.CancelledError):
        cancel(core)
    wait_until(lambda: core.in_flight() == 0, 30)
    stats = core.get("/stats").json()["models"][0]
    assert stats["errors"].get("CANCELLED", 0) >= 1, stats
    assert set(stats["errors"]) == {"CANCELLED"}, stats
    assert stats["successful_requests"] < 1 + ASKED
    assert core.post(core.model_path(SLOW, "inference"), json={"x": [1]}).status_code == 200


def test_no_room_over_grpc_is_said_at_once(small_core):
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1])
    request = pb.ModelInferRequest(
        model_name=SLOW, inputs=[tensor], raw_input_contents=[np.ones(1, np.float32).tobytes()]
    )
    with grpc.insecure_channel(small_core.grpc_address) as channel:
        infer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer
        done: list[grpc.Future] = []
        calls = [infer.future(request, timeout=60) for _ in range(4 * ASKED)]
        for call in calls:
            call.add_done_callback(done.append)
        wait_until(lambda: len(done) == len(calls), 30)
        codes = [call.code() for call in done]
        refused = [call for call in done if call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED]
        assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
        for call in refused:
            told = dict(call.trailing_metadata())
            assert told["mlos-reason"] == "OVERLOADED"
            assert int(told["grpc-retry-pushback-ms"]) >= 1
        # Who was refused did not wait behind those who were not.
        assert codes[-1] == grpc.StatusCode.OK
        assert infer(request, timeout=60).model_name == SLOW


def test_no_room_over_http_is_said_with_a_time_to_come_back(small_core):
    url = f"{small_core.url}/v2/models/ns--slow/infer"
    body = {"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}
    with ThreadPoolExecutor(2 * ASKED) as pool:
        asked = [pool.submit(requests.post, url, json=body, timeout=60) for _ in range(4 * ASKED)]
        replies = [future.result() for future in as_completed(asked)]
    assert {reply.status_code for reply in replies} == {200, 503}
    for reply in replies:
        if reply.status_code == 503:
            assert reply.json()["reason"] == "OVERLOADED"
            assert int(reply.headers["Retry-After"]) >= 1
    assert requests.post(url, json=body, timeout=60).status_code == 200


def test_what_is_past_its_grpc_timeout_is_not_run(core):
    """It waits for another client's request; whoever sent it says nothing more."""
    tensor = pb.ModelInferRequest.InferInputTensor(name="x", datatype="FP32", shape=[1])
    request = pb.ModelInferRequest(
        model_name=SLOW, inputs=[tensor], raw_input_contents=[np.ones(1, np.float32).tobytes()]
    )
    body = message(request.SerializeToString())
    before = core.get("/stats").json()["models"][0]["successful_requests"]
    with RawH2(core.grpc_port) as client:
        ahead = (1, 3, 5, 7)
        for stream_id in ahead:
            client.send(client.call(stream_id, INFER, body))
        wait_until_under_way(core)
        client.send(client.call(9, INFER, body, extra=(("grpc-timeout", "1m"),)))
        late = client.trailers(9)
        assert (late["grpc-status"], late["mlos-reason"]) == ("4", "DEADLINE_EXCEEDED")
        assert [client.trailers(stream_id)["grpc-status"] for stream_id in ahead] == ["0"] * 4
    stats = core.get("/stats").json()["models"][0]
    assert stats["successful_requests"] == before + len(ahead)
    # The call is ended when its time is up, or the request when its turn comes.
    assert stats["errors"] in ({"DEADLINE_EXCEEDED": 1}, {"CANCELLED": 1})


def test_methods_that_are_not_offered_are_unimplemented(core):
    with grpc.insecure_channel(core.grpc_address) as channel:
        ask = channel.unary_unary("/grpc.health.v1.Health/Forget")
        with pytest.raises(grpc.RpcError) as raised:
            ask(b"", timeout=20)
        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
