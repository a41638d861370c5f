# SPDX-License-Identifier: MIT
"""The endpoints: what they answer, by name of member, and how they fail."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest
import requests

from tests.support.graphs import scale
from tests.support.raw_http import exchange, head

ERROR_MEMBERS = {"status", "code", "reason", "field", "message"}


@pytest.fixture
def echo(core, tmp_path):
    """A running Core with the model `ns/echo@v1`."""
    assert core.register("ns/echo@v1", scale(tmp_path / "echo.onnx", 2.0)).status_code == 200
    return core


@pytest.mark.smoke
def test_health(core):
    health = core.get("/health").json()
    assert health.items() >= {"status": "healthy", "service": "mlos-core", "apis": ["http"]}.items()
    assert abs(health["timestamp"] - time.time()) < 60
    assert health["version"]
    assert core.get("/health/live").json() == {"status": "alive"}
    assert core.get("/health/ready").json() == {"status": "ready"}


def test_model_life(echo):
    model = echo.get(echo.model_path("ns/echo@v1")).json()
    assert model["id"] == model["model_id"] == "ns/echo@v1"
    assert (model["status"], model["state"], model["version"]) == ("loaded", "loaded", "v1")
    assert model["plugin_id"] == "onnx-runtime-builtin"
    assert model["inputs"] == [{"name": "x", "dtype": "float32", "shape": ["N"], "required": True}]
    assert model["outputs"][0]["name"] == "y"
    assert set(model["memory"]) == {"weight_bytes", "arena_bytes", "arena_limit_bytes"}
    assert model["inference_endpoint"] == "/models/ns%2Fecho%40v1/inference"

    listing = echo.get("/models").json()
    assert (listing["status"], listing["total"]) == ("success", 1)
    assert listing["models"] == [model]

    endpoint = model["inference_endpoint"]
    answer = echo.post(endpoint, data='{"x": [1, 2]}').json()
    assert answer["outputs"] == {"y": [2, 4]}
    assert answer["status"] == "success"
    assert (answer["model_id"], answer["model_version"]) == ("ns/echo@v1", "v1")
    assert answer["output_size"] == 2
    assert answer["message"] == "Inference completed successfully"
    assert answer["inference_time_us"] >= 0
    assert answer["queue_time_us"] >= 0

    assert echo.post(echo.model_path("ns/echo@v1", "unload")).json()["state"] == "unloaded"
    refused = echo.post(endpoint, data="[1]")
    assert (refused.status_code, refused.json()["reason"]) == (409, "MODEL_NOT_LOADED")
    assert echo.post(echo.model_path("ns/echo@v1", "load")).json()["state"] == "loaded"
    assert echo.delete(echo.model_path("ns/echo@v1")).json()["status"] == "success"
    gone = echo.post(endpoint, data="[1]")
    assert (gone.status_code, gone.json()["reason"]) == (404, "MODEL_NOT_FOUND")
    assert gone.json()["model_id"] == "ns/echo@v1"


def test_register_replies(core, tmp_path):
    path = scale(tmp_path / "m.onnx")
    first = core.register("m", path).json()
    assert first["status"] == "success"
    assert (first["model_id"], first["plugin_id"]) == ("m", "onnx-runtime-builtin")
    assert first["inference_endpoint"] == "/models/m/inference"
    assert first["changed"] is True
    again = core.post("/models/register", json={"model_id": "m", "model_path": str(path)})
    assert again.status_code == 200
    assert again.json()["changed"] is False


BAD_REGISTRATIONS = {
    "id of another type": ('{"model_id": 1}', 400, "INVALID_FIELD", "model_id"),
    "twice": ('{"model_id": "m", "model_id": "n", "path": "/x"}', 400, "INVALID_FIELD", "model_id"),
    "not JSON": ('{"model_id": "m" "path"}', 400, "MALFORMED_JSON", None),
    "not an object": ("[]", 400, "MALFORMED_JSON", None),
    "deep in a member nobody reads": (
        '{"model_id": "m", "path": "/x", "z": ' + "[" * 500_000 + "]" * 500_000 + "}",
        400, "NESTING_TOO_DEEP", None),
    "too long": (
        json.dumps({"model_id": "m", "z": "a" * (2 << 20)}), 413, "PAYLOAD_TOO_LARGE", None),
}  # fmt: skip


def test_refused_registrations(core):
    for name, (body, status, reason, field) in BAD_REGISTRATIONS.items():
        reply = core.post("/models/register", data=body)
        document = reply.json()
        assert (reply.status_code, document["reason"]) == (status, reason), (name, document)
        assert document.keys() >= ERROR_MEMBERS
        assert field is None or document["field"] == field, (name, document)
        assert "/nonexistent" not in document["message"]
    assert core.get("/models").json()["total"] == 0


def test_plugins_wait_for_their_objects(core):
    body = '{"id":"my-plugin","name":"My ML Plugin","version":"1.0.0"}'
    reply = core.post("/plugins/register", data=body).json()
    assert (reply["status"], reply["plugin_id"]) == ("success", "my-plugin")
    assert reply["message"] == "Plugin registered successfully"
    assert reply["next_steps"]
    listing = core.get("/plugins").json()
    assert listing["total"] == 2
    mine = core.get("/plugins/my-plugin").json()
    assert mine in listing["plugins"]
    assert (mine["id"], mine["name"], mine["status"]) == ("my-plugin", "My ML Plugin", "registered")
    assert core.delete("/plugins/my-plugin").json()["status"] == "success"
    gone = core.get("/plugins/my-plugin")
    assert (gone.status_code, gone.json()["reason"]) == (404, "PLUGIN_NOT_FOUND")
    nameless = core.post("/plugins/register", data="{}").json()
    assert (nameless["reason"], nameless["field"]) == ("MISSING_FIELD", "id")


ALLOWED = {
    "/health": "GET, HEAD, OPTIONS",
    "/models": "GET, HEAD, OPTIONS",
    "/models/register": "GET, HEAD, POST, DELETE, OPTIONS",
    "/models/m": "GET, HEAD, DELETE, OPTIONS",
    "/models/m/inference": "POST, OPTIONS",
    "/models/m/load": "POST, OPTIONS",
    "/plugins/register": "GET, HEAD, POST, DELETE, OPTIONS",
}


def test_methods(core):
    for path, allow in ALLOWED.items():
        refused = core.request("PATCH", path)
        assert (refused.status_code, refused.headers["Allow"]) == (405, allow), path
        assert refused.json()["reason"] == "METHOD_NOT_ALLOWED"
        options = core.request("OPTIONS", path)
        assert (options.status_code, options.headers["Allow"]) == (204, allow), path
        assert "Access-Control-Allow-Origin" not in options.headers
    anywhere = exchange(core.port, head("OPTIONS * HTTP/1.1", "Connection: close"))
    assert (anywhere.status, anywhere.headers["allow"]) == (204, "GET, HEAD, POST, DELETE, OPTIONS")
    full, bare = core.get("/models"), core.request("HEAD", "/models")
    assert bare.content == b""
    assert bare.headers["Content-Length"] == full.headers["Content-Length"]
    assert core.get("/nothing").json()["reason"] == "ROUTE_NOT_FOUND"


def test_statistics(echo):
    endpoint = echo.model_path("ns/echo@v1", "inference")
    for body in ["[1]", "[1]", "[[["]:
        echo.post(endpoint, data=body)
    echo.get("/nothing")
    stats = echo.get("/stats").json()
    assert stats["total_requests"] == stats["successful_requests"] + stats["failed_requests"]
    assert stats["errors"]["MALFORMED_JSON"] == 1
    assert stats["errors"]["ROUTE_NOT_FOUND"] == 1
    assert stats["avg_response_time_us"] > 0
    assert stats["uptime_seconds"] > 0
    assert stats["apis"]["http"] == {"enabled": True, "port": echo.port}
    assert stats["apis"]["grpc"]["enabled"] is False
    (model,) = stats["models"]
    assert (model["model_id"], model["successful_requests"]) == ("ns/echo@v1", 2)
    assert model["errors"] == {"MALFORMED_JSON": 1}
    assert stats["plugins"][0]["plugin_id"] == "onnx-runtime-builtin"
    metrics = echo.get("/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'model_id="ns/echo@v1"' in metrics.text or 'model="ns/echo@v1"' in metrics.text


def test_no_body_reaches_the_log(make_core, tmp_path):
    core = make_core("--log-level", "debug").start()
    core.register("echo", scale(tmp_path / "echo.onnx"))
    core.post("/models/echo/inference", data='{"x": [424242.5]}')
    core.post("/models/echo/inference", data='{"secret424242": [1]}')
    core.post("/models/register", data='{"secret424242')
    assert "http request" in core.log()
    assert "424242" not in core.log()


def test_health_answers_while_large_bodies_are_parsed(core, tmp_path):
    core.register("echo", scale(tmp_path / "echo.onnx"))
    body = '{"x": [' + ",".join(["0.12345678"] * 2_000_000) + "]}"
    done = threading.Event()

    def load() -> list[float]:
        with requests.Session() as session:
            session.trust_env = False
            taken = []
            while not done.is_set():
                url = core.url + "/models/echo/inference?include_outputs=false"
                start = time.monotonic()
                assert session.post(url, data=body).status_code == 200
                taken.append(time.monotonic() - start)
            return taken

    times = []
    with ThreadPoolExecutor(4) as pool:
        loads = [pool.submit(load) for _ in range(4)]
        try:
            for _ in range(60):
                start = time.monotonic()
                assert core.get("/health", timeout=10).status_code == 200
                times.append(time.monotonic() - start)
                time.sleep(0.02)
        finally:
            done.set()
    parses = [taken for one in loads for taken in one.result()]
    assert len(parses) >= 4, "health was measured without the load"
    # On an event thread health would wait for parses as they wait for each other, however busy the
    # machine is.
    assert median(times) < median(parses) / 3
