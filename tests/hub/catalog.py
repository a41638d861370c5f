# SPDX-License-Identifier: MIT
"""The repositories a hub serves, read from the `repos.json` that `tests/models` writes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class HubFile:
    """A file of one commit. `oid` is git's blob id, for an LFS file that of its pointer."""

    path: str
    size: int
    oid: str
    blob: Path
    sha256: str | None = None  # set for LFS files only
    pointer_size: int = 0

    @property
    def is_lfs(self) -> bool:
        return self.sha256 is not None

    @property
    def etag(self) -> str:
        """What the hub gives as ETag: sha256 of an LFS file, git's blob id of a plain one."""
        return self.sha256 or self.oid


@dataclass(frozen=True)
class Commit:
    sha: str
    title: str
    date: str
    files: dict[str, HubFile]


@dataclass
class Repo:
    """A model repository. Only `branches` ever changes, through the hub's control endpoint."""

    id: str
    former_ids: list[str]
    gated: str | bool
    private: bool
    card: dict
    config: dict
    commits: dict[str, Commit]
    branches: dict[str, str]
    tags: dict[str, str]

    def commit(self, revision: str) -> Commit | None:
        """The commit of a branch, a tag, a full ref or a full-length hash; else None."""
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        sha = self.branches.get(name) or self.tags.get(name) or revision
        return self.commits.get(sha)


@dataclass
class Catalog:
    """All repositories by id. Thread-compatible; the hub serialises changes."""

    root: Path
    repos: dict[str, Repo] = field(default_factory=dict)

    @staticmethod
    def load(root: Path) -> Catalog:
        """Reads `root`/repos.json; raises FileNotFoundError where it was never collected."""
        index = json.loads((root / "repos.json").read_text())
        catalog = Catalog(root)
        for entry in index["repos"]:
            catalog.repos[entry["id"]] = _repo(root, entry)
        return catalog

    def find(self, repo_id: str) -> Repo | None:
        return self.repos.get(repo_id)

    def renamed(self, repo_id: str) -> Repo | None:
        """The repository that once had this id, as `gpt2` became `openai-community/gpt2`."""
        return next((r for r in self.repos.values() if repo_id in r.former_ids), None)

    def blob_by_sha256(self, sha256: str) -> HubFile | None:
        for repo in self.repos.values():
            for commit in repo.commits.values():
                for file in commit.files.values():
                    if file.sha256 == sha256:
                        return file
        return None

    def restore(self) -> None:
        """Puts every branch back where repos.json has it."""
        self.repos = Catalog.load(self.root).repos


def _file(root: Path, entry: dict) -> HubFile:
    lfs = entry.get("lfs") or {}
    return HubFile(
        path=entry["path"],
        size=entry["size"],
        oid=entry["oid"],
        blob=root / entry["blob"],
        sha256=lfs.get("sha256"),
        pointer_size=lfs.get("pointer_size", 0),
    )


def _repo(root: Path, entry: dict) -> Repo:
    commits = {}
    for item in entry["commits"]:
        files = {f["path"]: _file(root, f) for f in item["files"]}
        commits[item["sha"]] = Commit(item["sha"], item["title"], item["date"], files)
    return Repo(
        id=entry["id"],
        former_ids=entry["former_ids"],
        gated=entry["gated"],
        private=entry["private"],
        card=entry["card"],
        config=entry["config"],
        commits=commits,
        branches=dict(entry["branches"]),
        tags=dict(entry["tags"]),
    )
