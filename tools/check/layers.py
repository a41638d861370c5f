# SPDX-License-Identifier: MIT
"""Includes go only along the edges of layers.txt, and nothing is in a cycle."""

import fnmatch
import re
from itertools import filterfalse

from tools.check.includes import Includes, cycles, module_of
from tools.check.tree import Finding, folder_of, is_test

TABLE = "tools/check/layers.txt"
DIRECT_INCLUDES_MAX = 20


class Table:
    """`folder: folders it may include` and `<header pattern>: folders that may include it`."""

    def __init__(self, text):
        self.folders, self.headers = {}, {}
        for line in re.sub(r"\n[ \t]+(?=\S)", " ", re.sub(r"#.*", "", text)).splitlines():
            if line:
                key, _, values = line.partition(":")
                target = self.headers if key.startswith("<") else self.folders
                target[key.strip("<>")] = values.split()

    def allowed_from(self, folder):
        """The folders that `folder` may include, as patterns; None when the table lacks it."""
        if folder in self.folders:
            return self.folders[folder]
        ancestors = [key for key in self.folders if key.endswith("/**")
                     and f"{folder}/".startswith(key[:-2])]
        return self.folders[max(ancestors, key=len)] if ancestors else None

    def allows(self, folder, target):
        return any(fnmatch.fnmatch(target, pattern) for pattern in self.allowed_from(folder) or ())

    def header_owners(self, header):
        """The folders that may include this header of a library; None: anyone."""
        for pattern, owners in self.headers.items():
            if fnmatch.fnmatch(header, pattern):
                return owners
        return None


def check(tree):
    table, includes = Table(tree.text(TABLE)), Includes(tree)
    findings = []
    for path in tree.cpp:
        folder = folder_of(path)
        if table.allowed_from(folder) is None:
            findings.append(Finding(path, 0, f"the folder {folder} is not in {TABLE}"))
            continue
        findings += _edges(table, includes, path)
        findings += [Finding(path, line, f'"{name}" is not a file of the project')
                     for line, name in includes.unresolved(path)]
        count = len(includes.direct(path))
        if count > DIRECT_INCLUDES_MAX:
            findings.append(Finding(
                path, 0, f"{count} direct project includes; {DIRECT_INCLUDES_MAX} at most"))
    return findings + list(_cycles(tree, includes))


def _edges(table, includes, path):
    folder = folder_of(path)
    for line, written, target in includes.of(path):
        if target is None:
            owners = table.header_owners(written[1:])
            if owners is not None and folder not in owners:
                yield Finding(
                    path, line, f"{written[1:]} may be included only by {', '.join(owners)}")
        elif not (folder_of(target) == folder or table.allows(folder, folder_of(target))
                  or _is_helper_of_test(path, target)):
            yield Finding(path, line, f"{folder} may not include {folder_of(target)} ({TABLE})")


def _is_helper_of_test(path, target):
    return is_test(path) and is_test(target)


def _cycles(tree, includes):
    folders, modules = {}, {}
    for path in filterfalse(is_test, tree.cpp):
        for target in includes.direct(path):
            if folder_of(path) != folder_of(target):
                folders.setdefault(folder_of(path), set()).add(folder_of(target))
            if module_of(path) != module_of(target):
                modules.setdefault(module_of(path), set()).add(module_of(target))
    for kind, graph in (("folders", folders), ("modules", modules)):
        for group in cycles(graph):
            yield Finding(group[0], 0, f"{kind} include each other in a cycle: {', '.join(group)}")
