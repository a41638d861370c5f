# SPDX-License-Identifier: MIT
"""docs/PLUGIN-DEVELOPMENT.md, done as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import paths
from tests.support.guide import Reader, blocks, steps

GUIDE = "docs/PLUGIN-DEVELOPMENT.md"
SAMPLE = paths.ROOT / "plugins/samples/my_plugin/my_plugin.c"


@pytest.fixture
def reader(tmp_path):
    reader = Reader(tmp_path)
    yield reader
    reader.kill()


def test_the_guide_shows_the_sample():
    _, _, code = SAMPLE.read_text().split("\n", 2)  # without licence and title
    assert blocks(GUIDE, "c") == [code]


def test_the_guide_works_as_written(reader):
    mapped = []
    for step in steps(GUIDE):
        reader.do(step)
        maps = Path(f"/proc/{reader.daemon.pid}/maps").read_text() if reader.daemon else ""
        mapped.append("my_plugin.so" in maps)
    assert any(mapped)
    assert not mapped[-1], "unloaded while Core runs"
    assert reader.stop() == 0
