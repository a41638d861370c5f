# SPDX-License-Identifier: MIT
"""Client of MLOS Core over its Unix socket (docs/IPC-PROTOCOL.md)."""

from mlos.client.client import Client, Pending, Result
from mlos.client.error import MlosError, ProtocolError
from mlos.client.region import Region

__all__ = ["Client", "MlosError", "Pending", "ProtocolError", "Region", "Result"]
