# SPDX-License-Identifier: MIT
"""Each row of SECURITY.md's table of defences names the tests that show it, and they are there."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def defences(page):
    """(threat, shown by) of each row."""
    table = page.partition("## Defended today")[2].partition("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [(row[0].strip(), row[-1] if len(row) == 3 else "") for row in rows[1:]]


def fault(place):
    """What is wrong with `file` or `file:name`; empty if it is a test."""
    path, _, name = place.partition(":")
    unit = path.endswith(".cc")
    found = [ROOT / "tests/integration" / path]
    if unit:
        found = [file for top in ("src", "plugins", "tests") for file in (ROOT / top).rglob(path)]
    if not (unit and path.endswith("_test.cc")) and not re.search(r"/test_\w+\.py$", path):
        return f"{place} is no test"
    texts = [file.read_text() for file in found if file.is_file()]
    if not texts:
        return f"{path} is not there"
    pattern = (r"TEST(_[FP])?\({}\)".format(name.replace(".", ", ")) if unit
               else rf"^def {name}\(")  # fmt: skip
    if name and not any(re.search(pattern, text, re.MULTILINE) for text in texts):
        return f"{path} has no {name}"
    return ""


ROWS = defences((ROOT / "SECURITY.md").read_text())


def test_there_are_rows():
    assert len(ROWS) > 10


@pytest.mark.parametrize(("threat", "shown_by"), ROWS, ids=[row[0] for row in ROWS])
def test_every_defence_names_the_tests_that_show_it(threat, shown_by):
    places = re.findall(r"`([^`]+)`", shown_by)
    assert places, f"no test shows the defence against: {threat}"
    assert not [fault(place) for place in places if fault(place)]


@pytest.mark.parametrize(("place", "said"), [
    ("doors/test_no_such.py", "doors/test_no_such.py is not there"),
    ("doors/test_tls.py:test_nothing", "doors/test_tls.py has no test_nothing"),
    ("probe_test.cc:ProbeTest.Nothing", "probe_test.cc has no ProbeTest.Nothing"),
    ("doors/conftest.py", "doors/conftest.py is no test"),
    ("doors/test_tls.py:test_curl", ""),
])  # fmt: skip
def test_a_test_that_is_not_there_is_named(place, said):
    assert fault(place) == said


def test_a_row_without_a_test_is_seen():
    page = "## Defended today\n\n| a | b | c |\n|---|---|---|\n| threat | defence |\n\n## Not\n"
    assert defences(page) == [("threat", "")]
