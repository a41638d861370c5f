# SPDX-License-Identifier: MIT
"""Chains of requests along the links of /openapi.json, and those schemathesis infers: what was
registered is there, runs, and is gone once it is removed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support import Core
from tests.support.graphs import scale
from tests.support.openapi import MODEL, excluded, known_here, settings

NEW = {"type": "string", "pattern": "^new-[1-9][0-9]?$"}
MODEL_IDS = {"anyOf": [{"enum": [MODEL, "ns/echo@v2", "alone"]}, NEW]}
PLUGIN_IDS = {"anyOf": [{"enum": ["first", "second"]}, NEW]}
REGISTERED_AS = {"POST /models/register": "model_id", "POST /plugins/register": "id"}
STEPS = 20


def start_over(core: Core, graph: Path) -> None:
    """Takes Core back to where every scenario starts: nothing but `MODEL` is registered."""
    for kind in ("models", "plugins"):
        for entry in core.get(f"/{kind}").json()[kind]:
            if not entry.get("builtin"):
                path = f"/{kind}/{quote(entry['id'], safe='')}"
                assert core.delete(path).status_code == 200
    assert core.register(MODEL, graph).status_code == 200


def follow_links(core: Core, graph: Path, schema, scenarios: int, *no_checks: Callable) -> Counter:
    """Runs scenarios of up to `STEPS` requests, every answer checked; how often each operation
    answered with which status.

    What an earlier scenario left in Core would make the same choices lead elsewhere, and a failure
    could not be repeated. So each starts over, and the choices are the same in every run.
    """
    told: Counter = Counter()

    class Scenario(schema.as_state_machine()):
        def setup(self) -> None:
            start_over(core, graph)
            self.removed: set[str] = set()
            self.renamed = 0

        def before_call(self, case) -> None:
            # A check holds what is there under the id of what was removed for that very thing. So
            # no id is given a second time.
            key = REGISTERED_AS.get(case.operation.label)
            named = case.body.get(key) if isinstance(case.body, dict) else None
            while isinstance(named, str) and named in self.removed:
                self.renamed += 1
                named = case.body[key] = f"new-{self.renamed}"

        def after_call(self, response, case) -> None:
            super().after_call(response, case)
            told[case.operation.label, response.status_code] += 1
            if case.method == "DELETE" and response.status_code == 200:
                self.removed.add(unquote(case.path_parameters["id"]))

        def validate_response(self, response, case, *_, **__) -> None:
            no_more_checks = excluded(response, *no_checks)
            case.validate_response(
                response, excluded_checks=no_more_checks, recorder=self.recorder
            )

    same_in_every_run = settings(scenarios)
    Scenario.run(settings=hypothesis.settings(same_in_every_run, stateful_step_count=STEPS))
    return told


@pytest.fixture
def graphs(tmp_path: Path) -> list[Path]:
    """Two models of one signature: a registration of the other replaces the one."""
    return [scale(tmp_path / "twice.onnx", 2.0), scale(tmp_path / "thrice.onnx", 3.0)]


@pytest.mark.deep
@pytest.mark.limit(180)
def test_what_the_document_allows_goes_on_as_its_links_say(core, graphs):
    """Every check: forms that the document allows are accepted, whatever was asked before."""
    document = known_here(core.get("/openapi.json").json(), graphs[0])
    schemas, parameters = (document["components"][kind] for kind in ("schemas", "parameters"))
    parameters["ModelId"]["schema"] = MODEL_IDS
    parameters["PluginId"]["schema"] = PLUGIN_IDS
    register = schemas["RegisterModel"]["properties"]
    register["model_id"] = MODEL_IDS
    register["path"] = {"enum": [str(graph) for graph in graphs]}
    register["state_pairs"] = {"enum": [None, {}]}  # the graphs carry none
    register["intra_op_threads"] = {"enum": [None, 0, 1, 2]}  # no more than the machine has
    register["options"] = {"enum": [None, {}]}  # their plugin has none
    schemas["RegisterPlugin"]["properties"] = {"id": PLUGIN_IDS}
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=core.url)
    schema.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE])
    told = follow_links(core, graphs[0], schema, 40)
    assert {
        "POST /models/register", "DELETE /models/{id}", "POST /models/{id}/inference",
        "POST /v2/models/{id}/infer", "POST /plugins/register", "DELETE /plugins/{id}",
    } <= {label for label, status in told if status == 200}  # fmt: skip
    assert core.get("/health").status_code == 200


@pytest.mark.deep
@pytest.mark.limit(180)
def test_good_and_bad_forms_follow_each_other(core, graphs):
    """Good and bad forms alike, of ids that nobody chose. Which of the good ones are accepted
    depends on more than their form (`test_core_keeps_to_the_document`), but files that are models
    may be registered."""
    document = core.get("/openapi.json").json()
    register = document["components"]["schemas"]["RegisterModel"]["properties"]
    register["path"] = {"enum": [str(graph) for graph in graphs]}
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=core.url)
    told = follow_links(core, graphs[0], schema, 20, positive_data_acceptance)
    assert {200, 400, 404} <= {status for label, status in told if label in REGISTERED_AS}
    assert core.get("/health").status_code == 200
