# SPDX-License-Identifier: MIT
"""The numbers and forms of the protocol, as docs/IPC-PROTOCOL.md has them."""

from __future__ import annotations

import struct
from enum import IntEnum

MAGIC = 0x534F4C4D
VERSION = 1
FRAME_BYTES_MAX = 16 << 20
TENSOR_ALIGNMENT = 64
FIT, SEQUENCE, SEQUENCE_START, SEQUENCE_END = 1, 2, 4, 8

HEADER = struct.Struct("<IBBHQ")  # frame_bytes, type, descriptors, reserved, request_id
HELLO = struct.Struct("<IHHQ")  # magic, version_min, version_max, reserved
HELLO_OK = struct.Struct("<IHHIIQQ")
ERROR = struct.Struct("<HHHHII")  # code, reason, field, message (bytes), retry_after_ms, reserved
MAP_REGION = struct.Struct("<II")  # region_id, access
REGION = struct.Struct("<IIQ")  # region_id, in_place, size_bytes
INFER = struct.Struct("<HHHHQ")  # model_id bytes, inputs, outputs, flags, timeout_us
SEQUENCE_ID = struct.Struct("<II")  # bytes, reserved
RESULT = struct.Struct("<HHIqq")  # version bytes, outputs, reserved, queue_us, inference_us
ENTRY = struct.Struct("<HBBIQQ")  # name bytes, dtype, rank, region_id, offset, size_bytes

READ, WRITE = 1, 2


class Frame(IntEnum):
    """Types of frames."""

    HELLO = 0x01
    HEALTH = 0x02
    READINESS = 0x03
    REGISTER_MODEL = 0x10
    LIST_MODELS = 0x11
    GET_MODEL = 0x12
    LOAD_MODEL = 0x13
    UNLOAD_MODEL = 0x14
    REMOVE_MODEL = 0x15
    REGISTER_PLUGIN = 0x18
    LIST_PLUGINS = 0x19
    GET_PLUGIN = 0x1A
    REMOVE_PLUGIN = 0x1B
    MAP_REGION = 0x30
    UNMAP_REGION = 0x31
    ATTACH_RING = 0x32
    INFER = 0x40
    CANCEL = 0x41
    HELLO_OK = 0x81
    DOCUMENT = 0x82
    REGION = 0x83
    RING = 0x84
    RESULT = 0x85
    ERROR = 0xFF


CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
    "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
    "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip


def padded(size: int, alignment: int = 8) -> int:
    """`size` rounded up."""
    return -(-size // alignment) * alignment


def text(value: bytes) -> bytes:
    """A name with the zeros behind it."""
    return value.ljust(padded(len(value)), b"\0")


def frame(kind: int, request_id: int, body: bytes = b"", descriptors: int = 0) -> bytes:
    """A whole frame."""
    return HEADER.pack(HEADER.size + len(body), kind, descriptors, 0, request_id) + body
