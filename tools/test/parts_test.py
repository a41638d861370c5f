# SPDX-License-Identifier: MIT
"""parts.py: the parts of the deep tests cover everything, and a commit chooses some of them."""

import pathlib

import pytest

from tools.test import parts

ROOT = pathlib.Path(__file__).resolve().parents[2]


def names(chosen):
    return [part.name for part in chosen]


@pytest.mark.parametrize("sanitizer", ["asan", "tsan"])
def test_every_folder_of_end_to_end_tests_has_a_part(sanitizer):
    folders = {path.parent.relative_to(ROOT).as_posix()
               for path in (ROOT / "tests/integration").rglob("test_*.py")}  # fmt: skip
    run = {word for part in parts.PARTS if part.name.startswith(sanitizer) for word in part.runs}
    assert folders - run <= ({"tests/integration/axon"} if sanitizer == "tsan" else set())


def test_every_long_test_has_a_part():
    """What `kills` and `floods` run is what `sweeps` leaves out, and nothing else."""
    runs = {name: parts.named(name)[0].runs for name in ("kills", "floods", "sweeps")}
    words = [*runs["kills"], *runs["floods"]]
    apart = {word for word in words if word.startswith("tests")}
    ignored = {word.removeprefix("--ignore=") for word in runs["sweeps"] if "--ignore" in word}
    assert apart == ignored
    assert all((ROOT / folder).is_dir() for folder in apart)


def test_every_layer_of_core_touches_a_part():
    layers = {f"src/{path.name}/" for path in (ROOT / "src").iterdir() if path.is_dir()}
    layers |= {f"src/api/{path.name}/" for path in (ROOT / "src/api").iterdir() if path.is_dir()}
    layers.remove("src/api/")
    for layer in layers:
        assert any(part.covers(f"{layer}x.cc") for part in parts.PARTS), layer


def test_names_choose_in_the_order_of_the_table():
    assert names(parts.named("fuzz asan-unit")) == ["asan-unit", "fuzz"]
    with pytest.raises(ValueError, match='there is no part "asan"; the parts are asan-unit '):
        parts.named("asan")


def test_a_build_is_made_once_with_what_all_parts_need():
    chosen = parts.named("asan-http asan-ipc fuzz tsan-unit kills")
    assert parts.builds(chosen) == {"fuzz": ["products", "fuzzers"], "tsan": ["units"]}
    alone = [parts.named(name) for name in ("asan-http", "asan-ipc")]
    assert parts.cost(chosen[:2]) == sum(map(parts.cost, alone)) - parts.BUILDS["fuzz"]["products"]


@pytest.mark.parametrize("turn", range(len(parts.PARTS)))
def test_a_run_keeps_to_its_budget_and_uses_most_of_it(turn):
    chosen, left = parts.choose([], turn)
    assert parts.BUDGET_S * 0.7 <= parts.cost(chosen) <= parts.BUDGET_S
    assert left == []


@pytest.mark.parametrize("part", parts.PARTS, ids=names(parts.PARTS))
def test_every_part_comes_in_a_fifth_of_the_turns_at_least(part):
    turns = range(len(parts.PARTS))
    assert sum(part in parts.choose([], turn)[0] for turn in turns) >= len(turns) / 5


@pytest.mark.parametrize(("path", "expected"), [
    ("src/api/ipc/session.cc", {"asan-ipc", "tsan-ipc", "fuzz"}),
    ("axon/cli/app.cc", {"asan-axon", "kills"}),
    ("src/scheduler/batcher.cc", {"asan-models", "tsan-models", "tsan-unit", "kills"}),
    ("tests/integration/grpc/test_wire.py", {"asan-grpc", "tsan-grpc"}),
    ("docs/QUICKSTART.md", set()),
])  # fmt: skip
def test_a_part_is_touched_by_its_layers(path, expected):
    assert {part.name for part in parts.PARTS if part.covers(path)} == expected


@pytest.mark.parametrize("turn", range(len(parts.PARTS)))
def test_what_a_landing_touched_is_run_in_every_turn(turn):
    chosen, left = parts.choose(["src/api/ipc/session.cc", "README.md"], turn)
    assert {"asan-ipc", "tsan-ipc"} <= set(names(chosen))
    assert left == []


def test_what_was_touched_beyond_the_budget_is_named():
    everything = ["src/api/http/x.cc", "src/api/grpc/x.cc", "src/scheduler/x.cc", "axon/x.cc",
                  "src/net/x.cc", "src/package/onnx/x.cc", "src/api/ipc/x.cc",
                  "src/store/x.cc"]  # fmt: skip
    chosen, left = parts.choose(everything, 3)
    assert parts.cost(chosen) <= parts.BUDGET_S
    assert set(names(left)) == set(names(parts.PARTS)) - set(names(chosen))


def test_a_budget_too_small_still_runs_one_part():
    chosen, _ = parts.choose(["axon/x.cc"], 0, budget=1)
    assert names(chosen) == ["asan-axon"]
