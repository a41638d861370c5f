# SPDX-License-Identifier: MIT
"""The parts of `make test-deep`, and which of them a commit runs.

All parts together take longer than a change should wait. `.ci/run` therefore runs those whose
layers the last landing touched, and then others in turn, up to a budget of time. Which ones depends
on the commit alone, so that a run can be repeated. `make test-deep` runs every part.
"""

from dataclasses import dataclass

BUDGET_S = 1200

# What the targets of a sanitizer build cost, in seconds on two quiet cores. A target that several
# parts need is built once.
BUILDS = {
    "fuzz": {"products": 300, "units": 190, "fuzzers": 60},
    "tsan": {"products": 200, "units": 110},
}
# The names of the targets in CMake: end-to-end tests load samples and the plugins of the tests.
TARGETS = {
    "products": ["products", "samples", "plugin_fixtures"],
    "units": ["all"],
    "fuzzers": ["fuzzers"],
}

# The folders of tests/integration that one part of each sanitizer runs. What `axon` needs is built
# with the address sanitizer only: it is one thread's work.
DOORS = {
    "http": ["http", "oip"],
    "grpc": ["grpc", "doors"],
    "ipc": ["ipc", "races"],
    "models": ["daemon", "models", "hostile", "guides"],
}
_BELOW_DOORS = ["src/api/door/", "src/base/", "src/net/", "src/resource/", "src/tensor/"]
_LAYERS = {
    "http": ["src/api/http/", "src/api/oip/", "src/api/document/", "src/json/", *_BELOW_DOORS],
    "grpc": ["src/api/grpc/", "src/api/oip/", "proto/", *_BELOW_DOORS],
    "ipc": ["src/api/ipc/", "src/api/document/", "sdk/", "include/", *_BELOW_DOORS],
    "models": ["src/catalog/", "src/daemon/", "src/engine/", "src/metrics/", "src/package/",
               "src/plugin/", "src/probe/", "src/process/", "src/registry/", "src/runtime/",
               "src/scheduler/", "src/sequence/", "src/settings/", "src/store/", "plugins/",
               "include/"],
}  # fmt: skip
_PARSERS = [
    "src/api/grpc/", "src/api/http/", "src/api/ipc/", "src/json/", "src/net/", "src/package/",
    "tests/fuzz/",
]  # fmt: skip
# Unit tests run in every build. What sanitizers add is most for code that reads, keeps or shares.
_MEMORY = ["src/base/", "src/net/", "src/package/", "src/plugin/", "src/tensor/", "plugins/"]
_THREADS = [
    "src/base/", "src/catalog/", "src/net/", "src/resource/", "src/runtime/", "src/scheduler/",
    "src/sequence/",
]  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One part: what it needs built, what it runs and how long that takes without the builds."""

    name: str
    runs: tuple[str, ...]
    seconds: int
    layers: tuple[str, ...]
    preset: str = ""
    target: str = ""

    def covers(self, path):
        """Whether a change of this file is the part's business."""
        return path.startswith(self.layers)


def _unit(preset, name, layers, seconds):
    # A tenth of the schedules: a sanitizer makes each ten times as slow.
    command = ("env", "MLOS_KILL_ROUNDS=200", "MLOS_FLIPS=50", "MLOS_SCHEDULES=10000",
               "tools/test/ctest.sh", f"build-{preset}")
    return Part(name, command, seconds, tuple(layers), preset, "units")


def _door(preset, sanitizer, door, seconds):
    folders = [f"tests/integration/{folder}" for folder in DOORS[door]]
    layers = (*_LAYERS[door], *(f"{folder}/" for folder in folders))
    command = ("env", f"MLOS_BUILD_DIR=build-{preset}", "tools/test/pytest.sh",
               "-m", "not deep and not release_only", *folders)  # fmt: skip
    return Part(f"{sanitizer}-{door}", command, seconds, layers, preset, "products")


def _races(of, seconds, *layers):
    """A minute for each race, with the address sanitizer."""
    tests = f"tests/integration/races/test_{of}.py"
    command = ("env", "MLOS_BUILD_DIR=build-fuzz", "MLOS_RACE_SECONDS=60", "tools/test/pytest.sh",
               tests)  # fmt: skip
    return Part(f"races-{of}", command, seconds, (tests, *layers), "fuzz", "products")


def _long(name, seconds, layers, *arguments):
    return Part(name, ("tools/test/pytest.sh", "-m", "deep", *arguments), seconds, layers)


# Long tests of the release build, by folder; `sweeps` has those of all other folders.
_KILLS = ("tests/integration/axon", "tests/integration/daemon")
_FLOODS = ("tests/integration/doors",)

PARTS = (
    _unit("fuzz", "asan-unit", _MEMORY, 90),
    _door("fuzz", "asan", "http", 50),
    _door("fuzz", "asan", "grpc", 140),
    _door("fuzz", "asan", "ipc", 50),
    _door("fuzz", "asan", "models", 60),
    # What hubs and archives send reaches axon too.
    Part("asan-axon",
         ("env", "MLOS_BUILD_DIR=build-fuzz", "tools/test/pytest.sh", "tests/integration/axon",
          "--ignore", "tests/integration/axon/test_kill.py"),
         100, ("axon/", "src/package/", "tests/hub/", "tests/integration/axon/"), "fuzz",
         "products"),
    Part("fuzz", ("tools/test/fuzz.sh",), 300, tuple(_PARSERS), "fuzz", "fuzzers"),
    _unit("tsan", "tsan-unit", _THREADS, 100),
    # The long parts lie apart, so that each part has its turn.
    _races("files", 200, "src/store/"),
    _door("tsan", "tsan", "http", 70),
    _door("tsan", "tsan", "grpc", 200),
    _door("tsan", "tsan", "ipc", 80),
    _door("tsan", "tsan", "models", 110),
    _long("kills", 250,
          ("axon/", "src/registry/", "src/store/", "src/catalog/", "src/scheduler/"), *_KILLS),
    _long("floods", 70, ("src/net/", "src/resource/"), *_FLOODS),
    _long("sweeps", 50,
          ("src/api/http/", "src/api/grpc/", "src/api/oip/", "tests/support/triton/"), "tests",
          *(f"--ignore={folder}" for folder in (*_KILLS, *_FLOODS))),
    _races("memory", 360, "src/api/ipc/memory/", "src/package/onnx/"),
)  # fmt: skip


def named(names):
    """The parts of these names, in the order of the table; raises ValueError for any other."""
    wanted = names.split()
    known = [part.name for part in PARTS]
    for name in wanted:
        if name not in known:
            raise ValueError(f'there is no part "{name}"; the parts are {" ".join(known)}')
    return [part for part in PARTS if part.name in wanted]


def builds(parts):
    """What the parts need built, each once: (preset, targets) in the order they are needed."""
    needed = {}
    for part in parts:
        if part.preset:
            needed.setdefault(part.preset, {})[part.target] = None
    return {preset: list(targets) for preset, targets in needed.items()}


def cost(parts):
    """Seconds that the parts and their builds take on two quiet cores."""
    built = 0
    for preset, targets in builds(parts).items():
        # Unit tests link what the products are made of, and so do fuzz targets in large part.
        built += sum(BUILDS[preset][target] for target in {"products", *targets})
    return built + sum(part.seconds for part in parts)


def choose(changed, turn, budget=BUDGET_S):
    """(chosen, left): the parts of a commit, and those it touched that the budget has no room for.

    `changed` are the paths that the landing changed. `turn` is a number that varies from landing to
    landing: parts that were not touched come in the order of the table, beginning there.
    """
    first = turn % len(PARTS)
    in_turn = [*PARTS[first:], *PARTS[:first]]
    touched = [part for part in in_turn if any(part.covers(path) for path in changed)]
    chosen = []
    for part in [*touched, *(part for part in in_turn if part not in touched)]:
        if not chosen or cost([*chosen, part]) <= budget:
            chosen.append(part)
    left = [part for part in touched if part not in chosen]
    return [part for part in PARTS if part in chosen], left
