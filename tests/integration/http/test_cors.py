# SPDX-License-Identifier: MIT
"""Pages of other origins: which may read answers, by the headers and in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.http.browser import site, visit
from tests.support import Core
from tests.support.graphs import scale
from tests.support.raw_http import exchange, head

ORIGIN = "https://app.example.com"
OTHERS = ["http://app.example.com", "https://app.example.com:8443", "https://evil.example.org",
          "null"]  # fmt: skip
PREFLIGHT = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Core]:
    """Core that names two origins."""
    origins = f"{ORIGIN},http://localhost:3000"
    core = Core(tmp_path_factory.mktemp("core"), "--cors-origins", origins).start()
    yield core
    core.stop()


def ask(core, line, *headers):
    """The reply to a request without a body, over a connection of its own."""
    return exchange(core.port, head(line, "Connection: close", *headers))


def cors_headers(reply):
    return {name: value for name, value in reply.headers.items()
            if name.startswith("access-control-")}  # fmt: skip


def test_a_named_origin_may_read_every_answer(named):
    for line, *headers in [
        ["GET /models HTTP/1.1"],
        ["GET /health HTTP/1.1"],
        ["GET /v2/models/none HTTP/1.1"],
        ["GET /nowhere HTTP/1.1"],
        ["PUT /models HTTP/1.1"],
        ["POST /models/register HTTP/1.1"],
        ["GET /health HTTP/1.1", "X-Request-Timeout-Ms: soon"],
        ["POST /models/register HTTP/1.1", "Content-Length: 5", "Expect: more"],
    ]:
        reply = ask(named, line, f"Origin: {ORIGIN}", *headers)
        assert reply.headers["access-control-allow-origin"] == ORIGIN, line
        assert reply.headers["access-control-allow-credentials"] == "true", line
        assert reply.headers["vary"] == "Origin", line
        assert "Retry-After" in reply.headers["access-control-expose-headers"], line


def test_other_origins_are_told_nothing(named):
    for origin in OTHERS:
        reply = ask(named, "GET /models HTTP/1.1", f"Origin: {origin}")
        assert (reply.status, reply.document["reason"]) == (403, "ORIGIN_NOT_ALLOWED"), origin
        assert not cors_headers(reply), origin
        assert reply.headers["vary"] == "Origin", origin
    without = ask(named, "GET /models HTTP/1.1")
    assert (without.status, without.headers["vary"]) == (200, "Origin")
    assert not cors_headers(without)


def test_a_host_that_may_ask_may_not_read(named):
    """--allowed-hosts and loopback names let pages send; only a named origin reads."""
    reply = ask(named, "GET /models HTTP/1.1", "Origin: http://localhost:4000")
    assert (reply.status, cors_headers(reply)) == (200, {})


def test_a_named_origin_does_not_open_other_hosts(named):
    line = "GET /models HTTP/1.1"
    request = head(line, f"Origin: {ORIGIN}", "Connection: close", host="rebound.example.org")
    reply = exchange(named.port, request)
    assert (reply.status, reply.document["reason"]) == (421, "HOST_NOT_ALLOWED")


def test_preflights(named):
    reply = ask(named, "OPTIONS /models/m/inference HTTP/1.1", f"Origin: {ORIGIN}", *PREFLIGHT)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert reply.headers["access-control-allow-methods"] == "POST, OPTIONS"
    allowed = reply.headers["access-control-allow-headers"].lower().split(", ")
    assert {"content-type", "x-request-timeout-ms", "content-encoding"} <= set(allowed)
    assert int(reply.headers["access-control-max-age"]) > 0
    assert "access-control-allow-private-network" not in reply.headers
    private = ask(named, "OPTIONS * HTTP/1.1", f"Origin: {ORIGIN}", *PREFLIGHT,
                  "Access-Control-Request-Private-Network: true")  # fmt: skip
    assert private.headers["access-control-allow-private-network"] == "true"
    assert private.headers["access-control-allow-methods"] == "GET, HEAD, POST, DELETE, OPTIONS"


def test_preflights_of_others_allow_nothing(named):
    foreign = ask(named, "OPTIONS /models HTTP/1.1", f"Origin: {OTHERS[0]}", *PREFLIGHT)
    assert (foreign.status, cors_headers(foreign)) == (403, {})
    unnamed = ask(named, "OPTIONS /models HTTP/1.1", "Origin: http://localhost:1", *PREFLIGHT)
    assert (unnamed.status, cors_headers(unnamed)) == (204, {})


def test_without_the_option_nothing_is_said(core):
    for headers in [[], [f"Origin: {ORIGIN}"], ["Origin: http://localhost:3000"]]:
        reply = ask(core, "GET /models HTTP/1.1", *headers)
        assert not cors_headers(reply) and "vary" not in reply.headers


def test_a_star_does_not_start(make_core):
    core = make_core("--cors-origins", "*")
    assert core.launch().wait(timeout=30) != 0
    assert "'*' is not an origin such as https://app.example.com" in core.log()


SCRIPT = """
  const seen = {{}};
  const attempt = async (name, path, options) => {{
    try {{
      const reply = await fetch("{url}" + path, options);
      seen[name] = [reply.status, await reply.json(), reply.headers.get("Allow")];
    }} catch (error) {{
      seen[name] = error.name;
    }}
  }};
  const body = JSON.stringify({{x: [1, 2]}});
  const json = {{"Content-Type": "application/json", "X-Request-Timeout-Ms": "60000"}};
  await attempt("simple", "/models/m/inference", {{method: "POST", body}});
  await attempt("preflight", "/models/m/inference", {{method: "POST", body, headers: json}});
  await attempt("credentials", "/models/m", {{credentials: "include"}});
  await attempt("error", "/models/other", {{}});
  await attempt("exposed", "/models/m", {{method: "POST", body: "x"}});
  await attempt("foreign header", "/models/m", {{headers: {{"X-Other": "1"}}}});
  await attempt("delete", "/models/other", {{method: "DELETE"}});
  return seen;
"""


@pytest.mark.release_only
def test_in_chromium(make_core, tmp_path):
    with site() as friend, site() as stranger:
        core = make_core("--cors-origins", friend.origin).start()
        assert core.register("m", scale(tmp_path / "m.onnx", 2.0)).status_code == 200
        script = SCRIPT.format(url=core.url)
        seen = visit(friend, script, tmp_path / "friend")
        assert seen["simple"][1]["outputs"] == {"y": [2, 4]}, json.dumps(seen)
        assert seen["preflight"][1]["outputs"] == {"y": [2, 4]}
        assert seen["credentials"][:1] == [200]
        assert (seen["error"][0], seen["error"][1]["reason"]) == (404, "MODEL_NOT_FOUND")
        assert (seen["exposed"][0], "GET" in seen["exposed"][2]) == (405, True)
        assert seen["foreign header"] == "TypeError"
        assert seen["delete"][0] == 404
        # A page of another port may send, for its host is this machine's, but it reads nothing.
        assert set(visit(stranger, script, tmp_path / "stranger").values()) == {"TypeError"}
