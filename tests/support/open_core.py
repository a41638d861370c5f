# SPDX-License-Identifier: MIT
"""The daemon under test with all its doors open."""

from __future__ import annotations

from tests.support.grpc_core import GrpcCore
from tests.support.ipc import IpcCore


class OpenCore(GrpcCore, IpcCore):
    """A Core that listens for HTTP at `url`, for gRPC at `grpc_address` and for IPC at `socket`."""
