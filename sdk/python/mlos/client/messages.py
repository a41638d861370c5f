# SPDX-License-Identifier: MIT
"""Inferences and their answers as frames."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Optional

import numpy as np

from mlos.client import tensors, wire
from mlos.client.region import Region, RegionTensor

#: The id of a sequence, and whether the request starts and ends it; an empty id: it stands alone.
Step = tuple[str, bool, bool]
ALONE: Step = ("", False, False)

#: An output's name and where it shall go: region (None: into the answer), offset, size.
Output = tuple[str, Optional[Region], int, int]


def encode_infer(
    model_id: str,
    inputs: Mapping[str, object],
    outputs: Sequence[Output],
    timeout_us: int,
    fit: bool,
    sequence: Step = ALONE,
) -> list[bytes | memoryview]:
    """The body of an inference, in parts so that large arrays are not copied."""
    text, sequence_id = model_id.encode(), sequence[0].encode()
    flags = (
        (wire.FIT if fit else 0)
        | (wire.SEQUENCE if sequence_id else 0)
        | (wire.SEQUENCE_START if sequence[1] else 0)
        | (wire.SEQUENCE_END if sequence[2] else 0)
    )
    head = wire.INFER.pack(len(text), len(inputs), len(outputs), flags, timeout_us)
    head += wire.text(text)
    if sequence_id:
        head += wire.SEQUENCE_ID.pack(len(sequence_id), 0) + wire.text(sequence_id)
    encoded = [(name, *_encode(value)) for name, value in inputs.items()]
    head_bytes = len(head) + sum(
        wire.ENTRY.size + 8 * len(shape) + wire.padded(len(name.encode()))
        for name, _, shape, _, _ in encoded
    )
    head_bytes += sum(wire.ENTRY.size + wire.padded(len(out[0].encode())) for out in outputs)
    entries, data, end = [], [], head_bytes
    for name, number, shape, place, payload in encoded:
        if place is None:
            start = wire.padded(end, wire.TENSOR_ALIGNMENT)
            place = (0, start, len(payload))
            data += (bytes(start - end), payload)
            end = start + len(payload)
        entries.append(tensors.entry(name, number, shape, place))
    for name, region, offset, size in outputs:
        place = (0, 0, 0) if region is None else (region.region_id, offset, size)
        entries.append(tensors.entry(name, 0, (), place))
    return [head + b"".join(entries), *data]


def _encode(value: object):
    if isinstance(value, RegionTensor):
        place = (value.region.region_id, value.offset, value.size)
        return value.number, value.shape, place, b""
    array = np.asarray(value)
    number, payload = tensors.encode(array)
    return number, array.shape, None, payload


def read_result(body: memoryview, regions: Mapping[int, Region]):
    """Outputs by name, the model's version, and the times of queueing and running."""
    version_bytes, count, _, queue_us, inference_us = wire.RESULT.unpack_from(body)
    position = wire.RESULT.size
    version = bytes(body[position : position + version_bytes]).decode()
    position += wire.padded(version_bytes)
    outputs = {}
    for _ in range(count):
        fields = wire.ENTRY.unpack_from(body, position)
        name_bytes, number, rank, region_id, offset, size = fields
        position += wire.ENTRY.size
        shape = struct.unpack_from(f"<{rank}q", body, position)
        position += 8 * rank
        name = bytes(body[position : position + name_bytes]).decode()
        position += wire.padded(name_bytes)
        source = regions[region_id].bytes if region_id else body
        outputs[name] = tensors.decode(number, shape, source[offset : offset + size])
    return outputs, version, queue_us, inference_us
