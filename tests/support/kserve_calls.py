# SPDX-License-Identifier: MIT
"""KServe's own clients against Core, run by the Python that has them installed (.deps/kserve):
`python kserve_calls.py HTTP-URL GRPC-ADDRESS MODEL` prints what they were told. MODEL is an id;
over HTTP, where a slash cannot be, it is named by its alias."""

from __future__ import annotations

import asyncio
import json
import sys

import httpx
import kserve
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

VALUES = np.array([[1, 2.5, -3]], np.float32)


def request(model: str, binary: bool, request_id: str) -> InferRequest:
    """An inference over `VALUES`."""
    tensor = InferInput("x", list(VALUES.shape), "FP32")
    tensor.set_data_from_numpy(VALUES, binary_data=binary)
    return InferRequest(model, [tensor], request_id=request_id)


def told(response: kserve.InferResponse) -> dict:
    """What an answer says."""
    output = response.outputs[0]
    return {"id": response.id, "name": output.name, "y": output.as_numpy().tolist()}


async def rest(url: str, model: str) -> dict:
    """Everything InferenceRESTClient does in version 2 of the protocol."""
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
        answers = {
            "live": await client.is_server_live(url),
            "ready": await client.is_server_ready(url),
            "model ready": await client.is_model_ready(url, model),
            "none ready": await client.is_model_ready(url, "ns--none"),
        }
        for form, binary in (("JSON", False), ("binary", True)):
            reply = await client.infer(url, request(model, binary, form), model_name=model)
            answers[form] = told(reply)
        try:
            await client.infer(url, request("ns--none", False, "7"), model_name="ns--none")
        except httpx.HTTPStatusError as error:
            answers["refused"] = error.response.status_code
        return answers


async def grpc(address: str, model: str) -> dict:
    """Everything InferenceGRPCClient does."""
    async with InferenceGRPCClient(address, retries=0) as client:
        answers = {
            "live": await client.is_server_live(),
            "ready": await client.is_server_ready(),
            "model ready": await client.is_model_ready(model),
            "none ready": await client.is_model_ready("ns--none"),
        }
        for form, binary in (("JSON", False), ("binary", True)):
            answers[form] = told(await client.infer(request(model, binary, form)))
        try:
            await client.infer(request("ns--none", True, "7"))
        except Exception as error:  # noqa: BLE001  told to the test
            answers["refused"] = str(error.code())
        return answers


async def main(url: str, address: str, model: str) -> None:
    over_rest = await rest(url, model.replace("/", "--"))
    print(json.dumps({"rest": over_rest, "grpc": await grpc(address, model)}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
