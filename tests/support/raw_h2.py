# SPDX-License-Identifier: MIT
"""HTTP/2 no client would speak: frames as they are given, over a plain socket."""

from __future__ import annotations

import contextlib
import socket
import struct
import time

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, ENHANCE_YOUR_CALM = 0x0, 0x1, 0x7, 0xB
LIVE = "/inference.GRPCInferenceService/ServerLive"
INFER = "/inference.GRPCInferenceService/ModelInfer"
EMPTY_MESSAGE = bytes(5)


def message(content: bytes, flag: int = 0, length: int | None = None) -> bytes:
    """A gRPC message with its prefix; `length` is what the prefix says instead of the truth."""
    return struct.pack(">BI", flag, len(content) if length is None else length) + content


class RawH2:
    """One connection to a gRPC server. Thread-compatible."""

    def __init__(self, port: int, timeout_s: float = 20.0, hello: bool = True,
                 connected: socket.socket | None = None) -> None:  # fmt: skip
        """Connects, unless it is `connected` already, and with `hello` sends the preface and empty
        settings."""
        address = ("127.0.0.1", port)
        self.socket = connected or socket.create_connection(address, timeout=timeout_s)
        self.timeout_s = timeout_s
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.frames: list[Frame] = []
        self.closed = False
        self._received = b""
        if hello:
            self.send(PREFACE + SettingsFrame(0).serialize())

    def __enter__(self) -> RawH2:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Sends what the server takes; False where it has closed."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.closed = True
        return not self.closed

    def head(self, path: str = LIVE, *extra: tuple[str, str], method: str = "POST",
             content_type: str = "application/grpc") -> bytes:  # fmt: skip
        """An encoded header block of a call."""
        fields = [(":method", method), (":scheme", "http"), (":path", path),
                  (":authority", "localhost"), ("content-type", content_type),
                  ("te", "trailers"), *extra]  # fmt: skip
        return self.encoder.encode(fields)

    def call(self, stream_id: int, path: str = LIVE, data: bytes = EMPTY_MESSAGE,
             end: bool = True, extra: tuple = ()) -> bytes:  # fmt: skip
        """The frames of a call."""
        start = HeadersFrame(stream_id, self.head(path, *extra), flags=["END_HEADERS"])
        body = DataFrame(stream_id, data, flags=["END_STREAM"] if end else [])
        return start.serialize() + body.serialize()

    def read(self, until: type[Frame] | None = None, timeout_s: float | None = None,
             stream_id: int | None = None) -> list[Frame]:  # fmt: skip
        """Frames until one of type `until` (of `stream_id`) or the end; all seen so far."""
        deadline = time.monotonic() + (timeout_s or self.timeout_s)
        while not self.closed and time.monotonic() < deadline:
            found = [f for f in self.frames if until is not None and isinstance(f, until)]
            if any(stream_id is None or f.stream_id == stream_id for f in found):
                break
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                piece = self.socket.recv(1 << 16)
            except TimeoutError:
                break
            except (ConnectionResetError, BrokenPipeError):
                piece = b""
            self.closed = self.closed or not piece
            self._parse(piece)
        return self.frames

    def goaway(self, timeout_s: float | None = None) -> int | None:
        """The error code of the server's goodbye; None where it closed, or waited, without one."""
        frames = self.read(GoAwayFrame, timeout_s)
        codes = [f.error_code for f in frames if isinstance(f, GoAwayFrame)]
        return codes[0] if codes else None

    def wait_closed(self, timeout_s: float | None = None) -> bool:
        self.read(None, timeout_s)
        return self.closed

    def ended(self, stream_id: int) -> bool:
        """Whether the server has ended its side of a stream, as far as frames were read."""
        of_stream = [f for f in self.frames if f.stream_id == stream_id]
        return any("END_STREAM" in f.flags or isinstance(f, RstStreamFrame) for f in of_stream)

    def trailers(self, stream_id: int, timeout_s: float | None = None) -> dict[str, str]:
        """All header fields of the reply on a stream, trailers last."""
        deadline = time.monotonic() + (timeout_s or self.timeout_s)
        while time.monotonic() < deadline and not self.closed:
            if self.ended(stream_id):
                break
            seen = len(self.frames)
            self.read(HeadersFrame, 0.05, stream_id=-1)
            if len(self.frames) == seen:
                time.sleep(0.01)
        fields: dict[str, str] = {}
        for frame in self.frames:
            if isinstance(frame, HeadersFrame):
                decoded = self._decoded(frame)
                if frame.stream_id == stream_id:
                    fields |= decoded
        return fields

    def _decoded(self, frame: HeadersFrame) -> dict[str, str]:
        """Each block is decoded once, in order: the decoder has a state."""
        if not hasattr(frame, "fields"):
            frame.fields = dict(self.decoder.decode(frame.data))
        return frame.fields

    def _parse(self, piece: bytes) -> None:
        self._received += piece
        while len(self._received) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self._received[:9]))
            if len(self._received) < 9 + length:
                break
            with contextlib.suppress(ValueError):
                frame.parse_body(memoryview(self._received[9 : 9 + length]))
            self._received = self._received[9 + length :]
            self.frames.append(frame)
            if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags:
                # Until then the server holds its caller to the windows of before.
                self.send(SettingsFrame(0, flags=["ACK"]).serialize())


__all__ = [
    "EMPTY_MESSAGE", "ENHANCE_YOUR_CALM", "INFER", "LIVE", "NO_ERROR", "PREFACE",
    "PROTOCOL_ERROR", "REFUSED_STREAM", "ContinuationFrame", "DataFrame", "HeadersFrame",
    "RawH2", "RstStreamFrame", "SettingsFrame", "WindowUpdateFrame", "message",
]  # fmt: skip
