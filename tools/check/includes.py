# SPDX-License-Identifier: MIT
"""Who includes whom, among the project's own C and C++ files."""

import functools
import pathlib
import re

from tools.check.tree import folder_of

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">\n]+)[">]', re.MULTILINE)
INCLUDE_ROOTS = ("src/", "include/", "plugins/", "")
GENERATED_SUFFIXES = (".pb.h",)


class Includes:
    """The include graph of a tree. Edges are (line, path as written, project file or None)."""

    def __init__(self, tree):
        self._tree = tree
        self.of = functools.cache(self._of)
        self.closure = functools.cache(self._closure)

    def _of(self, path):
        text = self._tree.text(path)
        return [
            (text.count("\n", 0, match.start()) + 1, match[1] + match[2],
             self._find(path, match[2]))
            for match in INCLUDE.finditer(text)
        ]

    def _find(self, path, name):
        """The file of the project that `name` means in `path`; a template for what CMake makes."""
        for candidate in (f"{folder_of(path)}/{name}", *(root + name for root in INCLUDE_ROOTS)):
            for file in (candidate, candidate + ".in"):
                if file in self._tree:
                    return file
        return None

    def direct(self, path):
        """The project's files this one includes, each once, in order."""
        return list(dict.fromkeys(target for _, _, target in self.of(path) if target))

    def _closure(self, path):
        """Every file of the project that this one sees, itself included."""
        seen, waiting = {path}, [path]
        while waiting:
            new = set(self.direct(waiting.pop())) - seen
            seen |= new
            waiting.extend(new)
        return frozenset(seen)

    def unresolved(self, path):
        """Includes in quotes that name no file of the project."""
        return [
            (line, written[1:])
            for line, written, target in self.of(path)
            if written[0] == '"' and not target and not written.endswith(GENERATED_SUFFIXES)
        ]


def module_of(path):
    """A header and its implementation are one module; a test is one of its own."""
    return str(pathlib.PurePosixPath(path).with_suffix(""))


def cycles(graph):
    """The groups of nodes that reach each other, by Tarjan's algorithm; `graph`: node to nodes."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            position = stack.index(node)
            if len(stack) - position > 1:
                found.append(sorted(stack[position:]))
            del stack[position:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found
