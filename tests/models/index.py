# SPDX-License-Identifier: MIT
"""Writes drafts as a directory tree and the `repos.json` the hub reads.

The files of a repository's `main` lie in `<folder>/`, to be used as they are; what other commits
hold besides lies once in `.history/<folder>/<sha256>`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.models.draft import Draft

_LFS_SUFFIXES = (".onnx", ".onnx_data", ".safetensors", ".bin", ".pb", ".pt", ".h5", ".gguf")
_LFS_BYTES = 10 * 1024 * 1024


def write(root: Path, drafts: list[Draft]) -> None:
    """Writes every file and, last, `root`/repos.json."""
    entries = [_repo(root, draft) for draft in sorted(drafts, key=lambda d: d.id)]
    (root / "repos.json").write_text(json.dumps({"repos": entries}, indent=1) + "\n")


def git_blob_id(data: bytes) -> str:
    """The id git gives to a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _repo(root: Path, draft: Draft) -> dict:
    count = len(draft.commits)
    main = draft.branches["main"] % count
    blobs: dict[str, str] = {}
    # Head of main first, so that the blobs it shares with older commits lie in the plain tree.
    by_index = {i: _commit(root, draft, i, i == main, blobs) for i in _from(main, count)}
    shas = [by_index[i]["sha"] for i in range(count)]
    return {
        "id": draft.id,
        "folder": draft.folder,
        "former_ids": list(draft.former_ids),
        "gated": draft.gated,
        "private": draft.private,
        "card": draft.card.metadata(),
        "config": draft.config,
        "branches": {name: shas[i] for name, i in draft.branches.items()},
        "tags": {name: shas[i] for name, i in draft.tags.items()},
        "commits": [by_index[i] for i in reversed(range(count))],
    }


def _from(first: int, count: int) -> list[int]:
    return [first, *(i for i in range(count) if i != first)]


def _commit(root: Path, draft: Draft, index: int, is_main: bool, blobs: dict[str, str]) -> dict:
    files = []
    for path, data in draft.files_of(index).items():
        sha256 = hashlib.sha256(data).hexdigest()
        if is_main:
            _write(root, f"{draft.folder}/{path}", data)
            blobs.setdefault(sha256, f"{draft.folder}/{path}")
        elif sha256 not in blobs:
            blobs[sha256] = f".history/{draft.folder}/{sha256}"
            _write(root, blobs[sha256], data)
        files.append(_file(path, data, sha256, blobs[sha256]))
    title, date = draft.commits[index].title, f"2025-01-{index + 1:02d}T12:00:00.000Z"
    tree = "".join(f"{f['path']}\0{f['oid']}\n" for f in files)
    sha = hashlib.sha1("\n".join((draft.id, title, date, tree)).encode()).hexdigest()
    return {"sha": sha, "title": title, "date": date, "files": files}


def _write(root: Path, path: str, data: bytes) -> None:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _file(path: str, data: bytes, sha256: str, blob: str) -> dict:
    entry = {"path": path, "size": len(data), "blob": blob}
    if not path.endswith(_LFS_SUFFIXES) and len(data) <= _LFS_BYTES:
        return entry | {"oid": git_blob_id(data)}
    pointer = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {len(data)}\n"
    ).encode()
    lfs = {"sha256": sha256, "pointer_size": len(pointer)}
    return entry | {"oid": git_blob_id(pointer), "lfs": lfs}
