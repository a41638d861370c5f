# SPDX-License-Identifier: MIT
"""landing.py, over small repositories of its own."""

import os
import subprocess

import pytest

from tools.test import landing

DAY_S = 24 * 3600
START = 1_700_000_000


class Repository:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments, at=START):
        date = f"{at} +0000"
        environment = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
        return subprocess.run(
            ["git", *identity, "-C", self.folder, *arguments], env=environment, check=True,
            capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    def commit(self, path, at):
        (self.folder / path).write_text(path)
        self.git("add", path)
        self.git("commit", "-q", "-m", path, at=at)
        return self.git("rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def _no_base(monkeypatch):
    monkeypatch.delenv("MLOS_CI_BASE", raising=False)


@pytest.fixture
def repository(tmp_path):
    """Three commits: one of the day before yesterday, two of the last day."""
    repository = Repository(tmp_path / "repository")
    repository.commit("old", START)
    repository.commit("new", START + 2 * DAY_S)
    repository.commit("newer", START + 2 * DAY_S + 3600)
    return repository


def test_a_landing_is_what_was_committed_within_a_day(repository):
    assert landing.changed(repository.folder) == ["new", "newer"]
    assert landing.turn(repository.folder) == int(repository.git("rev-parse", "HEAD")[:8], 16)


def test_a_base_that_is_named_counts(repository, monkeypatch):
    monkeypatch.setenv("MLOS_CI_BASE", "HEAD~1")
    assert landing.changed(repository.folder) == ["newer"]


def test_a_base_that_is_not_there_does_not(repository, monkeypatch):
    monkeypatch.setenv("MLOS_CI_BASE", "0" * 40)
    assert landing.changed(repository.folder) == ["new", "newer"]


def test_a_branch_is_compared_with_where_it_left_main(repository, tmp_path):
    clone = Repository.__new__(Repository)
    clone.folder = tmp_path / "clone"
    repository.git("clone", "-q", repository.folder, clone.folder)
    assert landing.changed(clone.folder) == ["new", "newer"]
    clone.commit("branch", START + 9 * DAY_S)
    clone.commit("branch too", START + 10 * DAY_S + 1)
    assert landing.changed(clone.folder) == ["branch", "branch too"]


def test_a_shallow_clone_has_no_landing_but_a_turn(repository, tmp_path):
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.folder}", shallow)
    assert landing.changed(shallow) == []
    assert landing.turn(shallow) == int(repository.git("rev-parse", "HEAD")[:8], 16)


def test_a_first_commit_has_no_landing_but_a_turn(tmp_path):
    repository = Repository(tmp_path / "repository")
    repository.commit("first", START)
    head = repository.git("rev-parse", "HEAD")
    assert landing.changed(repository.folder) == []
    assert landing.turn(repository.folder) == int(head[:8], 16)


def test_a_folder_without_a_repository_chooses_all_the_same(tmp_path):
    assert (landing.changed(tmp_path), landing.turn(tmp_path)) == ([], 0)
