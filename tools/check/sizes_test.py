# SPDX-License-Identifier: MIT
"""sizes.py and functions.py refuse what is one over the limit and pass what is at it."""

import pytest

from tools.check import functions, sizes
from tools.check.cache import Cache
from tools.check.tree import Tree


def messages(files):
    return [str(finding) for finding in sizes.check(Tree(files))]


@pytest.mark.parametrize(("at_limit", "over", "message"), [
    ({"a.cc": "\n" * 1000}, {"a.cc": "\n" * 1001}, "a.cc: 1001 lines; 1000 at most"),
    ({"a.py": "é" * 100}, {"a.py": "é" * 101}, "a.py:1: 101 columns; 100 at most"),
    ({"Makefile": "x" * 100}, {"Makefile": "x" * 101}, "Makefile:1: 101 columns; 100 at most"),
    ({f"src/{n}.cc": "" for n in range(30)}, {f"src/{n}.cc": "" for n in range(31)},
     "src: 31 source files in one folder; 30 at most"),
    ({f"d{n}/x.md": "" for n in range(30)}, {f"d{n}/x.md": "" for n in range(31)},
     ".: 31 entries in the root; 30 at most"),
    ({"README.md": "\n" * 120}, {"README.md": "\n" * 121}, "README.md: more than 120 lines"),
])
def test_a_limit_is_kept(at_limit, over, message):
    assert messages(at_limit) == []
    assert messages(over) == [message]


def function_messages(path, text, tmp_path):
    cache = Cache(tmp_path / "cache.json")
    return [str(finding) for finding in functions.check(functions.measure(
        Tree({path: text}), cache))]


def test_a_long_function_is_refused(tmp_path):
    body = "  f();\n"
    assert function_messages("a.cc", "void F() {\n" + body * 68 + "}\n", tmp_path) == []
    assert function_messages("a.cc", "void F() {\n" + body * 69 + "}\n", tmp_path) == [
        "a.cc:1: F has 71 lines; 70 at most"]


def test_a_branched_function_is_refused(tmp_path):
    text = "int F(int x) { return " + " && ".join(["x"] * 20) + "; }\n"
    assert function_messages("a.cc", text, tmp_path) == []
    assert function_messages("a.cc", text.replace("x;", "x && x;"), tmp_path) == [
        "a.cc:1: F has complexity 21; 20 at most"]


def test_python_functions_are_measured_too(tmp_path):
    text = "def f():\n" + "    g()\n" * 70
    assert function_messages("a.py", text, tmp_path) == ["a.py:1: f has 71 lines; 70 at most"]
