# SPDX-License-Identifier: MIT
"""Who sees the token, which servers are spoken to, and what a refusal says."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.support import Axon, Hub


def assert_unseen(secret: str, axon: Axon, *outputs: str) -> None:
    """The secret is in no output, and in no file below the home."""
    for output in outputs:
        assert secret not in output
    for file in axon.home.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file


def test_the_token_opens_gated_and_private_repositories(axon, hub):
    for name in ("gated", "private"):
        result = axon.run("install", f"hf/mlos-test/{name}", check=True, HF_TOKEN=hub.token)
        assert_unseen(hub.token, axon, result.stdout, result.stderr)
    assert hub.tokens_seen("hub") == {f"Bearer {hub.token}"}
    assert hub.tokens_seen("cdn") == set(), "the token never leaves its origin"


def test_the_token_may_come_from_the_configuration(axon, hub):
    subprocess.run(
        axon.command("config", "set", "registry.huggingface_token", "-"),
        env=axon.environment(), input=hub.token + "\n", text=True, check=True, timeout=10,
    )  # fmt: skip
    assert (axon.home / "config.yaml").stat().st_mode & 0o777 == 0o600
    axon.run("install", "hf/mlos-test/private", check=True)


def test_the_token_may_come_from_the_file_of_hugging_face(axon, hub, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(hub.token + "\n")
    axon.run("install", "hf/mlos-test/private", check=True, HF_TOKEN_PATH=str(token_file))


def test_a_token_is_not_taken_from_the_command_line(axon):
    result = axon.run("config", "set", "registry.huggingface_token", "hf_secret")
    assert result.exit_code == 2
    assert_unseen("hf_secret", axon, result.stdout, result.stderr)


@pytest.mark.parametrize(
    ("repository", "token", "exit_code", "message"),
    [
        ("gated", None, 4, "is gated: its authors ask everyone to accept their conditions first"),
        ("gated", "reader", 4, "with the account of your token"),
        ("private", None, 3, "or it is private\nhint: check the name; for a private repository"),
        ("private", "reader", 3, "there is no repository mlos-test/private"),
        ("several-graphs", "hf_nobody", 4, "does not accept the token"),
    ],
)
def test_a_refusal_says_what_to_do(axon, hub, repository, token, exit_code, message):
    env = {}
    if token is not None:
        env["HF_TOKEN"] = hub.reader_token if token == "reader" else token
    result = axon.run("install", f"hf/mlos-test/{repository}", **env)
    assert result.exit_code == exit_code
    assert message in result.stderr
    if repository == "gated":
        assert f"accept them at {hub.url}/mlos-test/gated" in result.stderr
    if token is not None:
        assert_unseen(env["HF_TOKEN"], axon, result.stdout, result.stderr)


def test_a_dry_run_tells_that_a_repository_is_gated(axon):
    assert axon.run("install", "hf/mlos-test/gated", "--dry-run").exit_code == 4


@pytest.mark.parametrize("path", ["/resolve/", "/revision/", "/tree/"])
@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://169.254.169.254/latest/meta-data", "which is a link-local address"),
        ("http://10.0.0.1{path}", "which is a private address"),
        ("http://[fd00::1]/x", "which is a private address"),
        ("http://0.0.0.0:1/x", "which is a reserved address"),
        ("file:///etc/passwd", "cannot be followed"),
        ("gopher://127.0.0.1:1/x", "cannot be followed"),
        ("unix:///var/run/docker.sock", "cannot be followed"),
        ("http://user:pass@127.0.0.1:1/x", "cannot be followed"),
        ("", "cannot be followed"),
    ],
)
def test_a_redirect_to_where_it_must_not_go(axon, hub, path, location, message):
    hub.fault("redirect", path=path, location=location)
    result = axon.run("install", "hf/google/magika", HF_TOKEN=hub.token)
    assert result.exit_code == 5
    assert message in result.stderr
    assert_unseen(hub.token, axon, result.stdout, result.stderr)
    assert axon.run("list", "--json").json == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "reply", "status": 500, "body": "hf_test_full"},
        {"kind": "reply", "status": 200, "body": '{"id":"hf_test_full"'},
        {"kind": "redirect", "location": "http://hf_test_full@127.0.0.1/"},
    ],
    ids=["drop", "status", "body", "location"],
)
@pytest.mark.parametrize("path", ["/revision/", "/tree/", "/resolve/"])
def test_no_failure_shows_the_token(axon, hub, fault, path):
    """Not even where the server sends it back."""
    hub.fault(path=path, **fault)
    for arguments in (["install", "hf/google/magika"], ["info", "hf/google/magika", "--json"]):
        result = axon.run(*arguments, HF_TOKEN=hub.token, AXON_MAX_RETRIES="0")
        assert_unseen(hub.token, axon, result.stdout, result.stderr)
        assert result.exit_code != 0 or arguments[0] == "info"
    for arguments in (["config", "list"], ["config", "list", "--json"],
                      ["config", "get", "registry.huggingface_token"]):  # fmt: skip
        shown = axon.run(*arguments, HF_TOKEN=hub.token)
        assert_unseen(hub.token, axon, shown.stdout, shown.stderr)


@pytest.mark.parametrize("token", ["hf_a\r\nX-Other: 1", "hf_a b", "hf_\x7f", "hf_é", "h" * 5000])
def test_a_token_that_would_be_more_than_a_token_is_not_sent(axon, hub, token):
    result = axon.run("install", "hf/google/magika", HF_TOKEN=token)
    assert result.exit_code == 2
    assert "HF_TOKEN: " in result.stderr
    assert_unseen(token, axon, result.stdout, result.stderr)
    assert hub.log("hub") == []


def test_a_redirect_to_another_origin_does_not_take_the_token_along(axon, hub):
    hub.fault("redirect", origin="hub", path="/resolve/.*README", method="GET",
              location=hub.cdn_url + "{path}")  # fmt: skip
    axon.run("install", "hf/google/magika", HF_TOKEN=hub.token, AXON_MAX_RETRIES="0")
    assert any("/resolve/" in entry["target"] for entry in hub.log("cdn"))
    assert hub.tokens_seen("cdn") == set()


@pytest.mark.parametrize("path", ["/revision/", r"/resolve/.*onnx"])
def test_redirects_without_end_end(axon, hub, path):
    hub.fault("redirect", path=path, location=hub.url + "{path}")
    result = axon.run("install", "hf/google/magika", AXON_MAX_RETRIES="0")
    assert result.exit_code == 5
    assert "redirects more than 5 times" in result.stderr


class Front(BaseHTTPRequestHandler):
    """Passes requests on to the hub; `downgrade` answers files with a redirect to plain http."""

    protocol_version = "HTTP/1.1"
    server: Secure

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def log_message(self, *_arguments: object) -> None:
        pass

    def _pass_on(self) -> None:
        headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
        reply = requests.request(
            self.command, self.server.hub_url + self.path, headers=headers,
            allow_redirects=False, timeout=10,
        )  # fmt: skip
        location = reply.headers.get("Location", "")
        if location.startswith("/"):
            location = self.server.url + location
        if self.server.downgrade and "/resolve/" in self.path:
            location = self.server.hub_url + self.path
        self.send_response(302 if location else reply.status_code)
        for name in ("X-Repo-Commit", "ETag", "Link"):
            if name in reply.headers:
                self.send_header(name, reply.headers[name])
        if location:
            self.send_header("Location", location)
        body = b"" if self.command == "HEAD" or location else reply.content
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Secure(ThreadingHTTPServer):
    """The hub behind TLS, with a certificate of its own authority."""

    daemon_threads = True

    def __init__(self, hub: Hub, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Front)
        self.hub_url, self.downgrade = hub.url, False
        self.certificate, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.server_address[1]}"


@pytest.fixture
def secure(hub: Hub, tmp_path: Path, axon: Axon):
    server = Secure(hub, tmp_path)
    axon.env |= {"HF_ENDPOINT": server.url, "SSL_CERT_FILE": str(server.certificate)}
    yield server
    server.shutdown()
    server.server_close()


def test_a_redirect_from_https_to_http_is_never_followed(axon, hub, secure):
    secure.downgrade = True
    result = axon.run("install", "hf/google/magika", HF_TOKEN=hub.token)
    assert result.exit_code == 5
    assert "redirects from https to plain http" in result.stderr
    assert hub.log("cdn") == []


def test_not_even_to_where_the_file_really_is(axon, hub, secure):
    """The test hub's second origin is plain http: behind https it is out of reach."""
    result = axon.run("install", "hf/google/magika", HF_TOKEN=hub.token)
    assert result.exit_code == 5
    assert "redirects from https to plain http" in result.stderr


def test_a_certificate_nobody_vouches_for_is_refused(axon, secure):
    assert axon.run("info", "hf/google/magika").exit_code == 0
    del axon.env["SSL_CERT_FILE"]
    result = axon.run("info", "hf/google/magika", AXON_MAX_RETRIES="0")
    assert result.exit_code == 5
    assert "SSL" in result.stderr


def test_a_name_that_resolves_to_a_private_address_is_not_connected_to(axon, hub):
    """What was harmless as a name is looked at again as the address that is connected to."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("a name of one's own needs root and unshare")
    script = (
        "set -e; mount --make-rprivate /; printf '10.1.2.3 cdn.test\\n127.0.0.1 localhost\\n' "
        f"> {axon.home}/hosts; mount --bind {axon.home}/hosts /etc/hosts; "
        f"exec {' '.join(axon.command('install', 'hf/google/magika'))}"
    )
    hub.fault("redirect", path="/resolve/.*README", method="GET", location="http://cdn.test{path}")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], env=axon.environment(AXON_MAX_RETRIES="0"),
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "cdn.test has a private address" in done.stderr
