# SPDX-License-Identifier: MIT
"""The third port: `POST /control` with one order as JSON. Not part of the hub's protocol."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.hub.faults import Fault
from tests.hub.messages import Request, Response, json_response
from tests.hub.state import HubState


def handle(state: HubState, request: Request) -> Response:
    """Carries out `{"op": …}`. An order that is not understood is a 400 that says why."""
    if request.method != "POST" or request.path != "/control":
        return json_response({"error": "POST /control only"}, 404)
    try:
        order = json.loads(request.body)
        operation = _OPERATIONS[order.pop("op")]
        return json_response(operation(state, order))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        return json_response({"error": f"{type(problem).__name__}: {problem}"}, 400)


def _fault(state: HubState, order: dict) -> dict:
    state.faults.add(Fault.parse(order))
    return {}


def _clear_faults(state: HubState, _order: dict) -> dict:
    state.faults.clear()
    return {}


def _reset(state: HubState, _order: dict) -> dict:
    state.reset()
    return {}


def _log(state: HubState, _order: dict) -> dict:
    return {"entries": state.log.entries()}


def _options(state: HubState, order: dict) -> dict:
    """Sets some of `Options`; the others stay as they are."""
    state.options = replace(state.options, **order)
    return {}


def _move_branch(state: HubState, order: dict) -> dict:
    """Lets a branch point to another commit, as a push between two requests would."""
    repo = state.catalog.repos[order["repo"]]
    if order["commit"] not in repo.commits:
        raise ValueError(f"{order['repo']} has no commit {order['commit']}")
    repo.branches[order["branch"]] = order["commit"]
    return {}


_OPERATIONS = {
    "fault": _fault,
    "clear_faults": _clear_faults,
    "reset": _reset,
    "log": _log,
    "options": _options,
    "move_branch": _move_branch,
}
