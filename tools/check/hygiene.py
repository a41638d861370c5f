# SPDX-License-Identifier: MIT
"""What no file may hold: missing licence lines, leftovers, this machine's paths, blobs.

The patterns are written so that this file does not match them itself.
"""

import re

from tools.check.tree import Finding

BLOB_BYTES_MAX = 256 * 1024
LICENCE = "SPDX-License-Identifier: MIT"

REGISTRIES = [
    "deb.debian" ".org", "security.debian" ".org", "snapshot.debian" ".org",
    "archive.ubuntu" ".com", "security.ubuntu" ".com",
    "pypi" ".org", "pythonhosted" ".org",
    "proxy.golang" ".org", "sum.golang" ".org",
    "npmjs" ".org", "npmjs" ".com", "yarnpkg" ".com",
    "crates" ".io", "rubygems" ".org", "conda" ".anaconda.org",
    "registry-1.docker" ".io", "index.docker" ".io",
]

BANNED = [
    (re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"), "leftover note"),
    (re.compile(r"(?<![\w.}>])/(?:work|root|home)/[\w.]"), "path of one machine"),
    (re.compile("|".join(re.escape(host) for host in REGISTRIES)), "host name of a registry"),
    (re.compile(r"[ \t]+$"), "trailing whitespace"),
    (re.compile(r"\r"), "carriage return"),
]


# Seeds of the fuzz targets are input as it may arrive, not text that anyone wrote.
SEEDS = "tests/fuzz/corpus/"


def check(tree):
    findings = []
    for path in tree.paths:
        content = tree.content(path)
        if len(content) > BLOB_BYTES_MAX:
            findings.append(
                Finding(path, 0, f"{len(content)} bytes; {BLOB_BYTES_MAX} at most in the tree"))
        if _is_binary(content):
            findings.append(Finding(path, 0, "binary file; make it at set-up or in the test"))
        elif not path.startswith(SEEDS):
            findings += _banned(tree, path)
    return findings + _licences(tree)


def _is_binary(content):
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return b"\0" in content


def _banned(tree, path):
    text = tree.content(path).decode()
    if text and not text.endswith("\n"):
        yield Finding(path, text.count("\n") + 1, "no newline at the end of the file")
    for number, line in enumerate(text.split("\n"), 1):
        for pattern, name in BANNED:
            match = pattern.search(line)
            if match:
                yield Finding(path, number, f"{name}: {match[0].strip()!r}")


def _licences(tree):
    findings = []
    for path in tree.sources:
        head = tree.lines(path)[:2]
        first = head[1:] if head and head[0].startswith("#!") else head[:1]
        if not first or LICENCE not in first[0]:
            findings.append(Finding(path, 1, f"the first line must carry `{LICENCE}`"))
    return findings
