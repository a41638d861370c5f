# SPDX-License-Identifier: MIT
"""The harness: the programs under test as objects. `tests/conftest.py` makes fixtures of them."""

from tests.support.axon import Axon, AxonResult
from tests.support.core import Core
from tests.support.hub import Hub
from tests.support.process import Resources
from tests.support.reference import OrtReference
from tests.support.tensors import from_reply, max_difference, to_json

__all__ = [
    "Axon",
    "AxonResult",
    "Core",
    "Hub",
    "OrtReference",
    "Resources",
    "from_reply",
    "max_difference",
    "to_json",
]
