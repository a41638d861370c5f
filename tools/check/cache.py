# SPDX-License-Identifier: MIT
"""Remembers results by a digest of everything they depend on."""

import hashlib
import json


def digest(*parts):
    """One digest of all parts, each bytes or str."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "little"))
        sha.update(data)
    return sha.hexdigest()


class Cache:
    """A JSON file of key to result. Only the keys used in a run are kept, so it stays small."""

    def __init__(self, path):
        self._path = path
        self._used = {}
        try:
            self._old = json.loads(path.read_text())
        except (OSError, ValueError):
            self._old = {}

    def get(self, key):
        """The remembered result, or None."""
        value = self._old.get(key)
        if value is not None:
            self._used[key] = value
        return value

    def put(self, key, value):
        self._used[key] = value

    def save(self):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text(json.dumps(self._used))
        temporary.replace(self._path)
