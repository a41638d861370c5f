# SPDX-License-Identifier: MIT
"""Listing the files and directories of a commit as the hub's tree endpoint does."""

from __future__ import annotations

import hashlib

from tests.hub.catalog import Commit, HubFile


def entries(commit: Commit, folder: str, recursive: bool, expand: bool) -> list[dict]:
    """Everything below `folder` ("" is the root), sorted by path; only its direct children unless
    `recursive`. An empty list means that there is no such folder."""
    prefix = folder + "/" if folder else ""
    below = {path: file for path, file in commit.files.items() if path.startswith(prefix)}
    found: dict[str, dict] = {}
    for path, file in below.items():
        for parent in _folders_between(prefix, path):
            found.setdefault(parent, _directory(parent, below))
        found[path] = _file(file)
    if not recursive:
        found = {path: e for path, e in found.items() if "/" not in path[len(prefix) :]}
    if expand:
        for entry in found.values():
            entry |= _expanded(commit)
    return [found[path] for path in sorted(found)]


def _folders_between(prefix: str, path: str) -> list[str]:
    parts = path[len(prefix) :].split("/")[:-1]
    return [prefix + "/".join(parts[: i + 1]) for i in range(len(parts))]


def _file(file: HubFile) -> dict:
    entry = {"type": "file", "oid": file.oid, "size": file.size, "path": file.path}
    if file.is_lfs:
        entry["lfs"] = {
            "oid": file.sha256,
            "size": file.size,
            "pointerSize": file.pointer_size,
        }
    return entry


def _directory(path: str, files: dict[str, HubFile]) -> dict:
    """A directory's id only has to change with its content: a hash of the ids below it."""
    below = "".join(f.oid for name, f in sorted(files.items()) if name.startswith(path + "/"))
    oid = hashlib.sha1(below.encode()).hexdigest()
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


def _expanded(commit: Commit) -> dict:
    return {
        "lastCommit": {"id": commit.sha, "title": commit.title, "date": commit.date},
        "securityFileStatus": {
            "status": "safe",
            "avScan": {"status": "safe"},
            "pickleImportScan": {"status": "safe"},
        },
    }
