# SPDX-License-Identifier: MIT
"""The file side of the hub: `/{id}/resolve/{revision}/{path}` and what it redirects to.

As on the real hub, a plain file answers with a relative redirect to a cache path of the same origin
(the token must go with it, and so must the query), an LFS file with an absolute one to a signed URL
of another origin (where the token must not go).
"""

from __future__ import annotations

import gzip
from urllib.parse import quote, urlencode

from tests.hub import access
from tests.hub.api import commit_of, moved_to, split_id
from tests.hub.catalog import Commit, HubFile, Repo
from tests.hub.messages import Body, Request, Response, error
from tests.hub.ranges import file_response
from tests.hub.state import HubState

_CACHE = ["api", "resolve-cache", "models"]
_TEXT = (".json", ".txt", ".md", ".yaml", ".yml")


def handle(state: HubState, request: Request, faults: dict[str, dict]) -> Response:
    """Answers `/{id}/resolve/…` and `/api/resolve-cache/models/{id}/…`."""
    refusal = access.bad_credentials(state.tokens, request)
    if refusal:
        return refusal
    if request.segments[:3] == _CACHE:
        return _cached(state, request, faults)
    repo_id, rest = split_id(request.segments, ("resolve",))
    if rest[:1] != ["resolve"] or len(rest) < 3:
        return error(404, None, "Sorry, we can't find the page you are looking for.")
    moved = moved_to(state, request, repo_id)
    if moved:
        return moved
    found = _find(state, request, repo_id, rest[1], "/".join(rest[2:]))
    return found if isinstance(found, Response) else _redirect(state, request, *found)


def _find(
    state: HubState, request: Request, repo_id: str, revision: str, path: str
) -> tuple[Repo, Commit, HubFile] | Response:
    repo = access.find_repo(state.catalog, state.tokens, request, repo_id)
    if isinstance(repo, Response):
        return repo
    refusal = access.gate(state.tokens, request, repo)
    if refusal:
        return refusal
    commit = commit_of(repo, revision)
    if isinstance(commit, Response):
        return commit
    file = commit.files.get(path)
    if file is None:
        return error(404, "EntryNotFound", "Entry not found", X_Repo_Commit=commit.sha)
    return repo, commit, file


def _redirect(
    state: HubState, request: Request, repo: Repo, commit: Commit, file: HubFile
) -> Response:
    """HEAD and GET get the same redirect; its headers tell all a client wants to know."""
    headers = {
        "X-Repo-Commit": commit.sha,
        "X-Linked-Size": str(file.size),
        "X-Linked-Etag": f'"{file.etag}"',
        "Accept-Ranges": "bytes",
        "Content-Type": "text/plain; charset=utf-8",
    }
    if file.is_lfs:
        path = f"/repos/{file.sha256[:2]}/{file.sha256}"
        query = state.signer.query(path, state.options.url_lifetime_s, file.path.split("/")[-1])
        headers["Location"] = f"{state.cdn_url}{path}?{query}"
        return Response(302, headers, Body.of(b"Found. Redirecting"))
    cache = "/".join(["", *_CACHE, repo.id, commit.sha, quote(file.path)])
    query = urlencode({request.path: "", "etag": f'"{file.etag}"'})
    headers["Location"] = f"{cache}?{query}"
    return Response(307, headers, Body.of(b"Temporary Redirect"))


def _cached(state: HubState, request: Request, faults: dict[str, dict]) -> Response:
    """A plain file itself. Its `etag` query parameter is part of the address."""
    segments = request.segments[len(_CACHE) :]
    orgless = state.catalog.find(segments[0]) is not None
    size = 1 if orgless else 2
    if len(segments) < size + 2:
        return error(404, None, "Sorry, we can't find the page you are looking for.")
    repo_id, revision = "/".join(segments[:size]), segments[size]
    found = _find(state, request, repo_id, revision, "/".join(segments[size + 1 :]))
    if isinstance(found, Response):
        return found
    _, commit, file = found
    if request.query.get("etag", "").strip('"') != file.etag:
        return error(400, None, "The query of the redirect was not kept")
    response = file_response(request, file, faults)
    response.headers["X-Repo-Commit"] = commit.sha
    return _compressed(request, file, response)


def _compressed(request: Request, file: HubFile, response: Response) -> Response:
    """As on the real hub, text goes gzipped, chunked and with a weak ETag to who accepts that."""
    accepts = "gzip" in request.headers.get("Accept-Encoding", "")
    if not accepts or response.status != 200 or not file.path.endswith(_TEXT):
        return response
    packed = gzip.compress(b"".join(response.body.chunks(1 << 16)), mtime=0)
    response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = "W/" + response.headers["ETag"]
    response.body = Body.of(packed)
    response.chunked = True
    return response


def cdn(state: HubState, request: Request, faults: dict[str, dict]) -> Response:
    """An LFS file from the second origin, for who has a signed URL, whole and unaltered."""
    if "Authorization" in request.headers:
        return _xml(400, "InvalidArgument", "Only one auth mechanism allowed")
    if not state.signer.valid(request.path, request.query):
        return _xml(403, "AccessDenied", "Request has expired or its signature does not match")
    file = state.catalog.blob_by_sha256(request.segments[-1])
    if file is None:
        return _xml(404, "NoSuchKey", "The specified key does not exist")
    response = file_response(request, file, faults)
    response.headers["Content-Disposition"] = request.query["response-content-disposition"]
    return response


def _xml(status: int, code: str, message: str) -> Response:
    text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(status, {"Content-Type": "application/xml"}, Body.of(text.encode()))
