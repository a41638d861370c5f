# SPDX-License-Identifier: MIT
"""How long and how branched a function may be, measured by lizard."""

import dataclasses

import lizard

from tools.check.cache import digest
from tools.check.tree import Finding

LENGTH_MAX = 70
COMPLEXITY_MAX = 20
SUFFIXES = {".h", ".cc", ".c", ".py", ".js", ".go"}


@dataclasses.dataclass(frozen=True)
class Function:
    path: str
    line: int
    name: str
    length: int
    complexity: int


def measure(tree, cache):
    """Every function of the tree; files measured before are not read again."""
    functions = []
    for path in tree.with_suffix(SUFFIXES):
        key = digest("lizard", lizard.version, path.rpartition(".")[2], tree.content(path))
        rows = cache.get(key)
        if rows is None:
            parsed = lizard.analyze_file.analyze_source_code(path, tree.text(path))
            rows = [[f.start_line, f.name, f.length, f.cyclomatic_complexity]
                    for f in parsed.function_list]
            cache.put(key, rows)
        functions += [Function(path, *row) for row in rows]
    return functions


def check(functions):
    findings = []
    for f in functions:
        if f.length > LENGTH_MAX:
            findings.append(
                Finding(f.path, f.line, f"{f.name} has {f.length} lines; {LENGTH_MAX} at most"))
        if f.complexity > COMPLEXITY_MAX:
            message = f"{f.name} has complexity {f.complexity}; {COMPLEXITY_MAX} at most"
            findings.append(Finding(f.path, f.line, message))
    return findings
