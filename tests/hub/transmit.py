# SPDX-License-Identifier: MIT
"""Sends a body's bytes, spoiled on the way by the faults in force.

Each function below turns one stream of pieces into another, so that faults combine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from tests.hub.messages import Body

_PIECE_BYTES = 1 << 16


class ConnectionCut(Exception):
    """Asks the connection's handler to close it here, in the middle of a body."""


def length_of(body: Body, faults: dict[str, dict]) -> int:
    """The length to announce: of what will be sent, unless the fault is to break off early."""
    delta = faults.get("wrong_length", {}).get("delta", 0)
    return max(0, body.length + delta)


def pieces(body: Body, faults: dict[str, dict]) -> Iterator[bytes]:
    """The bytes to send. Raises ConnectionCut where the connection is to be closed early."""
    rate = faults.get("throttle", {}).get("bytes_per_second")
    size = _PIECE_BYTES if rate is None else max(1, min(_PIECE_BYTES, rate // 20))
    stream = body.chunks(size)
    if "endless" in faults:
        stream = _endless(faults["endless"]["limit_bytes"])
    if "flip_byte" in faults:
        stream = _flip(stream, faults["flip_byte"]["offset"] - body.offset)
    if "wrong_length" in faults:
        stream = _resize(stream, length_of(body, faults))
    if "stall" in faults:
        stream = _stall(stream, **faults["stall"])
    if "cut" in faults:
        stream = _cut(stream, faults["cut"]["after"])
    return stream if rate is None else _throttle(stream, rate)


def _endless(limit_bytes: int) -> Iterator[bytes]:
    piece = bytes(_PIECE_BYTES)
    for _ in range(0, limit_bytes, _PIECE_BYTES):
        yield piece
    raise ConnectionCut


def _flip(stream: Iterator[bytes], offset: int) -> Iterator[bytes]:
    at = 0
    for piece in stream:
        if at <= offset < at + len(piece):
            spoiled = bytearray(piece)
            spoiled[offset - at] ^= 0xFF
            piece = bytes(spoiled)
        yield piece
        at += len(piece)


def _resize(stream: Iterator[bytes], length: int) -> Iterator[bytes]:
    left = length
    for piece in stream:
        yield piece[:left]
        left -= min(left, len(piece))
    while left > 0:
        filler = bytes(min(left, _PIECE_BYTES))
        yield filler
        left -= len(filler)


def _split_at(stream: Iterator[bytes], offset: int) -> Iterator[tuple[bytes, bool]]:
    """Pieces cut so that one ends at `offset`; True marks the first piece from there on."""
    at = 0
    for piece in stream:
        if at < offset < at + len(piece):
            yield piece[: offset - at], False
            yield piece[offset - at :], True
        else:
            yield piece, at == offset
        at += len(piece)


def _stall(stream: Iterator[bytes], after: int, seconds: float) -> Iterator[bytes]:
    for piece, here in _split_at(stream, after):
        if here:
            time.sleep(seconds)
        yield piece


def _cut(stream: Iterator[bytes], after: int) -> Iterator[bytes]:
    for piece, here in _split_at(stream, after):
        if here:
            raise ConnectionCut
        yield piece


def _throttle(stream: Iterator[bytes], bytes_per_second: int) -> Iterator[bytes]:
    began, sent = time.monotonic(), 0
    for piece in stream:
        yield piece
        sent += len(piece)
        ahead_s = sent / bytes_per_second - (time.monotonic() - began)
        if ahead_s > 0:
            time.sleep(ahead_s)
