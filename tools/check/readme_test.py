# SPDX-License-Identifier: MIT
"""What the README says was measured is what bench/results.md says, and what was missed there is
explained."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import notes  # noqa: E402
from tables import BEGIN, END, marked  # noqa: E402

README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "bench/results.md").read_text()


def test_the_readme_has_the_place_that_the_benchmark_fills():
    assert README.count(BEGIN) == 1 and END in README.partition(BEGIN)[2]


def test_the_table_of_the_readme_is_that_of_the_results():
    assert marked(README) == marked(RESULTS)


def test_the_readme_has_the_peers_once_they_were_measured():
    measured = "Triton" in RESULTS.partition(BEGIN)[0]
    assert bool(marked(README)) == measured


def test_each_missed_goal_has_its_note_beside_the_results():
    if notes.HEADING not in RESULTS:
        pytest.skip("bench/results.md is older than bench/notes.md")
    known = notes.read(notes.NOTES.read_text())
    without = [row for row in notes.missed_rows(RESULTS) if not known.get(notes.key(row))]
    assert not without, "bench/notes.md says nothing about these goals"
    assert notes.merged(RESULTS, known) == RESULTS, "run bench/run.py --notes"


PAGE = """# Notes

```
## P9
Only an example.
```

## P1

The profile shows that
it sleeps.

## GET /health

Slow.
"""


def test_notes_are_read_by_heading():
    known = notes.read(PAGE)
    assert known == {"P1": "The profile shows that\nit sleeps.", "GET /health": "Slow."}


def test_the_section_has_the_note_of_each_missed_goal_once():
    missed = ["P1: polling", "P1: sleeping", "GET /health", "P2: ring"]
    assert notes.section(missed, notes.read(PAGE)) == (
        "## Missed goals\n\n**P1.** The profile shows that\nit sleeps.\n\n"
        f"**GET /health.** Slow.\n\n**P2.** {notes.WANTED}")
    assert notes.section([], {}) == "## Missed goals\n\nNone."


@pytest.mark.parametrize("peers", ["", f"\n\n{BEGIN}\nBeside Triton\n{END}"])
def test_notes_are_merged_into_the_results(peers):
    table = ("| what | measured | baseline | ratio | goal | |\n|---|---|---|---|---|---|\n"
             "| P1: a, b | 3 µs | – | 1.72 | ≤ 1.3 × | **missed** |\n| P2: c | 1 | – | 1 | – |  |")
    once = notes.merged(f"{table}{peers}\n", {"P1": "It sleeps."})
    assert once == f"{table}\n\n## Missed goals\n\n**P1.** It sleeps.{peers}\n"
    again = notes.merged(once, {"P1": "It wakes."})
    assert again == once.replace("sleeps", "wakes")
