# SPDX-License-Identifier: MIT
"""The commands of the product's page and the result of each today. The tests run the commands as
written; docs/PROMISES.md is generated from this table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support import paths

BERT = "http://localhost:8080/models/hf%2Fbert-base-uncased%40latest/inference"
GPT2 = "http://localhost:8080/models/hf%2Fgpt2%40latest/inference"
RESNET = "http://localhost:8080/models/pytorch%2Fresnet50%40latest/inference"
VIT = "http://localhost:8080/models/hf%2Fgoogle%2Fvit-base-patch16-224%40latest/inference"

PLUGIN = '{"id":"my-plugin","name":"My ML Plugin","version":"1.0.0"}'
TOKENS = '{"input_ids":[101,7592,102],"attention_mask":[1,1,1],"token_type_ids":[0,0,0]}'


@dataclass(frozen=True)
class Promise:
    """One command of the page. `shows` is a piece of its output where it passes, `refused` of the
    message that refuses it. Commands with neither are shown by what runs this test itself."""

    command: str
    shows: str = ""
    refused: str = ""
    run_by: str = ""
    test: str = "tests/integration/guides/test_promises.py"

    @property
    def state(self) -> str:
        """What the command does today."""
        if self.refused:
            return f"refused: `{self.refused}`"
        return measured() if self.command == PERFORMANCE else "passes"


PERFORMANCE = "make test-performance"
INSTALL_TEST = "tests/integration/guides/test_install.py"


def measured() -> str:
    """What bench/results.md says of the goals."""
    page = (paths.ROOT / "bench/results.md").read_text()
    missed = re.findall(r"^\| (.+?) \|.*\| \*\*missed\*\* \|$", page, re.MULTILINE)
    reached = page.count("| reached |")
    if not missed:
        return f"passes: all {reached} goals reached"
    names = "; ".join(missed)
    return f"exits 1: {len(missed)} of {reached + len(missed)} goals missed ({names})"


# `$PIXELS` stands for the 150,528 numbers that the page abbreviates.
PAGE = [
    Promise("make", run_by="`.ci/run`, `make demo`"),
    Promise("./build/mlos_core", shows='"status":"healthy"'),
    Promise("./build/mlos_core --http-port 9090 --no-grpc", shows='"status":"healthy"'),
    Promise("curl http://localhost:8080/health", shows='"status":"healthy"'),
    Promise(
        'curl -X POST http://localhost:8080/plugins/register -H "Content-Type: application/json" '
        f"-d '{PLUGIN}'",
        shows='"plugin_id":"my-plugin"',
    ),
    Promise("axon install hf/bert-base-uncased@latest", shows="hf/bert-base-uncased@latest"),
    Promise("axon register hf/bert-base-uncased@latest", shows="hf/bert-base-uncased@latest"),
    Promise(f"curl -X POST {BERT} -d '{TOKENS}'", shows='"shapes":{"last_hidden_state":[1,3,768]'),
    Promise("axon install hf/gpt2@latest", shows="hf/gpt2@latest"),
    Promise("axon register hf/gpt2@latest", shows="hf/gpt2@latest"),
    Promise(
        f"curl -X POST {GPT2} -d '{{\"input_ids\":[15496,11,337,43,48]}}'",
        shows='"shapes":{"logits":[1,5,50257]}',
    ),
    Promise("axon install hf/google/vit-base-patch16-224@latest", shows="vit-base-patch16-224"),
    Promise("axon register hf/google/vit-base-patch16-224@latest", shows="vit-base-patch16-224"),
    Promise(
        f"curl -X POST {VIT} -d '{{\"pixel_values\":$PIXELS}}'",
        shows='"shapes":{"logits":[1,1000]}',
    ),
    Promise(
        "axon install pytorch/vision/resnet50@latest",
        refused="models of PyTorch Hub cannot be installed by this version",
    ),
    Promise(
        f"curl -X POST {RESNET} -d '{{\"pixel_values\":[$PIXELS]}}'",
        refused='"reason":"MODEL_NOT_FOUND"',
    ),
    Promise(
        "axon install tfhub/google/universal-sentence-encoder/4@latest",
        refused="cannot be installed by this version",
    ),
    Promise(
        "axon install modelscope/damo/cv_resnet50@latest",
        refused="cannot be installed by this version",
    ),
    Promise("make test-all", run_by="`.ci/run`"),
    Promise("make quick-test", run_by="a part of `make test-all`"),
    Promise("make test-unit", run_by="a part of `make test-all`"),
    Promise("make test-integration", run_by="a part of `make test-all`"),
    Promise(PERFORMANCE, run_by="[bench/results.md](../bench/results.md)"),
    Promise("make install", test=INSTALL_TEST, shows="mlos_core"),
    Promise("make install-dev", test=INSTALL_TEST, shows="smi_spec.h"),
    Promise("make debug", run_by="`make check`, which configures it for clang-tidy; "
            "`make test-deep`, whose builds have its library assertions"),
    Promise("make docker-build", refused="No rule to make target 'docker-build'"),
    Promise("make docker-run", refused="No rule to make target 'docker-run'"),
]


def page_markdown() -> str:
    """docs/PROMISES.md."""
    lines = [
        "# Promises",
        "",
        "This page lists every command of the product's page, the test that runs it as written, "
        "and its",
        "result today. It is generated from `tests/support/promises.py`; a test fails if this page "
        "or a",
        "command differs. `$PIXELS` stands for the 150,528 numbers that the product's page "
        "abbreviates.",
        "",
        "| command | shown by | state |",
        "|---|---|---|",
    ]
    for promise in PAGE:
        command = promise.command.replace("|", "\\|")
        shown_by = promise.run_by or f"`{promise.test}`"
        lines.append(f"| `{command}` | {shown_by} | {promise.state} |")
    return "\n".join(lines) + "\n"


def update() -> None:
    """Writes docs/PROMISES.md."""
    (paths.ROOT / "docs/PROMISES.md").write_text(page_markdown())


if __name__ == "__main__":
    update()
