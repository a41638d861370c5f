# SPDX-License-Identifier: MIT
"""The daemon under test with its gRPC door open."""

from __future__ import annotations

from pathlib import Path

from tests.support.core import Core


class GrpcCore(Core):
    """A Core that listens for gRPC at `grpc_address`, on `port` or one it picked itself."""

    def __init__(self, folder: Path, *args: str, grpc_port: int = 0) -> None:
        super().__init__(folder, *args)
        self.asked_grpc_port = grpc_port

    def command(self) -> list[str]:
        line = super().command()
        at = line.index("--no-grpc")
        return [*line[:at], "--grpc-port", str(self.asked_grpc_port), *line[at + 1 :]]

    @property
    def grpc_port(self) -> int:
        return int((self.state_dir / "grpc.port").read_text())

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"
