# SPDX-License-Identifier: MIT
"""`python -m tests.models.collect DIR`: makes the tree of models the test hub serves.

The result depends only on the downloaded packages and on the scripts here. A second run finds that
out from a stamp and does nothing; a run that is interrupted leaves the tree as it was.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

if __package__ in (None, ""):  # run as a file: let `tests` be found
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.models import index, made, packages


def collect(out: Path, wheels: Path) -> bool:
    """Brings `out` up to date; returns False where it already was. Safe to run twice at once."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with (out.parent / f".{out.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = _stamp(wheels)
        if _read(out / ".stamp") == stamp:
            return False
        fresh = out.parent / f".{out.name}.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        index.write(fresh, _drafts(wheels))
        (fresh / ".stamp").write_text(stamp)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
        return True


def _drafts(wheels: Path) -> list:
    return [
        packages.magika(wheels),
        packages.silero_vad(wheels),
        packages.rapidocr(wheels),
        packages.resnet50_light(),
        *made.page_models(),
        *made.special_cases(),
    ]


def _stamp(wheels: Path) -> str:
    """Changes whenever the result could."""
    digest = hashlib.sha256()
    for file in sorted([*Path(__file__).parent.glob("*.py"), *wheels.glob("*.whl")]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    for package in ("onnx", "numpy"):
        digest.update(metadata.version(package).encode())
    return digest.hexdigest()


def _read(file: Path) -> str | None:
    return file.read_text() if file.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--wheels", type=Path, help="default: the folder wheels beside DIR")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    changed = collect(out, arguments.wheels or out.parent / "wheels")
    print(f"{'Collected' if changed else 'Up to date:'} the test models in {arguments.out}")


if __name__ == "__main__":
    main()
