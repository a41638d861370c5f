# SPDX-License-Identifier: MIT
"""`make test-deep`: runs parts, after what they need is built. Stops at the first that fails.

PARTS names the parts ("asan-unit fuzz"); "chosen" stands for those of this commit, and nothing for
all of them.
"""

import os
import pathlib
import subprocess
import sys
import time

from tools.test import landing, parts

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    try:
        chosen = _asked(os.environ.get("PARTS", ""))
    except ValueError as error:
        print(f"test: {error}", file=sys.stderr)
        return 2
    names = " ".join(part.name for part in chosen)
    _say(f"parts {names}, about {parts.cost(chosen)} s on two quiet cores")
    for preset, targets in parts.builds(chosen).items():
        if _run(["tools/build.sh", preset, *(t for name in targets for t in parts.TARGETS[name])]):
            return 1
    for part in chosen:
        _say(f"part {part.name}")
        start = time.monotonic()
        failed = _run(part.runs)
        took = time.monotonic() - start
        _say(f"part {part.name} {'FAILED' if failed else 'passed'} in {took:.0f} s")
        if failed:
            return 1
    return 0


def _asked(names):
    if not names:
        return list(parts.PARTS)
    if names != "chosen":
        return parts.named(names)
    changed = landing.changed(ROOT)
    chosen, left = parts.choose(changed, landing.turn(ROOT))
    _say(f"the last landing changed {len(changed)} files")
    if left:
        names = " ".join(part.name for part in left)
        _say(f'touched, but beyond the time of one run: PARTS="{names}" make test-deep')
    return chosen


def _run(command):
    """The exit code of a command that runs in the root."""
    return subprocess.run(list(command), cwd=ROOT, check=False).returncode


def _say(line):
    print(f"test: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
