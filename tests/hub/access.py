# SPDX-License-Identifier: MIT
"""Who may read what, with the status, code and wording of the real hub."""

from __future__ import annotations

from dataclasses import dataclass

from tests.hub.catalog import Catalog, Repo
from tests.hub.messages import Request, Response, error

_CHALLENGE = 'Bearer realm="Authentication required", charset="UTF-8"'


@dataclass(frozen=True)
class Tokens:
    """`full` opens gated and private repositories, `reader` is valid but opens neither."""

    full: str
    reader: str

    def known(self, token: str) -> bool:
        return token in (self.full, self.reader)


def bad_credentials(tokens: Tokens, request: Request) -> Response | None:
    """401 for a token nobody issued; None where there is no token or a valid one."""
    if request.token is None or tokens.known(request.token):
        return None
    return error(401, None, "Invalid credentials in Authorization header")


def find_repo(catalog: Catalog, tokens: Tokens, request: Request, repo_id: str) -> Repo | Response:
    """The repository, or the refusal. A missing one and a private one look the same, and without
    a token both are a 401, so that nobody can probe for names."""
    repo = catalog.find(repo_id)
    if repo is not None and (not repo.private or request.token == tokens.full):
        return repo
    if request.token is None:
        return error(
            401, "RepoNotFound", "Invalid username or password.", WWW_Authenticate=_CHALLENGE
        )
    return error(404, "RepoNotFound", "Repository not found")


def gate(tokens: Tokens, request: Request, repo: Repo) -> Response | None:
    """Files of a gated repository want a token of someone who was let in; its listing does not."""
    if not repo.gated or request.token == tokens.full:
        return None
    if request.token is None:
        message = (
            f"Access to model {repo.id} is restricted. You must have access to it and be "
            "authenticated to access it. Please log in."
        )
        return error(401, "GatedRepo", message, WWW_Authenticate=_CHALLENGE)
    message = (
        f"Access to model {repo.id} is restricted and you are not in the authorized list. "
        f"Visit https://huggingface.co/{repo.id} to ask for access."
    )
    return error(403, "GatedRepo", message)
