# SPDX-License-Identifier: MIT
"""The daemon under test with all its doors open; one inference through each of them: "OK" or the
reason of its failure; and the plugins of tests/plugin/fixtures in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import requests
import tritonclient.grpc as triton_grpc

from tests.support import oip, paths
from tests.support.core import Core
from tests.support.grpc_core import GrpcCore
from tests.support.ipc import Client, IpcCore, MlosError
from tests.support.tensors import to_json


class OpenCore(GrpcCore, IpcCore):
    """A Core that listens for HTTP at `url`, for gRPC at `grpc_address` and for IPC at `socket`."""


Arrays = dict[str, np.ndarray]
# Core, a model, inputs, and the time that Core has for it: None for no limit.
Ask = Callable[[OpenCore, str, Arrays, "float | None"], str]
_PATIENCE_S = 60


def ask_http(core: OpenCore, model: str, inputs: Arrays, timeout_s: float | None = None) -> str:
    headers = {} if timeout_s is None else {"X-Request-Timeout-Ms": str(int(timeout_s * 1000))}
    body = {name: to_json(array) for name, array in inputs.items()}
    url = core.url + core.model_path(model, "inference")
    reply = requests.post(url, json=body, headers=headers, timeout=_PATIENCE_S)
    return "OK" if reply.status_code == 200 else reply.json()["reason"]


def ask_grpc(core: OpenCore, model: str, inputs: Arrays, timeout_s: float | None = None) -> str:
    tensors = []
    for name, array in inputs.items():
        tensors.append(triton_grpc.InferInput(name, list(array.shape), oip.datatype(array)))
        tensors[-1].set_data_from_numpy(array)
    with triton_grpc.InferenceServerClient(core.grpc_address) as client:
        try:
            # As a parameter, so that Core answers and not the client's own clock.
            timeout_us = None if timeout_s is None else int(timeout_s * 1e6)
            client.infer(model, tensors, timeout=timeout_us)
        except triton_grpc.InferenceServerException as error:
            return error.status().removeprefix("StatusCode.")
    return "OK"


def ask_ipc(core: OpenCore, model: str, inputs: Arrays, timeout_s: float | None = None) -> str:
    options = {} if timeout_s is None else {"timeout_s": timeout_s}
    with Client(str(core.socket), timeout_s=_PATIENCE_S) as client:
        try:
            client.infer(model, inputs, **options)
        except MlosError as error:
            return error.reason
    return "OK"


DOORS = pytest.mark.parametrize("ask", [ask_http, ask_grpc, ask_ipc])


def fixtures_allowed() -> list[str]:
    """The options that let Core load the plugins of tests/plugin/fixtures beside its own."""
    return ["--plugin-dir", str(_fixtures()), "--plugin-dir", str(paths.product("plugins"))]


def register_fixture(core: Core, plugin: str, *models: str) -> None:
    """Registers the plugin of that file, the top of which tells what it does, and models of it."""
    plugin_id = plugin.replace("_", "-")
    description = {"id": plugin_id, "path": str(_fixtures() / f"{plugin}.so")}
    done = core.post("/plugins/register", json=description)
    assert done.status_code == 200, done.text
    for model in models:
        path = core.folder / f"{model}.model"
        path.write_text("anything")
        done = core.register(model, path, plugin_id=plugin_id, execution_format="any")
        assert done.status_code == 200, done.text


def integers(**inputs: int) -> Arrays:
    """Inputs of theirs, int64 scalars all."""
    return {name: np.array(number, np.int64) for name, number in inputs.items()}


def _fixtures():
    return paths.product("tests/plugin/fixtures")
