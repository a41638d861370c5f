# SPDX-License-Identifier: MIT
"""Fixtures every integration test uses. Ports and folders are each worker's own, so that tests run
in parallel; what a fixture started it also ends."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.models.collect import collect
from tests.support import Axon, Core, Hub, OrtReference, paths

_TEST_SECONDS_MAX = 120


@pytest.fixture(scope="session")
def models() -> Path:
    """The collected models (tests/models), made now where they are missing or out of date."""
    collect(paths.MODELS, paths.DEPS / "wheels")
    return paths.MODELS


@pytest.fixture(scope="session")
def _hub_process(models: Path) -> Iterator[Hub]:
    hub = Hub(models)
    yield hub
    hub.stop()


@pytest.fixture
def hub(_hub_process: Hub) -> Hub:
    """A test hub without faults and with an empty log."""
    _hub_process.reset()
    return _hub_process


@pytest.fixture
def make_core(tmp_path: Path) -> Iterator[Callable[..., Core]]:
    """Makes daemons that are not started yet: `make_core(*args, env=None, name="core")`. Two of
    one name share a state directory."""
    made: list[Core] = []

    def make(*args: str, env: dict[str, str] | None = None, name: str = "core") -> Core:
        made.append(Core(tmp_path / name, *args, env=env))
        return made[-1]

    yield make
    for core in made:
        if core.running:
            core.kill()


@pytest.fixture
def core(make_core: Callable[..., Core]) -> Core:
    """A running daemon with an empty registry, for this test alone."""
    return make_core().start()


@pytest.fixture(scope="module")
def shared_core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """A running daemon for all tests of a module; for tests that leave it as they found it."""
    core = Core(tmp_path_factory.mktemp("core")).start()
    yield core
    if core.running:
        core.stop()


@pytest.fixture
def axon(request: pytest.FixtureRequest, tmp_path: Path, hub: Hub) -> Axon:
    """`axon` with an empty home and the test hub; registers with the test's Core where the test
    asks for `core` or `shared_core` too."""
    core_url = None
    for name in ("core", "shared_core"):
        if name in request.fixturenames:
            core_url = request.getfixturevalue(name).url
    return Axon(tmp_path / "axon", hub.url, core_url)


@pytest.fixture(scope="session")
def reference() -> Callable[[Path], OrtReference]:
    """ONNX Runtime over a graph file; one session per file."""
    sessions: dict[Path, OrtReference] = {}

    def get(graph: Path) -> OrtReference:
        if graph not in sessions:
            sessions[graph] = OrtReference(graph)
        return sessions[graph]

    return get


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests counted with `record_property(what, number)`, summed over all of them."""
    counts: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) == "call":
                counts.update({k: v for k, v in report.user_properties if isinstance(v, int)})
    for what, count in sorted(counts.items()):
        terminalreporter.write_line(f"{what}: {count}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """No test hangs: after `@pytest.mark.limit(seconds)`, or the default, it fails where it is."""
    mark = item.get_closest_marker("limit")
    seconds = mark.args[0] if mark else _TEST_SECONDS_MAX

    def expired(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
