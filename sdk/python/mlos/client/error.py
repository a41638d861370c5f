# SPDX-License-Identifier: MIT
"""What goes wrong."""

from __future__ import annotations

from mlos.client import wire


class MlosError(Exception):
    """Core's answer to a request it could not serve.

    `reason` is stable and finer than `code` ("SHAPE_MISMATCH" of "INVALID_ARGUMENT"); `field` names
    the part of the request at fault, or is empty; `retry_after_s` is 0 where trying again as it is
    makes no sense."""

    def __init__(self, code: str, reason: str, field: str, message: str, retry_after_s: float):
        super().__init__(f"{reason}{f' (field {field})' if field else ''}: {message}")
        self.code = code
        self.reason = reason
        self.field = field
        self.message = message
        self.retry_after_s = retry_after_s

    @staticmethod
    def decode(body: memoryview) -> MlosError:
        """Reads the body of an error frame."""
        code, *sizes, retry_after_ms, _ = wire.ERROR.unpack_from(body)
        texts, position = [], wire.ERROR.size
        for size in sizes:
            texts.append(bytes(body[position : position + size]).decode(errors="replace"))
            position += wire.padded(size)
        return MlosError(wire.CODES[code], *texts, retry_after_ms / 1000)


class ProtocolError(Exception):
    """The other end does not speak the protocol, or is gone."""
