# SPDX-License-Identifier: MIT
"""The JSON side of the hub: `/api/models/...` and `/api/whoami-v2`."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from tests.hub import access, tree
from tests.hub.catalog import Commit, HubFile, Repo
from tests.hub.messages import Request, Response, error, json_response
from tests.hub.state import HubState

_VERBS = ("revision", "tree", "refs", "auth-check")


def handle(state: HubState, request: Request) -> Response:
    """Answers a request whose path starts with `/api`."""
    refusal = access.bad_credentials(state.tokens, request)
    if refusal:
        return refusal
    segments = request.segments[1:]
    if segments == ["whoami-v2"]:
        return _whoami(state, request)
    if segments[:1] != ["models"]:
        return error(404, None, "Sorry, we can't find the page you are looking for.")
    if len(segments) == 1:
        return _search(state, request)
    repo_id, rest = split_id(segments[1:], _VERBS)
    moved = moved_to(state, request, repo_id)
    if moved:
        return moved
    repo = access.find_repo(state.catalog, state.tokens, request, repo_id)
    return repo if isinstance(repo, Response) else _of_repo(state, request, repo, rest)


def split_id(segments: list[str], verbs: tuple[str, ...]) -> tuple[str, list[str]]:
    """Splits `[org, name, verb, …]` or `[name, verb, …]` into the id and what follows it."""
    size = 1 if len(segments) < 2 or segments[1] in verbs else 2
    return "/".join(segments[:size]), segments[size:]


def moved_to(state: HubState, request: Request, repo_id: str) -> Response | None:
    """307 to the same resource of the repository that took over this id; relative, query kept."""
    repo = state.catalog.renamed(repo_id)
    if repo is None:
        return None
    prefix = "/api/models/" if request.path.startswith("/api/") else "/"
    location = prefix + repo.id + request.target[len(prefix + repo_id) :]
    message = f"Temporary Redirect. Redirecting to {location}"
    return json_response({"error": message}, 307, Location=location)


def commit_of(repo: Repo, revision: str) -> Commit | Response:
    """The commit a revision names, or the hub's 404 for it."""
    commit = repo.commit(revision)
    return commit or error(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def _of_repo(state: HubState, request: Request, repo: Repo, rest: list[str]) -> Response:
    verb, arguments = (rest[0], rest[1:]) if rest else ("revision", ["main"])
    if verb == "refs":
        return json_response(_refs(repo))
    if verb == "auth-check":
        return access.gate(state.tokens, request, repo) or json_response({})
    if verb not in _VERBS or not arguments:
        return error(404, None, "Sorry, we can't find the page you are looking for.")
    commit = commit_of(repo, arguments[0])
    if isinstance(commit, Response):
        return commit
    if verb == "tree":
        return _tree(state, request, repo, commit, "/".join(arguments[1:]))
    return json_response(_info(repo, commit, request.query.get("blobs") in ("true", "True", "1")))


def _whoami(state: HubState, request: Request) -> Response:
    if request.token is None:
        return error(401, None, "Invalid username or password.")
    name = "mlos-full" if request.token == state.tokens.full else "mlos-reader"
    return json_response({"type": "user", "name": name, "fullname": name, "orgs": []})


def _sibling(file: HubFile, with_blobs: bool) -> dict:
    entry: dict = {"rfilename": file.path}
    if not with_blobs:
        return entry
    entry |= {"size": file.size, "blobId": file.oid}
    if file.is_lfs:
        entry["lfs"] = {
            "sha256": file.sha256,
            "size": file.size,
            "pointerSize": file.pointer_size,
        }
    return entry


def _info(repo: Repo, commit: Commit, with_blobs: bool) -> dict:
    licence = repo.card.get("license")
    return {
        "_id": commit.sha[:24],
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.id.split("/")[0] if "/" in repo.id else None,
        "sha": commit.sha,
        "lastModified": commit.date,
        "createdAt": commit.date,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "library_name": repo.card.get("library_name"),
        "pipeline_tag": repo.card.get("pipeline_tag"),
        "tags": [*repo.card.get("tags", []), *([f"license:{licence}"] if licence else [])],
        "cardData": repo.card,
        "config": repo.config,
        "siblings": [_sibling(file, with_blobs) for file in commit.files.values()],
    }


def _refs(repo: Repo) -> dict:
    def entries(refs: dict[str, str], kind: str) -> list[dict]:
        return [
            {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": sha}
            for name, sha in refs.items()
        ]

    return {
        "branches": entries(repo.branches, "heads"),
        "tags": entries(repo.tags, "tags"),
        "converts": [],
    }


def _tree(state: HubState, request: Request, repo: Repo, commit: Commit, folder: str) -> Response:
    recursive = request.query.get("recursive") in ("true", "True", "1")
    expand = request.query.get("expand") in ("true", "True", "1")
    entries = tree.entries(commit, folder, recursive, expand)
    if folder and not entries:
        message = f'{folder} does not exist on "{commit.sha}"'
        return error(404, "EntryNotFound", message, X_Repo_Commit=commit.sha)
    path = f"/api/models/{repo.id}/tree/{quote(commit.sha)}"
    if folder:
        path += "/" + quote(folder)
    return _page(state, request, entries, path)


def _search(state: HubState, request: Request) -> Response:
    query = request.query
    wanted, author = query.get("search", "").lower(), query.get("author")
    found = [
        _info(repo, repo.commits[repo.branches["main"]], with_blobs=False)
        for repo in state.catalog.repos.values()
        if wanted in repo.id.lower()
        and (author is None or repo.id.startswith(author + "/"))
        and (not repo.private or request.token == state.tokens.full)
    ]
    found.sort(key=lambda info: info["id"])
    return _page(state, request, found, "/api/models")


def _page(state: HubState, request: Request, entries: list[dict], path: str) -> Response:
    """One page of `entries`; `Link: <…>; rel="next"` where more follow. The cursor is opaque to
    clients: they must follow the link as it is."""
    size = state.options.page_size
    if request.query.get("limit", "").isdigit():
        size = max(1, min(size, int(request.query["limit"])))
    start = int(request.query.get("cursor", "c0").removeprefix("c") or 0)
    response = json_response(entries[start : start + size])
    if start + size < len(entries):
        again = {**request.query, "cursor": f"c{start + size}"}
        response.headers["Link"] = f'<{state.hub_url}{path}?{urlencode(again)}>; rel="next"'
    return response
