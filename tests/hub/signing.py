# SPDX-License-Identifier: MIT
"""Signed download URLs in the manner of S3: good for one object, for a while, query included."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from urllib.parse import urlencode


class Signer:
    """Makes and checks the query of a signed URL. Thread-safe: it never changes."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def query(self, path: str, lifetime_s: float, file_name: str) -> str:
        """The query string to put behind `path`, valid for `lifetime_s` seconds from now."""
        expires = f"{time.time() + lifetime_s:.3f}"
        disposition = f'inline; filename="{file_name}";'
        return urlencode(
            {
                "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                "X-Amz-Expires": expires,
                "response-content-disposition": disposition,
                "X-Amz-Signature": self._sign(path, expires, disposition),
            }
        )

    def valid(self, path: str, query: dict[str, str]) -> bool:
        """Whether nothing of the query is missing, altered or out of date."""
        expires = query.get("X-Amz-Expires", "")
        given = query.get("X-Amz-Signature", "")
        expected = self._sign(path, expires, query.get("response-content-disposition", ""))
        if not hmac.compare_digest(expected, given):
            return False
        return float(expires) >= time.time()

    def _sign(self, path: str, expires: str, disposition: str) -> str:
        text = "\n".join((path, expires, disposition)).encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
