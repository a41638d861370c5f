# SPDX-License-Identifier: MIT
"""The daemon under test with its gRPC door open."""

from __future__ import annotations

from tests.support.core import Core


class GrpcCore(Core):
    """A Core that listens for gRPC at `grpc_address`, on a port it picked itself."""

    def command(self) -> list[str]:
        line = super().command()
        at = line.index("--no-grpc")
        return [*line[:at], "--grpc-port", "0", *line[at + 1 :]]

    @property
    def grpc_port(self) -> int:
        return int((self.state_dir / "grpc.port").read_text())

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"
