# SPDX-License-Identifier: MIT
"""Certificates made for a test, and the daemon behind TLS."""

from __future__ import annotations

import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.grpc_core import GrpcCore

_EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
_RSA = ["-newkey", "rsa:2048"]


@dataclass(frozen=True)
class Pair:
    """A certificate and its key: PEM files."""

    certificate: Path
    key: Path

    def arguments(self) -> list[str]:
        """What Core serves it with."""
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]


class Authority:
    """Who signs certificates. Its own is `pair`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pair = self._make(name, [*_EC, "-subj", f"/CN={name}"])

    def issue(self, name: str, *, rsa: bool = False) -> Pair:
        """A certificate for this machine's own names, good for servers and clients."""
        return self._make(
            name,
            [*(_RSA if rsa else _EC), "-subj", f"/CN={name}",
             "-CA", str(self.pair.certificate), "-CAkey", str(self.pair.key),
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-addext", "basicConstraints=critical,CA:FALSE"],
        )  # fmt: skip

    def context(self, client: Pair | None = None, alpn: list[str] | None = None) -> ssl.SSLContext:
        """What a client connects with that trusts this authority."""
        context = ssl.create_default_context(cafile=str(self.pair.certificate))
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        if alpn is not None:
            context.set_alpn_protocols(alpn)
        return context

    def _make(self, name: str, arguments: list[str]) -> Pair:
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-days", "2", *arguments,
             "-keyout", pair.key, "-out", pair.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        return pair


class TlsCore(GrpcCore):
    """A Core whose HTTP and gRPC doors speak TLS with `server`; `client` is what the harness shows
    of itself where `arguments` ask for that."""

    def __init__(
        self,
        folder: Path,
        authority: Authority,
        server: Pair,
        *arguments: str,
        client: Pair | None = None,
    ) -> None:
        super().__init__(folder, *server.arguments(), *arguments)
        self.authority = authority
        self.client = client
        self.session.verify = str(authority.pair.certificate)
        if client is not None:
            self.session.cert = (str(client.certificate), str(client.key))

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def grpc_address(self) -> str:
        return f"localhost:{self.grpc_port}"

    def connect(self, context: ssl.SSLContext | None = None, *, port: int = 0) -> ssl.SSLSocket:
        """A TLS connection to the HTTP door, or to another port. Raises ssl.SSLError, or OSError,
        where the server wants nothing of it."""
        plain = socket.create_connection(("127.0.0.1", port or self.port), timeout=20)
        try:
            context = context or self.authority.context(self.client)
            return context.wrap_socket(plain, server_hostname="localhost")
        except BaseException:
            plain.close()
            raise
