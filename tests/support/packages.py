# SPDX-License-Identifier: MIT
"""`.axon` files that are not what they should be: one table per class, for whoever reads packages.

The makers take the members of a good package, whose first listed file is `README.md` or the like
and whose second listed file is the graph."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import yaml

Content = dict[str, bytes]


def members(file: Path) -> Content:
    with tarfile.open(file) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}


def entry(name: str, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def pack(file: Path, content: Content, extra: list[tarfile.TarInfo] | None = None) -> Path:
    """Writes the members, and after them entries without data. Returns `file`."""
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in content.items():
            archive.addfile(entry(name, size=len(data)), io.BytesIO(data))
        for info in extra or []:
            archive.addfile(info)
    return file


def files(manifest: dict) -> list[dict]:
    return manifest["spec"]["format"]["files"]


def with_manifest(change: Callable[[dict], None]) -> Callable[[Content], Content]:
    def apply(content: Content) -> Content:
        manifest = yaml.safe_load(content["manifest.yaml"])
        change(manifest)
        return content | {"manifest.yaml": yaml.safe_dump(manifest).encode()}

    return apply


# What disagrees with itself: content and manifest, or the manifest and its own rules.
DISAGREEING: dict[str, Callable[[Content], Content]] = {
    "a flipped byte": lambda c: c | {"model.onnx": b"\1" + c["model.onnx"][1:]},
    "a file too many": lambda c: c | {"more.bin": b"x"},
    "a file too few": lambda c: {k: v for k, v in c.items() if k != "README.md"},
    "no manifest": lambda c: {k: v for k, v in c.items() if k != "manifest.yaml"},
    "a manifest that is none": lambda c: c | {"manifest.yaml": b"a: ["},
    "an alias bomb": lambda c: c | {"manifest.yaml": b"a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n"},
    "a tag": lambda c: c | {"manifest.yaml": b"!!python/object/apply:os.system ['id']\n"},
    "a deep manifest": lambda c: c | {"manifest.yaml": b"[" * 5000 + b"]" * 5000},
    "a huge manifest": lambda c: c | {"manifest.yaml": b"a: " + b"x" * (2 << 20)},
    "a key twice": lambda c: c | {"manifest.yaml": c["manifest.yaml"] + b"kind: Model\n"},
    "a wrong size": with_manifest(lambda m: files(m)[1].update(size=1)),
    "a wrong digest": with_manifest(lambda m: files(m)[1].update(sha256="0" * 64)),
    "another digest": with_manifest(lambda m: files(m)[1].update(sha256="md5:" + "0" * 32)),
    "a digest as path": with_manifest(lambda m: files(m)[1].update(sha256="../../" + "0" * 58)),
    "a digest too short": with_manifest(lambda m: files(m)[1].update(sha256="a" * 63)),
    "a digest in capitals": with_manifest(lambda m: files(m)[1].update(sha256="A" * 64)),
    "a file without digest": with_manifest(lambda m: files(m)[1].pop("sha256")),
    "a listed file outside": with_manifest(lambda m: files(m)[1].update(path="../model.onnx")),
    "an unknown key": with_manifest(lambda m: m.update(surprise=1)),
    "a name that leads out": with_manifest(lambda m: m["metadata"].update(name="../../x")),
    "a version that leads out": with_manifest(lambda m: m["metadata"].update(version="..")),
    "no version": with_manifest(lambda m: m["metadata"].update(version="")),
}

# Entries that a tar may hold and a package may not.
HOSTILE_ENTRIES: dict[str, list[tarfile.TarInfo]] = {
    "dot dot": [entry("../escaped")],
    "dot dot inside": [entry("a/../../escaped")],
    "dot at the end": [entry("escaped/.")],
    "dot dot at the end": [entry("escaped/..")],
    "absolute": [entry("/escaped")],
    "backslash": [entry("..\\escaped")],
    "a drive": [entry("C:\\escaped")],
    "a name too long for a header": [entry("../" * 60 + "escaped")],
    "symbolic link": [entry("link", type=tarfile.SYMTYPE, linkname="/etc")],
    "write through a link": [
        entry("link", type=tarfile.SYMTYPE, linkname="/tmp"), entry("link/escaped"),
    ],
    "two hops": [
        entry("one", type=tarfile.SYMTYPE, linkname="."),
        entry("two", type=tarfile.SYMTYPE, linkname="one/.."),
        entry("two/escaped"),
    ],
    "hard link": [entry("link", type=tarfile.LNKTYPE, linkname="manifest.yaml")],
    "device": [entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "pipe": [entry("pipe", type=tarfile.FIFOTYPE)],
    "twice": [entry("twice"), entry("twice")],
    "file and folder": [entry("both"), entry("both/inside")],
}  # fmt: skip


def _zeros(size: int) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(entry("zeros", size=size), io.BytesIO(bytes(size)))
    return data.getvalue()


def _empty_files(count: int) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for number in range(count):
            archive.addfile(entry(f"f{number}"))
    return data.getvalue()


# Bytes that unpack to far more, or to nothing at all.
BOMBS: dict[str, Callable[[], bytes]] = {
    "ratio": lambda: gzip.compress(_zeros(256 << 20)),
    "entries": lambda: gzip.compress(_empty_files(20_000)),
    "nested": lambda: gzip.compress(gzip.compress(_zeros(1 << 20))),
    "size claimed": lambda: entry("claims", size=(8 << 30) - 1).tobuf(tarfile.USTAR_FORMAT),
    "window of two exabytes": lambda: b"\x28\xb5\x2f\xfd\x00\xf8\x03\x00\x02" + bytes(1 << 14),
    "zip": lambda: b"PK\3\4" + bytes(1000),
    "empty": lambda: b"",
    "text": lambda: b"no archive at all",
    "random": lambda: os.urandom(100_000),
}
