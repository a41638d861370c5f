# SPDX-License-Identifier: MIT
"""report.py's numbers, on a tree small enough to count by hand."""

from tools.check import report
from tools.check.functions import Function
from tools.check.tree import Tree


def test_percentile():
    assert report.percentile([], .5) == 0
    assert report.percentile([3, 1, 2], .5) == 2
    assert report.percentile(range(100), .9) == 90


def test_measures():
    tree = Tree({
        "src/a.h": "// Why.\nint A();\n\n",
        "src/a.cc": '#include "a.h"\n// Why.\nint A() { return 1; }\n',
        "src/a_test.cc": "int main() {}\n",
        "tests/b.py": "assert True\n",
    })
    functions = [Function("src/a.cc", 3, "A", 1, 1), Function("src/a_test.cc", 1, "main", 1, 11)]
    measures = {name: value for name, value, _ in report.measures(tree, functions)}
    assert measures["lines per file, median / p90 / largest"] == "3 / 3 / 3"
    assert measures["functions with complexity over 10"] == "50.0 %"
    assert measures["comment share"] == "33.3 %"
    assert measures["test : product lines"] == "0.40"
    assert measures["root entries"] == "2"
