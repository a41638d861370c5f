# SPDX-License-Identifier: MIT
"""Memory that Core reads inputs from, or writes outputs to, without a copy over the socket."""

from __future__ import annotations

import fcntl
import mmap
import os

import numpy as np

from mlos.client import tensors, wire

_ADD_SEALS = 1033
_SEAL_SHRINK, _SEAL_GROW = 2, 4


class Region:
    """A sealed memfd, mapped here and by Core. Made with `Client.input_region` or
    `Client.output_region`; `close` (or `with`) gives it back on both sides.

    What lies in it must not be changed while a request that uses it is in flight."""

    def __init__(self, size_bytes: int, access: int, region_id: int):
        self.region_id = region_id
        self.access = access
        self.size_bytes = size_bytes
        self.in_place = False
        self.fd = os.memfd_create("mlos", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.posix_fallocate(self.fd, 0, size_bytes)
            fcntl.fcntl(self.fd, _ADD_SEALS, _SEAL_SHRINK | _SEAL_GROW)
            self._map = mmap.mmap(self.fd, size_bytes)
        except BaseException:
            os.close(self.fd)
            raise
        self._unmap = None

    def bind(self, unmap) -> None:
        """Core has mapped it; `unmap` is called when it is closed."""
        self._unmap = unmap
        os.close(self.fd)
        self.fd = -1

    @property
    def bytes(self) -> memoryview:
        """All of it."""
        return memoryview(self._map)

    def array(self, dtype, shape, offset: int = 0) -> np.ndarray:
        """An array in it, at a multiple of 64 bytes: to be filled, or to be read."""
        if offset % wire.TENSOR_ALIGNMENT:
            raise ValueError(f"offset {offset} is not a multiple of {wire.TENSOR_ALIGNMENT}")
        dtype = np.dtype(dtype)
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(self._map, dtype, count, offset).reshape(shape)

    def put(self, array: np.ndarray, offset: int = 0) -> RegionTensor:
        """Copies `array` into it; the result is given to `infer` in its place."""
        number, data = tensors.encode(np.asarray(array))
        size = len(data)
        if offset % wire.TENSOR_ALIGNMENT or offset + size > self.size_bytes:
            raise ValueError(f"{size} bytes do not fit at {offset} of {self.size_bytes}")
        self._map[offset : offset + size] = data
        return RegionTensor(self, number, np.shape(array), offset, size)

    def tensor(self, dtype, shape, offset: int = 0) -> RegionTensor:
        """What lies in it already, to be given to `infer`."""
        array = self.array(dtype, shape, offset)
        return RegionTensor(
            self, tensors.dtype_number(array), array.shape, offset, array.nbytes
        )

    def close(self) -> None:
        """Gives it back. Arrays over it stay valid until they go."""
        if self._unmap is not None:
            unmap, self._unmap = self._unmap, None
            unmap(self.region_id)
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Region:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RegionTensor:
    """A tensor in a region, as `infer` takes it beside arrays."""

    def __init__(self, region: Region, number: int, shape: tuple[int, ...], offset: int, size: int):
        self.region = region
        self.number = number
        self.shape = tuple(shape)
        self.offset = offset
        self.size = size
