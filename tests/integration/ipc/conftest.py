# SPDX-License-Identifier: MIT
"""Cores that nobody tells where to listen, on a machine of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.integration.ipc.machine import DefaultCore, Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.remove()


@pytest.fixture
def make(machine: Machine) -> Iterator[Callable[..., DefaultCore]]:
    """Makes such Cores, with an environment, and ends them."""
    cores = []

    def make(**env: str) -> DefaultCore:
        cores.append(DefaultCore(machine, f"core{len(cores)}", **env))
        return cores[-1]

    yield make
    for core in cores:
        if core.running:
            assert core.stop() == 0
