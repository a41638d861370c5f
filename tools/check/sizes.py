# SPDX-License-Identifier: MIT
"""How large a file, a folder, a line, the root and the README may be."""

import collections
import pathlib

from tools.check.tree import SOURCE_SUFFIXES, Finding, folder_of

LINES_MAX = 1000
COLUMNS_MAX = 100
FOLDER_FILES_MAX = 30
ROOT_ENTRIES_MAX = 30
README_LINES_MAX = 120

WIDTH_NAMES = {"Makefile", "CMakeLists.txt"}
WIDTH_SUFFIXES = SOURCE_SUFFIXES | {".cmake"}


def check(tree):
    findings = []
    for path in tree.sources:
        count = len(tree.lines(path))
        if count > LINES_MAX:
            findings.append(Finding(path, 0, f"{count} lines; {LINES_MAX} at most"))
    for path in tree.paths:
        name = pathlib.PurePosixPath(path)
        if name.suffix in WIDTH_SUFFIXES or name.name in WIDTH_NAMES:
            findings += [Finding(path, number, f"{len(line)} columns; {COLUMNS_MAX} at most")
                         for number, line in enumerate(tree.lines(path), 1)
                         if len(line) > COLUMNS_MAX]
    return findings + _folders(tree) + _root(tree)


def _folders(tree):
    files = collections.Counter(folder_of(path) for path in tree.sources)
    return [Finding(folder, 0, f"{count} source files in one folder; {FOLDER_FILES_MAX} at most")
            for folder, count in files.items() if count > FOLDER_FILES_MAX]


def _root(tree):
    findings = []
    entries = {path.split("/")[0] for path in tree.paths}
    if len(entries) > ROOT_ENTRIES_MAX:
        findings.append(
            Finding(".", 0, f"{len(entries)} entries in the root; {ROOT_ENTRIES_MAX} at most"))
    if "README.md" in tree and len(tree.lines("README.md")) > README_LINES_MAX:
        findings.append(Finding("README.md", 0, f"more than {README_LINES_MAX} lines"))
    return findings
