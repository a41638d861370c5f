# SPDX-License-Identifier: MIT
"""One connection to Core."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from mlos.client import tensors, wire
from mlos.client.connection import Connection
from mlos.client.error import MlosError, ProtocolError
from mlos.client.messages import Output, encode_infer, read_result
from mlos.client.region import Region, RegionTensor
from mlos.client.wire import Frame


@dataclass(frozen=True)
class Result:
    """The answer of a model. Outputs that went to a region are arrays over it."""

    outputs: dict[str, np.ndarray]
    model_version: str
    queue_time_us: int
    inference_time_us: int


class Pending:
    """A request in flight."""

    def __init__(self, client: Client, request_id: int, regions: dict[int, Region]):
        self._client = client
        self._regions = regions
        self.request_id = request_id

    def result(self, timeout_s: float | None = None) -> Result:
        """Waits for the answer, once. MlosError; TimeoutError if it did not come in time; it may
        still come."""
        body = self._client.wait(self.request_id, Frame.RESULT, timeout_s)
        return Result(*read_result(body, self._regions))

    def cancel(self) -> None:
        """Cancels the request; `result` then raises CANCELLED, unless the answer was quicker."""
        self._client.cancel(self.request_id)


class Client:
    """A connection to Core, with any number of requests in flight. Thread-safe: a thread that
    waits for an answer also reads those of the others."""

    def __init__(
        self,
        socket: str | os.PathLike | None = None,
        timeout_s: float = 10.0,
        *,
        server_user: str | int | None = None,
    ):
        """Connects to `socket`, or to the first default place at which a trusted Core listens.

        Core must run as this user, as root, or as `server_user` (a name or a number; by default
        what the environment variable MLOS_SERVER_USER says). PermissionError if someone else
        serves; OSError if no Core listens; ValueError if there is no such user; ProtocolError;
        MlosError if Core refuses."""
        self._ids = itertools.count(1)
        self._region_ids = itertools.count(1)
        path = os.fspath(socket) if socket else None
        self._connection = Connection(path, timeout_s, server_user)
        try:
            body = wire.HELLO.pack(wire.MAGIC, wire.VERSION, wire.VERSION, 0)
            hello = self._ask(Frame.HELLO, body, Frame.HELLO_OK, timeout_s)
        except BaseException:
            self._connection.close()
            raise
        _, self.version, self.requests_max, self.frame_bytes_max, _, _, size = (
            wire.HELLO_OK.unpack_from(hello)
        )
        start = wire.HELLO_OK.size
        self.server_version = bytes(hello[start : start + size]).decode()

    def close(self) -> None:
        """Ends the connection and cancels requests in flight."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def health(self) -> dict:
        """The answer of `GET /health`."""
        return self._document(Frame.HEALTH)

    def ready(self) -> bool:
        """Whether every registered model has been tried."""
        return self._document(Frame.READINESS)["status"] == "ready"

    def register_model(self, model_id: str, path: str | os.PathLike, **fields: object) -> dict:
        """Registers a model; `fields` and the answer are those of `POST /models/register`."""
        return self._document(
            Frame.REGISTER_MODEL, {"model_id": model_id, "path": os.fspath(path), **fields}
        )

    def list_models(self) -> list[dict]:
        """The registered models, as `GET /models` tells of them."""
        return self._document(Frame.LIST_MODELS)["models"]

    def get_model(self, model_id: str) -> dict:
        """One model."""
        return self._document(Frame.GET_MODEL, model_id)

    def load_model(self, model_id: str) -> dict:
        """Takes a registered model into memory."""
        return self._document(Frame.LOAD_MODEL, model_id)

    def unload_model(self, model_id: str) -> dict:
        """Takes it out of memory; it stays registered."""
        return self._document(Frame.UNLOAD_MODEL, model_id)

    def remove_model(self, model_id: str) -> dict:
        """Forgets it."""
        return self._document(Frame.REMOVE_MODEL, model_id)

    def register_plugin(self, plugin_id: str, **fields: object) -> dict:
        """Registers a plugin; `fields` are those of `POST /plugins/register`."""
        return self._document(Frame.REGISTER_PLUGIN, {"id": plugin_id, **fields})

    def list_plugins(self) -> list[dict]:
        """The registered plugins."""
        return self._document(Frame.LIST_PLUGINS)["plugins"]

    def get_plugin(self, plugin_id: str) -> dict:
        """One plugin."""
        return self._document(Frame.GET_PLUGIN, plugin_id)

    def remove_plugin(self, plugin_id: str) -> dict:
        """Forgets it, unless a model needs it."""
        return self._document(Frame.REMOVE_PLUGIN, plugin_id)

    def input_region(self, size_bytes: int) -> Region:
        """Memory for inputs; see Region."""
        return self._map(size_bytes, wire.READ)

    def output_region(self, size_bytes: int) -> Region:
        """Memory for outputs; see Region."""
        return self._map(size_bytes, wire.WRITE)

    def infer(self, model_id: str, inputs: Mapping[str, object], **options: object) -> Result:
        """Runs a model and waits; see `submit`."""
        return self.submit(model_id, inputs, **options).result()

    def submit(
        self,
        model_id: str,
        inputs: Mapping[str, np.ndarray | RegionTensor],
        *,
        outputs: Iterable[str | Output] = (),
        timeout_s: float | None = None,
        fit: bool = False,
        sequence_id: int | str = 0,
        sequence_start: bool = False,
        sequence_end: bool = False,
    ) -> Pending:
        """Starts to run a model over arrays (anything numpy makes an array of) or tensors in
        regions.

        `outputs` lists the wanted ones in order: a name, or `(name, region, offset, size)` for one
        that Core writes into a region. If it is empty, all are wanted. `timeout_s` limits Core's
        time (DEADLINE_EXCEEDED). `fit` lets Core fit shapes to the model's, as over HTTP; otherwise
        they are exact.

        Core keeps a model's state between the requests of one `sequence_id` (0 and "" mean none),
        from `sequence_start` to `sequence_end`: inputs may leave the state out, and outputs leave
        it out unless they name it."""
        request_id = next(self._ids)
        wanted = [(item, None, 0, 0) if isinstance(item, str) else item for item in outputs]
        timeout_us = 0 if timeout_s is None else max(1, int(timeout_s * 1e6))
        step = (str(sequence_id or ""), sequence_start, sequence_end)
        parts = encode_infer(model_id, inputs, wanted, timeout_us, fit, step)
        self._connection.expect(request_id)
        self._connection.send(Frame.INFER, request_id, parts)
        regions = {region.region_id: region for _, region, _, _ in wanted if region is not None}
        return Pending(self, request_id, regions)

    def cancel(self, request_id: int) -> None:
        """See Pending.cancel."""
        self._connection.send(Frame.CANCEL, request_id, [])

    def wait(self, request_id: int, kind: int, timeout_s: float | None = None) -> memoryview:
        """The body of the answer to a request, which must be of `kind`."""
        actual, body = self._connection.wait(request_id, timeout_s)
        if actual == Frame.ERROR:
            raise MlosError.decode(body)
        if actual != kind:
            raise ProtocolError(f"Core answers with a frame of type {actual}, not {kind}")
        return body

    def _ask(self, kind: int, body: bytes, answer: int, timeout_s=None, fd=None) -> memoryview:
        request_id = next(self._ids)
        self._connection.expect(request_id)
        self._connection.send(kind, request_id, [body], fd)
        return self.wait(request_id, answer, timeout_s)

    def _document(self, kind: int, body: dict | str = "") -> dict:
        text = json.dumps(body) if isinstance(body, dict) else body
        return json.loads(bytes(self._ask(kind, text.encode(), Frame.DOCUMENT)))

    def _map(self, size_bytes: int, access: int) -> Region:
        region = Region(size_bytes, access, next(self._region_ids))
        try:
            body = wire.MAP_REGION.pack(region.region_id, access)
            answer = self._ask(Frame.MAP_REGION, body, Frame.REGION, fd=region.fd)
        except BaseException:
            region.close()
            raise
        region.in_place = bool(wire.REGION.unpack(answer)[1])
        region.bind(self._unmap)
        return region

    def _unmap(self, region_id: int) -> None:
        self._ask(Frame.UNMAP_REGION, wire.MAP_REGION.pack(region_id, 0), Frame.REGION)


