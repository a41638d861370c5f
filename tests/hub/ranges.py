# SPDX-License-Identifier: MIT
"""Serving a file or a range of it (RFC 9110, section 14)."""

from __future__ import annotations

import hashlib
import mimetypes
import re

from tests.hub.catalog import HubFile
from tests.hub.messages import Body, Request, Response

_SINGLE_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


def file_response(request: Request, file: HubFile, faults: dict[str, dict]) -> Response:
    """200 with the whole file, 206 with the range asked for, or 416 for one beyond its end."""
    etag = f'"{file.etag}"'
    if "change_etag" in faults:
        etag = f'"{hashlib.sha256(etag.encode()).hexdigest()}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Type": mimetypes.guess_type(file.path)[0] or "application/octet-stream",
    }
    wanted = None if "ignore_range" in faults else _range(request, file.size, etag)
    if wanted is None:
        return Response(200, headers, Body.of_file(file.blob, 0, file.size))
    start, end = wanted
    if start >= file.size or end < start:
        headers["Content-Range"] = f"bytes */{file.size}"
        return Response(416, headers)
    headers["Content-Range"] = f"bytes {start}-{end}/{file.size}"
    return Response(206, headers, Body.of_file(file.blob, start, end - start + 1))


def _range(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte asked for; None where the whole file is to be sent: no range, several,
    one that is not understood, or an If-Range that no longer holds."""
    match = _SINGLE_RANGE.match(request.headers.get("Range", "").replace(" ", ""))
    if match is None or match.group(1) == match.group(2) == "":
        return None
    if request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if first == "":
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last or size - 1), size - 1)
