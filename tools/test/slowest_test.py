# SPDX-License-Identifier: MIT
"""slowest.py reads what ctest and pytest write."""

from tools.test import slowest

CTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux-c++" tests="2">
  <testcase name="Queue.Sorts" classname="Queue.Sorts" time="0.5" status="run"/>
  <testcase name="Queue.Waits" classname="Queue.Waits" time="7.25" status="run"/>
</testsuite>
"""
PYTEST = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="1">
<testcase classname="integration.http.test_wire" name="test_paths[a]" time="3.125" />
</testsuite></testsuites>
"""


def test_the_slowest_of_both_come_first(tmp_path, capsys):
    (tmp_path / "times").mkdir()
    (tmp_path / "times/ctest.xml").write_text(CTEST)
    (tmp_path / "times/pytest.xml").write_text(PYTEST)
    assert slowest.main(tmp_path) == 0
    assert capsys.readouterr().out == (
        "test: the slowest 3 tests\n"
        "      7.2 s  Queue.Waits\n"
        "      3.1 s  integration.http.test_wire: test_paths[a]\n"
        "      0.5 s  Queue.Sorts\n")
    assert len(slowest.slowest((tmp_path / "times").iterdir(), 2)) == 2


def test_no_report_is_no_test(tmp_path, capsys):
    assert slowest.main(tmp_path) == 0
    assert capsys.readouterr().out == "test: the slowest 0 tests\n"
