# SPDX-License-Identifier: MIT
"""`axon register` and what uninstalling does while MLOS Core has a model."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.support import Axon, Core

MODEL = "hf/mlos-test/bert-tiny@latest"


class Answer(BaseHTTPRequestHandler):
    server: StubCore

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.requests.append((self.path, self.headers, self.rfile.read(length)))
        self._send()

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers, b""))
        self._send()

    def log_message(self, *_arguments: object) -> None:
        pass

    def _send(self) -> None:
        status, body = self.server.answer
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        if status in (301, 302, 307):
            self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(data)


class StubCore(ThreadingHTTPServer):
    """Answers every request alike and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.requests: list[tuple] = []
        self.answer: tuple[int, dict | bytes] = (200, {"message": "Registered"})
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def stub(axon: Axon) -> Iterator[StubCore]:
    server = StubCore()
    axon.env["MLOS_CORE_ENDPOINT"] = server.url
    yield server
    server.shutdown()
    server.server_close()


def test_what_core_is_told(axon, stub):
    axon.run("install", MODEL, check=True)
    result = axon.run("register", MODEL, check=True, HF_TOKEN="hf_secret")
    assert (result.stdout, result.stderr) == (f"{MODEL}\n", "Registered\n")
    directory = axon.model_dir("mlos-test/bert-tiny")
    ((path, headers, body),) = stub.requests
    assert path == "/models/register"
    assert headers["Content-Type"] == "application/json"
    assert headers.get("Authorization") is None, "the hub's token is the hub's"
    assert json.loads(body) == {
        "model_id": MODEL,
        "name": "mlos-test/bert-tiny",
        "framework": "ONNX",
        "execution_format": "onnx",
        "path": str(directory),
        "description": json.loads(axon.run("info", MODEL, "--json").stdout)["description"],
        "manifest_path": str(directory / "manifest.yaml"),
    }
    told = axon.run("register", "hf/mlos-test/bert-tiny", "--json", check=True).json
    assert told == {"model_id": MODEL, "status": "registered", "message": "Registered"}


def test_what_is_published_on_the_machine_comes_first(axon, stub):
    axon.run("install", MODEL, check=True)
    mine = axon.model_dir("mlos-test/bert-tiny")
    published = axon.home / "published/models/hf/mlos-test/bert-tiny"
    shutil.copytree(mine, published / "v9")
    expected = {"hf/mlos-test/bert-tiny@v9": published / "v9", MODEL: mine,
                "hf/mlos-test/bert-tiny": published / "v9"}  # fmt: skip
    for name in expected:
        axon.run("register", name, check=True)
    assert [json.loads(body)["path"] for _, _, body in stub.requests] == [
        str(path) for path in expected.values()
    ]


def test_a_description_with_quotes_is_encoded(axon, stub):
    axon.run("install", MODEL, check=True)
    manifest = axon.model_dir("mlos-test/bert-tiny") / "manifest.yaml"
    text = manifest.read_text()
    line = next(line for line in text.splitlines() if "description:" in line)
    manifest.write_text(text.replace(line, '  description: "a \\"quoted\\" \\\\ word"'))
    axon.run("register", MODEL, check=True)
    assert json.loads(stub.requests[0][2])["description"] == 'a "quoted" \\ word'


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, {"reason": "INVALID_MODEL", "message": "no"}, "no (INVALID_MODEL)"),
        (201, {"message": "created"}, "created"),
        (503, b"gone", "status 503"),
        (307, b"", "status 307"),
    ],
)
def test_core_refuses(axon, stub, status, body, message):
    axon.run("install", MODEL, check=True)
    stub.answer = (status, body)
    result = axon.run("register", MODEL)
    assert (result.exit_code, result.stdout) == (9, "")
    assert f"error: MLOS Core refuses: {message}\n" in result.stderr


def test_no_core_answers(axon):
    axon.run("install", MODEL, check=True)
    result = axon.run("register", MODEL, MLOS_CORE_ENDPOINT="http://127.0.0.1:1")
    assert result.exit_code == 9
    assert "error: MLOS Core cannot be reached at http://127.0.0.1:1" in result.stderr
    assert "hint: start mlos_core, or set MLOS_CORE_ENDPOINT" in result.stderr


def test_registering_what_is_not_installed_installs_nothing(axon, stub):
    result = axon.run("register", MODEL)
    assert result.exit_code == 3
    assert f"hint: axon install {MODEL}" in result.stderr
    assert stub.requests == []


def test_a_core_that_cannot_say_keeps_the_model(axon, stub):
    axon.run("install", MODEL, check=True)
    stub.answer = (500, b"")
    assert axon.run("uninstall", MODEL).exit_code == 9
    assert axon.run("list", "-f", "names").stdout == f"{MODEL}\n"


def test_a_core_that_does_not_answer_may_have_the_model(axon):
    axon.run("install", MODEL, check=True)
    nobody = {"MLOS_CORE_ENDPOINT": "http://127.0.0.1:1"}
    unknown = axon.run("uninstall", MODEL, **nobody)
    assert unknown.exit_code == 9
    assert "error: MLOS Core cannot be reached at http://127.0.0.1:1" in unknown.stderr
    assert "--force" in unknown.stderr
    assert axon.run("list", "-f", "names").stdout == f"{MODEL}\n"
    axon.run("uninstall", MODEL, "--force", check=True, **nobody)


def test_the_core_of_this_machine_is_never_asked_through_a_proxy(axon, core):
    axon.run("install", MODEL, check=True)
    proxies = dict.fromkeys(("http_proxy", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:1")
    for host in ("127.0.0.1", "localhost"):
        endpoint = f"http://{host}:{core.port}"
        axon.run("register", MODEL, check=True, MLOS_CORE_ENDPOINT=endpoint, **proxies)


@pytest.mark.smoke
def test_a_real_core_takes_the_model_and_keeps_it_from_being_uninstalled(axon: Axon, core: Core):
    axon.run("install", MODEL, check=True)
    axon.run("register", MODEL, check=True)
    models = requests.get(f"{core.url}/models", timeout=10).json()["models"]
    assert [model["id"] for model in models] == [MODEL]
    assert axon.run("version", "--json", check=True).json["running_core"] == "1.0.0"
    refused = axon.run("uninstall", "hf/mlos-test/bert-tiny")
    assert refused.exit_code == 8
    assert f"error: {MODEL} is registered with MLOS Core\n" in refused.stderr
    assert "--force uninstalls it anyway" in refused.stderr
    assert axon.run("list", "-f", "names").stdout == f"{MODEL}\n"
    axon.run("uninstall", MODEL, "--force", check=True)
    assert axon.run("list", "-f", "names").stdout == ""
