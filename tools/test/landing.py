# SPDX-License-Identifier: MIT
"""What the last landing changed, read from git as far as it is there.

A landing is everything since the commit that `MLOS_CI_BASE` names; else since HEAD left
origin/main; else of the day before HEAD was committed. A shallow clone or a first commit may have
no commit to compare with: then nothing counts as changed.
"""

import os
import subprocess

_DAY_S = 24 * 3600


def changed(root):
    """The paths that the landing changed, or [] if that cannot be told."""
    base = _base(root)
    return _git(root, "diff", "--name-only", base, "HEAD").splitlines() if base else []


def turn(root):
    """A number made of the commit's digest, so that it varies from landing to landing; 0 outside
    of a repository."""
    return int(_git(root, "rev-parse", "HEAD")[:8] or "0", 16)


def _base(root):
    head = _git(root, "rev-parse", "HEAD")
    for ref in (os.environ.get("MLOS_CI_BASE", ""), "origin/main"):
        base = _git(root, "merge-base", ref, "HEAD") if ref else ""
        if base and base != head:
            return base
    committed = _git(root, "show", "-s", "--format=%ct", "HEAD")
    if not committed:
        return ""
    before = f"--before={int(committed) - _DAY_S}"
    return _git(root, "log", "-1", "--first-parent", "--format=%H", before, "HEAD")


def _git(root, *arguments):
    """The output of git without its last line's end; nothing if it fails."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(root), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""
