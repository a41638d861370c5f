# SPDX-License-Identifier: MIT
"""`make check`: format, tidy, layers, cycles, sizes and hygiene of the whole tree.

Run from the root as `python -m tools.check.main`; needs a configured build-check for clang-tidy.
"""

import pathlib
import sys
import time

from tools.check import clang, functions, hygiene, layers, report, sizes
from tools.check.cache import Cache
from tools.check.tree import Tree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-check"


def main():
    tree = Tree.load(ROOT)
    caches = {name: Cache(BUILD / "check" / f"{name}.json")
              for name in ("lizard", "format", "tidy")}
    measured = functions.measure(tree, caches["lizard"])
    checks = {
        "hygiene": lambda: hygiene.check(tree),
        "layers": lambda: layers.check(tree),
        "sizes": lambda: sizes.check(tree) + functions.check(measured),
        "format": lambda: clang.check_format(tree, caches["format"]),
        "tidy": lambda: clang.check_tidy(tree, caches["tidy"], BUILD),
    }
    failed = 0
    try:
        for name, check in checks.items():
            failed += not _passes(name, check)
    finally:
        for cache in caches.values():
            cache.save()
    for name, value, aim in report.measures(tree, measured):
        print(f"  {name:<40} {value:>18}   aim {aim}")
    print(f"check: {len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _passes(name, check):
    start = time.monotonic()
    findings = check()
    for finding in sorted(findings):
        print(finding)
    state = f"{len(findings)} findings" if findings else "ok"
    print(f"check: {name:<8} {state} ({time.monotonic() - start:.1f} s)", flush=True)
    return not findings


if __name__ == "__main__":
    sys.exit(main())
