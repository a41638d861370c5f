# SPDX-License-Identifier: MIT
"""Downloads over a bad network: resumed, retried, compared with what was promised, or refused."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import Axon, Hub, process

MODEL = "hf/gpt2"
GRAPH_BYTES = 9_826_926
GRAPH = r"^/repos/"


def parts(axon: Axon) -> list[Path]:
    """Partial downloads of LFS files; the small ones beside them are named by git's digest."""
    return sorted((axon.home / "cache/downloads").glob("sha256-*.part"))


def wait_for_bytes(axon: Axon, process, size_bytes: int) -> None:
    """Until a partial download has grown to `size_bytes`."""
    deadline = time.monotonic() + 30
    while not any(part.stat().st_size >= size_bytes for part in parts(axon)):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def sent(hub: Hub) -> int:
    return sum(entry["bytes_sent"] for entry in hub.log("cdn"))


def ranges(hub: Hub) -> list[str]:
    return [e["headers"]["range"] for e in hub.log("cdn") if "range" in e["headers"]]


@pytest.mark.smoke
def test_another_process_goes_on_after_kill_9(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=2_000_000, times=1)
    first = axon.start("install", MODEL)
    wait_for_bytes(axon, first, 2_000_000)
    first.kill()
    first.wait()
    have = parts(axon)[0].stat().st_size
    assert 0 < have < GRAPH_BYTES
    assert axon.run("list", "--json").json == []
    axon.run("install", MODEL, check=True)
    assert ranges(hub) == [f"bytes={have}-"]
    again = [e for e in hub.log("cdn") if "range" in e["headers"]]
    assert [(e["status"], e["bytes_sent"]) for e in again] == [(206, GRAPH_BYTES - have)]
    assert parts(axon) == []
    axon.run("verify", check=True)


def test_ctrl_c_keeps_what_came_and_says_how_to_go_on(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=2_000_000)
    child = process.spawn(
        axon.command("install", MODEL), env=axon.environment(), cwd=axon.home,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for_bytes(axon, child, 500_000)
    child.send_signal(signal.SIGINT)
    output, messages = child.communicate(timeout=10)
    assert (child.returncode, output) == (130, "")
    assert "error: interrupted\n" in messages
    assert f"the downloaded part is kept; continue with: axon install {MODEL}\n" in messages
    assert parts(axon)[0].stat().st_size >= 500_000


def test_a_body_that_breaks_off_is_resumed_at_once(axon, hub):
    hub.fault("cut", path=GRAPH, after=1_500_000, times=3)
    axon.run("install", MODEL, check=True)
    assert len(ranges(hub)) == 3
    assert sent(hub) < GRAPH_BYTES + 1_000_000
    axon.run("verify", check=True)


def test_a_server_that_does_not_go_on_where_it_stopped(axon, hub):
    hub.fault("cut", path=GRAPH, after=1_000_000, times=1)
    hub.fault("ignore_range", path=GRAPH)
    axon.run("install", MODEL, check=True)
    axon.run("verify", check=True)


def test_a_file_that_was_replaced_meanwhile_is_begun_again(axon, hub):
    hub.fault("cut", path=GRAPH, after=1_000_000, times=1)
    hub.fault("change_etag", path=GRAPH, skip=1, times=1)
    axon.run("install", MODEL, check=True)
    assert sent(hub) > GRAPH_BYTES
    axon.run("verify", check=True)


def test_a_stale_partial_file_is_begun_again(axon, hub):
    hub.fault("cut", path=GRAPH, after=1_000_000, times=1)
    hub.fault("reply", path=GRAPH, range=True, status=416, times=1)
    axon.run("install", MODEL, check=True)
    axon.run("verify", check=True)


@pytest.mark.parametrize(
    "header",
    ["", "bytes 0-9/9826926", "bytes */9826926", "bytes 18446744073709551616-1/9826926",
     "bytes 1000000-1000009/*", "lines 1-2/3"],
)  # fmt: skip
def test_a_range_that_was_not_asked_for_is_not_taken(axon, hub, header):
    hub.fault("cut", path=GRAPH, after=1_000_000, times=1)
    hub.fault("reply", path=GRAPH, range=True, status=206, headers={"Content-Range": header},
              body="0123456789", times=1)  # fmt: skip
    axon.run("install", MODEL, check=True)
    assert len(ranges(hub)) == 1, "what was there is worthless, and all of it is asked for again"
    axon.run("verify", check=True)


def test_a_partial_file_of_garbage_costs_one_more_download(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=2_000_000, times=1)
    first = axon.start("install", MODEL)
    wait_for_bytes(axon, first, 1_000_000)
    first.kill()
    first.wait()
    part = parts(axon)[0]
    part.write_bytes(bytes(part.stat().st_size))
    axon.run("install", MODEL, check=True)
    axon.run("verify", check=True)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("path", ["/revision/", "/tree/", "/resolve/.*onnx", GRAPH])
def test_a_passing_failure_is_retried(axon, hub, status, path):
    hub.fault("reply", path=path, status=status, headers={"Retry-After": "0"}, times=2)
    axon.run("install", "hf/mlos-test/several-graphs", check=True)


def test_a_connection_that_is_dropped_is_retried(axon, hub):
    hub.fault("drop", path="/revision/|/resolve/|^/repos/", times=3)
    axon.run("install", "hf/mlos-test/several-graphs", check=True)


def test_retry_after_is_waited_for(axon, hub):
    hub.fault("reply", path=GRAPH, status=429, headers={"Retry-After": "2"}, times=1)
    began = time.monotonic()
    axon.run("install", "hf/mlos-test/several-graphs", check=True)
    assert time.monotonic() - began >= 2


def test_a_retry_after_of_an_hour_is_a_failure_now(axon, hub):
    hub.fault("reply", path="/tree/", status=429, headers={"Retry-After": "3600"})
    result = axon.run("install", "hf/google/magika", timeout_s=10)
    assert result.exit_code == 5
    assert "too many requests" in result.stderr
    assert "hint: wait a few minutes, or set HF_TOKEN for a higher limit\n" in result.stderr


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "reply", "status": 503}, "answers with status 503"),
        ({"kind": "drop"}, "127.0.0.1"),
    ],
)
def test_a_failure_that_lasts_ends_with_what_to_do(axon, hub, fault, message):
    hub.fault(path=GRAPH, **fault)
    result = axon.run("install", "hf/mlos-test/several-graphs", AXON_MAX_RETRIES="1")
    assert result.exit_code == 5
    assert "error: onnx/model.onnx: " in result.stderr and message in result.stderr
    assert "hint: the downloaded part is kept" in result.stderr
    assert axon.run("list", "--json").json == []


def test_a_transfer_that_stands_still_is_started_again(axon, hub):
    hub.fault("stall", path=GRAPH, after=1_000_000, seconds=60.0, times=1)
    began = time.monotonic()
    axon.run("install", MODEL, check=True, AXON_STALL_TIMEOUT="1")
    assert time.monotonic() - began < 50


def test_a_trickle_is_given_up(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=20)
    result = axon.run("install", MODEL, AXON_STALL_TIMEOUT="1", AXON_MAX_RETRIES="1")
    assert result.exit_code == 5
    assert "takes too long to answer" in result.stderr


@pytest.mark.parametrize("offset", [0, 700])
@pytest.mark.parametrize("path", [GRAPH, "resolve-cache.*README"])
def test_a_flipped_byte_is_never_installed(axon, hub, path, offset):
    hub.fault("flip_byte", path=path, offset=offset if path == GRAPH else 3)
    result = axon.run("install", "hf/mlos-test/several-graphs")
    assert result.exit_code == 6
    message = r"error: .*: its digest is [0-9a-f]+; the repository lists [0-9a-f]+"
    assert re.search(message, result.stderr)
    assert axon.run("list", "--json").json == []
    hub.clear_faults()
    axon.run("install", "hf/mlos-test/several-graphs", check=True)


@pytest.mark.parametrize("delta", [-1, 1, 5_000_000])
def test_a_wrong_length_is_refused(axon, hub, delta):
    hub.fault("wrong_length", path=GRAPH, delta=delta)
    result = axon.run("install", "hf/mlos-test/several-graphs")
    assert result.exit_code == 6
    assert f"the server offers {1043 + delta} bytes; the repository lists 1043\n" in result.stderr
    assert parts(axon) == []


def test_a_body_without_end_is_cut_off(axon, hub):
    hub.fault("endless", path=GRAPH, limit_bytes=1 << 30)
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 6
    assert "sends more than the 3163737 bytes" in result.stderr
    assert sent(hub) < 64 << 20


def test_an_expired_address_is_asked_for_again(axon, hub):
    hub.fault("reply", path=GRAPH, status=403, times=1)
    axon.run("install", "hf/google/magika", check=True)
    asked = [e for e in hub.log("hub") if e["method"] == "GET" and "model.onnx" in e["target"]]
    assert len(asked) == 2


def test_an_answer_from_elsewhere_is_not_taken_for_the_hubs(axon, hub):
    hub.fault("reply", path=GRAPH, status=404)
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 5
    assert "error: model.onnx: 127.0.0.1 answers with status 404\n" in result.stderr


def test_an_encoded_file_is_refused(axon, hub):
    headers = {"Content-Encoding": "gzip"}
    hub.fault("reply", path=GRAPH, status=200, headers=headers, body="x")
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 5
    assert "encodes the file although it was asked not to" in result.stderr


@pytest.mark.parametrize("limit", [1, 3])
def test_files_are_fetched_in_parallel_and_no_more_than_asked(axon, hub, limit):
    hub.fault("delay", path="/resolve/", method="GET", seconds=0.3)
    axon.run("install", "hf/google/magika", check=True, AXON_PARALLEL=str(limit))
    fetches = [e for e in hub.log("hub") if e["method"] == "GET" and "/resolve/" in e["target"]]
    assert max(fetch["under_way"] for fetch in fetches) == limit


def test_the_second_of_two_at_once_waits_and_downloads_nothing(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=5_000_000)
    first = axon.start("install", MODEL)
    wait_for_bytes(axon, first, 100_000)
    second = axon.run("install", MODEL, check=True)
    assert "another axon is installing" in second.stderr
    assert "waiting for it" in second.stderr
    assert "already installed" in second.stderr
    assert first.wait(30) == 0
    assert sent(hub) == GRAPH_BYTES
    axon.run("verify", check=True)


def test_nobody_waits_who_does_not_want_to(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=2_500_000)
    first = axon.start("install", MODEL)
    wait_for_bytes(axon, first, 100_000)
    second = axon.run("install", "--no-wait", MODEL)
    assert second.exit_code == 8
    assert "another axon is installing" in second.stderr
    assert axon.run("install", "--no-wait", "hf/mlos-test/bert-tiny").exit_code == 0
    assert first.wait(30) == 0
    axon.run("verify", check=True)


def start_waiting(axon: Axon) -> subprocess.Popen:
    """A second installation, which waits for the first."""
    child = process.spawn(
        axon.command("install", MODEL), env=axon.environment(), cwd=axon.home,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert any("waiting for it" in line for line in child.stderr)
    return child


def test_one_that_waits_goes_on_where_a_killed_one_was(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=2_000_000, times=1)
    first = axon.start("install", MODEL)
    wait_for_bytes(axon, first, 2_000_000)
    second = start_waiting(axon)
    first.kill()
    first.wait()
    assert second.wait(60) == 0
    assert len(ranges(hub)) == 1
    axon.run("verify", check=True)


def test_one_that_waits_ends_at_ctrl_c(axon, hub):
    hub.fault("throttle", path=GRAPH, bytes_per_second=1_000_000)
    first = axon.start("install", MODEL)
    wait_for_bytes(axon, first, 100_000)
    second = start_waiting(axon)
    second.send_signal(signal.SIGINT)
    assert second.wait(10) == 130
    first.kill()
    first.wait()
