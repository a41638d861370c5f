# SPDX-License-Identifier: MIT
"""hygiene.py refuses what no file may hold. Banned words are spelled in two halves here."""

import pytest

from tools.check import hygiene
from tools.check.tree import Tree

SPDX = "// SPDX-License-Identifier: MIT\n"


def messages(path, content):
    return [str(finding) for finding in hygiene.check(Tree({path: content}))]


@pytest.mark.parametrize(("path", "content"), [
    ("a.cc", SPDX + "int mastodon;  // a todo list is a noun\n"),
    ("a.sh", "#!/bin/sh\n# SPDX-License-Identifier: MIT\n"),
    ("a.md", "See https://example.org/work/a and $HOME/home/b and ./root/c.\n"),
    ("a.txt", ""),
    ("tests/fuzz/corpus/request/get", "GET / HTTP/1.1\r\n\r\n "),
])
def test_a_clean_file_passes(path, content):
    assert messages(path, content) == []


@pytest.mark.parametrize(("line", "what"), [
    ("// TO" "DO: later", "leftover note"),
    ("// FIX" "ME", "leftover note"),
    ("cd /wo" "rk/main", "path of one machine"),
    ('"/ho' 'me/alice"', "path of one machine"),
    ("x=/ro" "ot/.cache", "path of one machine"),
    ("https://py" "pi.org/simple", "host name of a registry"),
    ("deb http://deb.deb" "ian.org/debian", "host name of a registry"),
    ("int x; ", "trailing whitespace"),
    ("int x;\r", "carriage return"),
])
def test_a_banned_line_is_refused(line, what):
    found = messages("a.cc", f"{SPDX}{line}\n")
    assert found and all(text.startswith("a.cc:2: ") for text in found)
    assert any(what in text for text in found)


@pytest.mark.parametrize(("path", "content", "message"), [
    ("a.cc", "int x;\n", "a.cc:1: the first line must carry `SPDX-License-Identifier: MIT`"),
    ("a.py", "", "a.py:1: the first line must carry `SPDX-License-Identifier: MIT`"),
    ("a.md", "text", "a.md:1: no newline at the end of the file"),
    ("a.onnx", b"\x08\0", "a.onnx: binary file; make it at set-up or in the test"),
    ("a.bin", b"\xff\xfe", "a.bin: binary file; make it at set-up or in the test"),
    ("a.txt", "x" * 262143 + "\n", None),
    ("a.txt", "x" * 262144 + "\n", "a.txt: 262145 bytes; 262144 at most in the tree"),
])
def test_a_file_as_a_whole(path, content, message):
    assert messages(path, content) == ([message] if message else [])
