# SPDX-License-Identifier: MIT
"""Asks Magika what kind of file some bytes are."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np

from tests.demo.exhibit import Visit


def show(visit: Visit) -> str:
    """Prints the type of five files; returns them in a line."""
    settings = json.loads(visit.file("config.min.json").read_text())
    answers = []
    for name, content in _samples().items():
        features = _features(content, settings)
        outputs = visit.ask({"bytes": features}, file=f"{name}.json")
        scores = outputs["target_label"][0]
        label = settings["target_labels_space"][int(scores.argmax())]
        answers.append(f"{label} {scores.max():.1%}")
        visit.say(f"{name}: {answers[-1]}")
    return ", ".join(answers)


def _samples() -> dict[str, bytes]:
    here = Path(__file__)
    return {
        "python-source": here.read_bytes(),
        "markdown": (here.parents[1] / "hub" / "README.md").read_bytes(),
        "ini-file": (here.parents[1] / "pytest.ini").read_bytes(),
        "program": Path("/bin/true").read_bytes(),
        "picture": _png(),
    }


def _features(content: bytes, settings: dict) -> np.ndarray:
    """int32[1, 2048] as Magika makes them: the first and last bytes of the content without the
    white space around it, padded on the far side."""
    block, pad = settings["block_size"], settings["padding_token"]
    first = content[:block].lstrip()[: settings["beg_size"]]
    last = content[-block:].rstrip()[-settings["end_size"] :]
    row = np.full((1, settings["beg_size"] + settings["end_size"]), pad, dtype=np.int32)
    row[0, : len(first)] = list(first)
    row[0, row.shape[1] - len(last) :] = list(last)
    return row


def _png() -> bytes:
    """A small grey PNG picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return len(data).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)

    size = 64
    header = size.to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    rows = b"".join(b"\0" + bytes((x * y) % 256 for x in range(size)) for y in range(size))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
