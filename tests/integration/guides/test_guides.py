# SPDX-License-Identifier: MIT
"""The console blocks of the README and the guides, done as they say; test_plugin_guide.py does
docs/PLUGIN-DEVELOPMENT.md."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.support import page_port, paths
from tests.support.graphs import scale
from tests.support.guide import Reader, Step, blocks, steps
from tests.support.tls import Authority

pytestmark = pytest.mark.release_only

# Commands that no test can paste here, and what runs them instead.
RUN_ELSEWHERE = {
    "git clone <this repository> mlos && cd mlos": "every checkout",
    "make demo": "tests/demo/test_demo.py",
    "make": "every run of the tests",
    "make quick-test": "a part of `make test-all`",
    "make test-all": "`.ci/run`",
    "make install PREFIX=/usr/local": "tests/integration/guides/test_install.py",
    "curl -sN localhost:8080/v2/models/count/generate_stream -d '{\"count\": 2}'":
        "tests/integration/oip/test_generate.py, with a plugin of the tests",
}  # fmt: skip
BERT = "hf/bert-base-uncased@latest"


def runnable(page: str) -> list[Step]:
    return [step for step in steps(page) if step.command not in RUN_ELSEWHERE]


@pytest.fixture
def reader(tmp_path, hub):
    """A reader whose hub is the test's, and whom the page's ports belong to."""
    with page_port.claimed(wait_s=150) as mine:
        assert mine, "another run of MLOS's tests, or `make try`, has the page's ports"
        reader = Reader(tmp_path, HF_ENDPOINT=hub.url, AXON_HOME=str(tmp_path / "axon"))
        reader.environment["PATH"] = f"{paths.DEPS}/bin:{reader.environment['PATH']}"
        yield reader
        reader.kill()


def test_what_runs_elsewhere_is_in_the_guides():
    pages = ["README.md", *(f"docs/{path.name}" for path in (paths.ROOT / "docs").glob("*.md"))]
    commands = {step.command for page in pages for step in steps(page)}
    assert set(RUN_ELSEWHERE) <= commands
    tested = {"README.md", "docs/CONFIGURATION.md", "docs/API-REFERENCE.md",
              "docs/OPEN-INFERENCE-PROTOCOL.md", "docs/PLUGIN-DEVELOPMENT.md"}  # fmt: skip
    assert {page for page in pages if steps(page)} <= tested, "a guide that no test follows"


@pytest.mark.limit(300)
def test_the_readme(reader):
    (reader.folder / "Makefile").symlink_to(paths.ROOT / "Makefile")
    (reader.folder / "models").mkdir()
    scale(reader.folder / "models/mine.onnx")
    told = ""
    for step in runnable("README.md"):
        told += reader.do(step)
        if step.is_daemon:
            reader.environment["MLOS_CORE_ENDPOINT"] = f"http://127.0.0.1:{reader.ports['8080']}"
    for piece in ('"status":"healthy"', '"last_hidden_state":[1,3,768]', '"model_id":"mine"',
                  "make test-performance"):  # fmt: skip
        assert piece in told
    assert reader.stop() == 0


def test_the_configuration(reader):
    authority = Authority(reader.folder)
    pair = authority.issue("server")
    assert (pair.certificate.name, pair.key.name) == ("server.pem", "server.key")
    shutil.copy(authority.pair.certificate, reader.folder / "clients.pem")
    (reader.folder / "srv/mlos/models").mkdir(parents=True)
    file = reader.folder / "mlos.yaml"
    (example,) = blocks("docs/CONFIGURATION.md", "yaml")
    good = example.replace("/srv/", f"{reader.folder}/srv/")
    for step in runnable("docs/CONFIGURATION.md"):
        wrong = re.search(r"mlos\.yaml:3: (\w+): '(\w+)'", step.shown)
        file.write_text(f"{good.splitlines()[2]}\n\n{wrong[1]}: {wrong[2]}\n" if wrong else good)
        reader.do(step)
        if "--print-config" in step.command:
            check = "./build/mlos_core --config mlos.yaml --check-config"
            reader.do(Step(check, "configuration ok"))


@pytest.mark.parametrize("page", ["docs/API-REFERENCE.md", "docs/OPEN-INFERENCE-PROTOCOL.md"])
def test_the_references(reader, page, models):
    reader.start("./build/mlos_core")
    (graph,) = models.glob("bert-base-uncased/**/*.onnx")
    register = f"curl -d '{{\"model_id\":\"{BERT}\",\"path\":\"{graph}\"}}'"
    reader.do(Step(f"{register} localhost:8080/models/register", '"status":"success"'))
    others = ", ".join(
        f'{{"name": "{name}", "shape": [1, 3], "datatype": "INT64", "data": [1, 1, 1]}}'
        for name in ("attention_mask", "token_type_ids")
    )
    for step in runnable(page):
        reader.do(Step(step.command.replace("…", others), step.shown))
    assert reader.stop() == 0
