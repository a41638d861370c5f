# SPDX-License-Identifier: MIT
"""Triton's generate extension: inputs and outputs by name, in one answer or as they come."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator

import numpy as np
import pytest
import requests
from onnx import TensorProto, helper, save

from tests.support import Core, paths
from tests.support.graphs import model, value
from tests.support.raw_http import connect, head, read_all
from tests.support.waiting import wait_until, with_time_enough


@pytest.fixture(scope="module")
def served(shared_core, tmp_path_factory):
    """Core with `ns/text@v1`, which gives text and numbers back."""
    nodes = [
        helper.make_node("Identity", ["text_input"], ["text_output"]),
        helper.make_node("Identity", ["numbers"], ["same"]),
    ]
    into = [value("text_input", [1], TensorProto.STRING), value("numbers", ["N"])]
    out = [value("text_output", [1], TensorProto.STRING), value("same", ["N"])]
    path = tmp_path_factory.mktemp("m") / "text.onnx"
    save(model(nodes, into, out), str(path))
    assert shared_core.register("ns/text@v1", path).status_code == 200
    return shared_core


@pytest.mark.parametrize(
    "path", ["ns%2Ftext@v1/generate", "ns--text/generate", "ns/text/versions/v1/generate"]
)
def test_values_by_name(served, path):
    body = {"text_input": "häl\"lo", "numbers": [1, 2.5], "id": "9", "stream": False,
            "parameters": {"max_tokens": 20, "temperature": 0.5}}  # fmt: skip
    reply = served.post(f"/v2/models/{path}", json=body)
    assert (reply.status_code, reply.json()) == (200, {
        "id": "9", "model_name": "ns/text@v1", "model_version": "v1",
        "text_output": "häl\"lo", "same": [1, 2.5],
    })  # fmt: skip
    lone = served.post(f"/v2/models/{path}", json={"text_input": ["a"], "numbers": 3}).json()
    assert (lone["text_output"], lone["same"]) == ("a", 3)


BODIES = {
    "an array": (b"[]", "MALFORMED_JSON", ""),
    "a number for text": (b'{"text_input": 1, "numbers": 1}', "DTYPE_MISMATCH", "text_input"),
    "two texts": (b'{"text_input": ["a", "b"], "numbers": 1}', "SHAPE_MISMATCH", "text_input"),
    "no text": (b'{"numbers": 1}', "MISSING_INPUT", "text_input"),
    "an object that is no input": (b'{"other": {}}', "INVALID_FIELD", "other"),
    "a deep parameter": (b'{"parameters": {"a": []}}', "INVALID_FIELD", "parameters.a"),
    "a text twice": (b'{"numbers": 1, "numbers": 1}', "INVALID_FIELD", "numbers"),
    "two documents": (b'{"text_input": "a", "numbers": 1} {}', "MALFORMED_JSON", ""),
}


@pytest.mark.parametrize("what", BODIES)
def test_bad_bodies(served, what):
    body, reason, field = BODIES[what]
    reply = served.post("/v2/models/ns--text/generate", data=body)
    error = reply.json()
    assert (reply.status_code, error["reason"], error["field"]) == (400, reason, field), error


def test_a_model_that_answers_once_gives_one_event(served):
    body = {"text_input": "a", "numbers": 3}
    document = served.post("/v2/models/ns--text/generate", json=body).json()
    reply = served.post("/v2/models/ns--text/generate_stream", json=body)
    assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert reply.text == f"data: {json.dumps(document, separators=(',', ':'))}\n\n"
    for what, (bad, reason, _) in BODIES.items():
        refused = served.post("/v2/models/ns--text/generate_stream", data=bad)
        assert (refused.status_code, refused.json()["reason"]) == (400, reason), what


STREAM = "/v2/models/teller/generate_stream"
MIB = 1 << 20


@pytest.fixture(scope="module")
def teller(tmp_path_factory) -> Iterator[Core]:
    """Core with the model `teller`, whose answers come one by one, and short deadlines."""
    core = Core(tmp_path_factory.mktemp("teller"), *fixtures(), "--write-timeout-ms", "1500",
                "--drain-timeout-ms", "3000", "--compute-threads", "4").start()  # fmt: skip
    register_teller(core)
    yield core
    if core.running:
        core.stop()


def fixtures() -> list[str]:
    return ["--plugin-dir", str(paths.product("tests/plugin/fixtures"))]


def register_teller(core: Core) -> None:
    plugin = paths.product("tests/plugin/fixtures/teller.so")
    done = core.post("/plugins/register", json={"id": "teller", "path": str(plugin)})
    assert done.status_code == 200, done.text
    (core.folder / "story").write_text("anything")
    done = core.register("teller", core.folder / "story", plugin_id="teller",
                         execution_format="story")  # fmt: skip
    assert done.status_code == 200, done.text


def events(reply: requests.Response) -> Iterator[dict]:
    """The events of a stream, as they come."""
    for line in reply.iter_lines(chunk_size=1 << 16):
        if line:
            assert line.startswith(b"data: "), line
            yield json.loads(line[len(b"data: ") :])


@pytest.mark.parametrize("count", [0, 1, 7, 20_000])
def test_every_answer_is_an_event_in_order(teller, count):
    with teller.post(STREAM, json={"count": count, "id": "9"}, stream=True) as reply:
        assert reply.status_code == 200
        assert reply.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert reply.headers["Transfer-Encoding"] == "chunked"
        assert "Content-Encoding" not in reply.headers
        told = list(events(reply))
    assert [event["number"] for event in told] == list(range(count))
    of_all = {"id": "9", "model_name": "teller", "model_version": "1", "text_output": "x"}
    assert all(event == of_all | {"number": event["number"]} for event in told)


def test_events_come_while_the_model_still_runs(teller):
    with teller.post(STREAM, json={"count": 10**9, "rest_ms": 5}, stream=True) as reply:
        # Held to the end: an iterator that is dropped closes the connection.
        told = events(reply)
        assert [next(told)["number"] for _ in range(5)] == list(range(5))
        assert teller.in_flight() == 1
    # Its connection is closed: nobody waits for the rest.
    wait_until(lambda: teller.in_flight() == 0)


def test_curl_reads_events_as_they_come(teller):
    command = ["curl", "-sN", "--max-time", "60", "-d", '{"count": 3}', teller.url + STREAM]
    told = subprocess.run(command, capture_output=True, text=True, timeout=90).stdout
    assert re.findall(r'^data: {.*"number":(\d)', told, re.M) == ["0", "1", "2"]


def test_large_answers_are_whole(teller):
    with teller.post(STREAM, json={"count": 12, "size": 3 * MIB}, stream=True) as reply:
        assert [len(event["text_output"]) for event in events(reply)] == [3 * MIB] * 12


def test_an_error_before_the_first_event_is_a_reply_and_one_after_it_an_event(teller):
    before = teller.post(STREAM, json={"count": 3, "fail_at": 0})
    assert before.status_code == 500
    assert before.headers["Content-Type"] == "application/json"
    assert before.json()["reason"] == "PLUGIN_FAILED"
    with teller.post(STREAM, json={"count": 5, "fail_at": 2}, stream=True) as after:
        assert after.status_code == 200
        *told, failure = events(after)
    assert [event["number"] for event in told] == [0, 1]
    assert failure["reason"] == "PLUGIN_FAILED" and "no end" in failure["error"]
    assert teller.get("/v2/health/live").status_code == 200  # over the same connection


def test_a_deadline_ends_a_stream_with_an_event(teller):
    def ends_behind_events(deadline_s: float) -> bool:
        timeout = {"X-Request-Timeout-Ms": str(int(deadline_s * 1000))}
        body = {"count": 10**9, "rest_ms": 20}
        with teller.post(STREAM, json=body, headers=timeout, stream=True) as reply:
            if reply.status_code == 504:
                return False  # the deadline was there before the first event
            *told, failure = events(reply)
        assert failure["reason"] == "DEADLINE_EXCEEDED"
        return bool(told)

    with_time_enough(0.3, ends_behind_events)


def test_generate_refers_to_the_stream_where_there_are_several_answers(teller):
    one = teller.post("/v2/models/teller/generate", json={"count": 1})
    assert one.json()["number"] == 0
    several = teller.post("/v2/models/teller/generate", json={"count": 2})
    assert several.status_code == 501
    assert "generate_stream" in several.json()["error"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_other_methods_are_refused(teller, method):
    reply = teller.request(method, STREAM)
    assert (reply.status_code, reply.headers["Allow"]) == (405, "POST, OPTIONS")


def post(version: str, body: dict, *headers: str) -> bytes:
    data = json.dumps(body).encode()
    return head(f"POST {STREAM} HTTP/{version}", f"Content-Length: {len(data)}", *headers) + data


@pytest.mark.parametrize("headers", [[], ["Connection: keep-alive"]])
def test_http_1_0_is_told_the_end_by_the_connection(teller, headers):
    with connect(teller.port) as sock:
        sock.sendall(post("1.0", {"count": 3}, *headers))
        received, closed = read_all(sock)
    top, _, body = received.partition(b"\r\n\r\n")
    assert closed and b"chunked" not in top and b"Connection: close" in top
    lines = body.decode().strip().split("\n\n")
    assert [json.loads(line.removeprefix("data: "))["number"] for line in lines] == [0, 1, 2]


def test_requests_behind_a_stream_wait_for_its_end(teller):
    with connect(teller.port) as sock:
        live = head("GET /v2/health/live HTTP/1.1", "Connection: close")
        sock.sendall(post("1.1", {"count": 30, "rest_ms": 5}) + post("1.1", {"count": 2}) + live)
        received, closed = read_all(sock)
    assert closed
    statuses = [found.start() for found in re.finditer(rb"HTTP/1\.1 200 OK", received)]
    ends = [found.start() for found in re.finditer(rb"\r\n0\r\n\r\n", received)]
    assert len(statuses) == 3 and len(ends) == 2
    assert statuses[0] < ends[0] < statuses[1] < ends[1] < statuses[2]
    numbers = [int(n) for n in re.findall(rb'"number":(\d+)', received)]
    assert numbers == [*range(30), 0, 1]


def test_a_slow_reader_slows_the_model_down(teller):
    """Far more than Core keeps for a caller, who rests meanwhile; all of it arrives."""
    before = teller.resources().rss_bytes
    body = {"count": 400, "size": MIB // 4}
    with teller.post(STREAM, json=body, stream=True) as reply:
        time.sleep(0.5)
        assert teller.in_flight() == 1
        assert paths.instrumented() or teller.resources().rss_bytes - before < 40 * MIB
        assert [event["number"] for event in events(reply)] == list(range(400))


def test_who_stops_reading_is_cut_off_and_others_are_served(teller):
    fds = teller.resources().fds
    stalled = []
    for _ in range(6):  # more than there are threads to compute with
        stalled.append(connect(teller.port))
        stalled[-1].sendall(post("1.1", {"count": 10**9, "size": MIB}))
    # Nobody waits for the stalled: half of the threads at most are held by them.
    with teller.post(STREAM, json={"count": 3}, stream=True) as reply:
        assert len(list(events(reply))) == 3
    wait_until(lambda: teller.in_flight() == 0 and teller.resources().fds <= fds)
    for sock in stalled:
        received, closed = read_all(sock)
        assert closed and not received.endswith(b"0\r\n\r\n")
        sock.close()
    wait_until(lambda: "mlos_in_flight_bytes 0" in teller.get("/metrics").text)


def test_connections_cut_at_random_cancel_their_streams(teller):
    random = np.random.default_rng(11)
    fds = teller.resources().fds
    for _ in range(60):
        with connect(teller.port) as sock:
            body = {"count": 10**9, "size": int(random.integers(1, 100_000))}
            sock.sendall(post("1.1", body))
            taken = 0
            enough = random.integers(0, 300_000)
            while taken < enough and (piece := sock.recv(1 << 16)):
                taken += len(piece)
    wait_until(lambda: teller.in_flight() == 0 and teller.resources().fds <= fds)
    wait_until(lambda: "mlos_in_flight_bytes 0" in teller.get("/metrics").text)


def test_drain_lets_a_stream_end(make_core):
    core = make_core(*fixtures()).start()
    register_teller(core)
    with requests.post(core.url + STREAM, json={"count": 50, "rest_ms": 10}, stream=True) as reply:
        stream = events(reply)
        assert next(stream)["number"] == 0
        os.kill(core.pid, signal.SIGTERM)
        assert [event["number"] for event in stream] == list(range(1, 50))
    assert core.stop() == 0


def test_drain_cuts_a_stream_without_end(teller):
    with connect(teller.port) as sock:
        sock.sendall(post("1.1", {"count": 10**9, "rest_ms": 5}))
        assert sock.recv(1 << 16)
        assert teller.stop() == 1  # "stopped with requests unanswered"
        received, closed = read_all(sock)
    assert closed and not received.endswith(b"0\r\n\r\n")
