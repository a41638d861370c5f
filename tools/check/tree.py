# SPDX-License-Identifier: MIT
"""The project's files as the checks see them, and what a check reports."""

import dataclasses
import functools
import pathlib
import subprocess

CPP_SUFFIXES = {".h", ".cc", ".c"}
SOURCE_SUFFIXES = CPP_SUFFIXES | {".py", ".sh", ".js", ".go", ".proto"}


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong, at a line of a file (0: the file or folder as a whole)."""

    path: str
    line: int
    message: str

    def __str__(self):
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.message}"


class Tree:
    """Files by their path from the root, as bytes; a test makes one out of a dictionary."""

    def __init__(self, files, root=None):
        self._files = {
            path: content.encode() if isinstance(content, str) else content
            for path, content in files.items()
        }
        self.root = root
        self.text = functools.cache(self._text)

    @classmethod
    def load(cls, root):
        """The files git tracks or would track; what .gitignore names is not the project's."""
        root = pathlib.Path(root)
        # A checkout may belong to another user than the one in the container that checks it.
        git = ["git", "-c", "safe.directory=*", "-C", root]
        listing = subprocess.run(
            [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True,
        ).stdout.decode()
        paths = sorted({path for path in listing.split("\0") if path and (root / path).is_file()})
        return cls({path: (root / path).read_bytes() for path in paths}, root)

    @property
    def paths(self):
        return list(self._files)

    def __contains__(self, path):
        return path in self._files

    def content(self, path):
        return self._files[path]

    def _text(self, path):
        return self._files[path].decode("utf-8", errors="replace")

    def lines(self, path):
        return self.text(path).splitlines()

    def with_suffix(self, suffixes):
        return [path for path in self._files if pathlib.PurePosixPath(path).suffix in suffixes]

    @property
    def cpp(self):
        return self.with_suffix(CPP_SUFFIXES)

    @property
    def sources(self):
        return self.with_suffix(SOURCE_SUFFIXES)


def folder_of(path):
    return str(pathlib.PurePosixPath(path).parent)


def is_test(path):
    """Whether a file is a test or part of one."""
    name = pathlib.PurePosixPath(path)
    stem = name.stem
    return name.parts[0] == "tests" or stem.endswith("_test") or stem.startswith("test_")
