# SPDX-License-Identifier: MIT
"""The shape of the hand-written C++, reported beside its aims and never enforced."""

import collections
import re

from tools.check.includes import Includes
from tools.check.tree import folder_of, is_test

COMMENT = re.compile(r"^\s*(?://|/\*|\*)")


def percentile(values, share):
    """The value that `share` (0 to 1) of the values do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def measures(tree, functions):
    """Name, value and aim of each measure, as text."""
    lines = {path: [line for line in tree.lines(path) if line.strip()] for path in tree.cpp}
    sizes = [len(tree.lines(path)) for path in tree.cpp]
    cpp = [f for f in functions if f.path in lines]
    lengths = [f.length for f in cpp]
    branched = sum(f.complexity > 10 for f in cpp)
    comments = sum(bool(COMMENT.match(line)) for of in lines.values() for line in of)
    total = sum(map(len, lines.values()))
    product = sum(len(of) for path, of in lines.items() if not is_test(path))
    tests = sum(len(tree.lines(path)) for path in tree.sources if is_test(path))
    folders = collections.Counter(map(folder_of, tree.sources))
    includes = Includes(tree)
    direct = [len(includes.direct(path)) for path in tree.cpp]
    return [
        ("lines per file, median / p90 / largest",
         f"{percentile(sizes, .5)} / {percentile(sizes, .9)} / {max(sizes, default=0)}",
         "110 / 350 / 700"),
        ("function lines, p90 / p99",
         f"{percentile(lengths, .9)} / {percentile(lengths, .99)}", "22 / 60"),
        ("functions with complexity over 10", f"{_share(branched, len(cpp))}", "2 %"),
        ("source files per folder, median / most",
         f"{percentile(folders.values(), .5)} / {max(folders.values(), default=0)}", "6 to 24"),
        ("direct project includes, p90", f"{percentile(direct, .9)}", "10"),
        ("comment share", _share(comments, total), "15 to 20 %"),
        ("test : product lines", f"{tests / product:.2f}" if product else "-", "0.60"),
        ("root entries", f"{len({path.split('/')[0] for path in tree.paths})}", "26"),
    ]


def _share(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "-"
