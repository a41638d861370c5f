# SPDX-License-Identifier: MIT
"""What passes between the socket side (`server`) and the protocol side (`api`, `resolve`)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One parsed request. `segments` are the path's parts, percent-decoded one by one, so that a
    branch called `dev/feature` (sent as `dev%2Ffeature`) stays one segment."""

    origin: str  # "hub", "cdn" or "control"
    method: str
    target: str  # as on the request line: path and query, still quoted
    headers: Message
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; of a repeated one the last counts."""
        pairs = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[-1] for name, values in pairs.items()}

    @property
    def token(self) -> str | None:
        """The bearer token, or None where there is no Authorization header."""
        value = self.headers.get("Authorization")
        return None if value is None else value.removeprefix("Bearer ").strip()


@dataclass
class Body:
    """Bytes to send: in memory, or `length` bytes of a file from `offset`."""

    data: bytes = b""
    file: Path | None = None
    offset: int = 0
    length: int = 0

    @staticmethod
    def of(data: bytes) -> Body:
        return Body(data=data, length=len(data))

    @staticmethod
    def of_file(file: Path, offset: int, length: int) -> Body:
        return Body(file=file, offset=offset, length=length)

    def chunks(self, size: int):
        """Yields the body in pieces of at most `size` bytes."""
        if self.file is None:
            for at in range(0, len(self.data), size):
                yield self.data[at : at + size]
            return
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            left = self.length
            while left > 0 and (piece := stream.read(min(size, left))):
                left -= len(piece)
                yield piece


@dataclass
class Response:
    """Status, headers and body. `chunked` sends it without a Content-Length."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Body = field(default_factory=Body)
    chunked: bool = False


def json_response(document: object, status: int = 200, **headers: str) -> Response:
    """A JSON document; underscores of header keywords become dashes."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    named["Content-Type"] = "application/json; charset=utf-8"
    return Response(status, named, Body.of(json.dumps(document).encode()))


def error(status: int, code: str | None, message: str, **headers: str) -> Response:
    """An error as the hub sends it: X-Error-Code, X-Error-Message and a JSON body."""
    response = json_response({"error": message}, status, X_Error_Message=message, **headers)
    if code is not None:
        response.headers["X-Error-Code"] = code
    return response
