# SPDX-License-Identifier: MIT
"""Triton's asyncio clients, unchanged, against Core: each call over HTTP and over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
import tritonclient.grpc.aio as grpc_aio
import tritonclient.http.aio as http_aio
from tritonclient.utils import InferenceServerException

from tests.support.graphs import scale
from tests.support.open_core import OpenCore

NAME, OTHER = "t/scale@1", "t/other@1"


@dataclass(frozen=True)
class Door:
    """A client of one door, what it is made with, and how it asks for compression both ways."""

    module: ModuleType
    client: object
    json: dict
    compressions: tuple[dict, ...]

    def inputs(self, array: np.ndarray) -> list:
        tensor = self.module.InferInput("x", list(array.shape), "FP32")
        tensor.set_data_from_numpy(array)
        return [tensor]

    async def scaled(self, array: np.ndarray, **options: object) -> None:
        """Runs y = 2 x and compares."""
        result = await self.client.infer(NAME, self.inputs(array), **options)
        np.testing.assert_array_equal(result.as_numpy("y"), array * 2)


async def health_and_metadata(door: Door) -> None:
    assert await door.client.is_server_live()
    assert await door.client.is_server_ready()
    assert await door.client.is_model_ready(NAME)
    assert not await door.client.is_model_ready("t/none@1")
    assert (await door.client.get_server_metadata(**door.json))["name"] == "mlos-core"
    (x,) = (await door.client.get_model_metadata(NAME, **door.json))["inputs"]
    assert (x["name"], x["datatype"], [int(size) for size in x["shape"]]) == ("x", "FP32", [-1])


async def many_at_once(door: Door) -> None:
    arrays = [np.full(4 + i, i, np.float32) for i in range(100)]
    await asyncio.gather(*map(door.scaled, arrays))


async def refusals(door: Door) -> None:
    with pytest.raises(InferenceServerException, match="t/none@1"):
        await door.client.infer("t/none@1", door.inputs(np.ones(1, np.float32)))
    with pytest.raises(InferenceServerException, match="shape"):
        await door.client.infer(NAME, door.inputs(np.ones((1, 1), np.float32)))


async def compression(door: Door) -> None:
    array = np.arange(50_000, dtype=np.float32)
    for options in door.compressions:
        await door.scaled(array, **options)


async def repository(door: Door) -> None:
    async def states() -> dict[str, str]:
        index = await door.client.get_model_repository_index(**door.json)
        models = index["models"] if isinstance(index, dict) else index
        return {model["name"]: model["state"] for model in models}

    await door.client.unload_model(OTHER)
    assert await states() == {NAME: "READY", OTHER: "UNAVAILABLE"}
    assert not await door.client.is_model_ready(OTHER)
    await door.client.load_model(OTHER)
    assert await states() == {NAME: "READY", OTHER: "READY"}
    with pytest.raises(InferenceServerException, match="t/none@1"):
        await door.client.load_model("t/none@1")


async def statistics(door: Door) -> None:
    async def counts() -> tuple[int, int]:
        (model,) = (await door.client.get_inference_statistics(NAME, **door.json))["model_stats"]
        stats = model["inference_stats"]
        return int(stats["success"].get("count", 0)), int(stats["fail"].get("count", 0))

    before = await counts()
    await door.scaled(np.ones(3, np.float32))
    with pytest.raises(InferenceServerException):
        await door.client.infer(NAME, door.inputs(np.ones((1, 1), np.float32)))
    assert await counts() == (before[0] + 1, before[1] + 1)
    every = await door.client.get_inference_statistics(**door.json)
    assert {model["name"] for model in every["model_stats"]} == {NAME, OTHER}


async def stream(door: Door) -> None:
    """Answers come in order; one request that fails does not end the stream."""
    count = 50

    async def requests():
        for i in range(count):
            name = "t/none@1" if i == 20 else NAME
            inputs = door.inputs(np.full(3, i, np.float32))
            yield {"model_name": name, "inputs": inputs, "request_id": str(i)}

    answers = [answer async for answer in door.client.stream_infer(requests())]
    assert len(answers) == count
    for i, (result, error) in enumerate(answers):
        if i == 20:
            assert "t/none@1" in str(error)
            continue
        assert error is None and result.get_response().id == str(i)
        assert result.as_numpy("y").tolist() == [2.0 * i] * 3


async def stream_given_up(door: Door) -> None:
    """A stream whose caller goes away after an answer; the connection goes on."""

    async def requests():
        while True:
            yield {"model_name": NAME, "inputs": door.inputs(np.ones(3, np.float32))}
            await asyncio.sleep(0.001)

    answers = door.client.stream_infer(requests())
    async for result, error in answers:
        assert error is None and result.as_numpy("y").tolist() == [2.0] * 3
        break
    answers.cancel()
    await door.scaled(np.ones(3, np.float32))


BOTH = [health_and_metadata, many_at_once, refusals, compression, repository, statistics]
CALLS = [("http", call) for call in BOTH] + [("grpc", call) for call in BOTH]
CALLS += [("grpc", stream), ("grpc", stream_given_up)]
HTTP_CODINGS = tuple(
    {"request_compression_algorithm": there, "response_compression_algorithm": back}
    for there in (None, "gzip", "deflate")
    for back in (None, "gzip", "deflate")
)


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asyncio")
    core = OpenCore(folder / "core").start()
    for name, factor in ((NAME, 2.0), (OTHER, 3.0)):
        graph = scale(folder / f"{factor}.onnx", factor)
        assert core.register(name, graph).status_code == 200
    yield core
    assert core.stop() == 0


@pytest.mark.parametrize(("name", "call"), CALLS, ids=lambda part: getattr(part, "__name__", part))
def test_asyncio(core: OpenCore, name: str, call: Callable[[Door], Awaitable[None]]):
    async def run() -> None:
        if name == "http":
            async with http_aio.InferenceServerClient(f"127.0.0.1:{core.port}") as client:
                await call(Door(http_aio, client, {}, HTTP_CODINGS))
        else:
            async with grpc_aio.InferenceServerClient(core.grpc_address) as client:
                json = {"as_json": True}
                compressions = ({}, {"compression_algorithm": "gzip"})
                await call(Door(grpc_aio, client, json, compressions))

    asyncio.run(run())
