# SPDX-License-Identifier: MIT
"""The life of the daemon: starting, being refused, reloading, draining, coming back."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from tests.support import paths
from tests.support.graphs import model, scale, value
from tests.support.waiting import wait_until

X = {"x": np.array([1.0, 2.5, -3.0], np.float32)}


def slow_graph(path):
    """A graph that computes for a while, longer with a larger `n`."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Sin", ["s"], ["s2"])],
        "body",
        [value("i", [], 7), value("c", [], 9), value("s", [4096])],
        [value("c2", [], 9), value("s2", [4096])],
    )
    nodes = [
        helper.make_node("Constant", [], ["go"], value=helper.make_tensor("go", 9, [], [True])),
        helper.make_node(
            "ConstantOfShape", ["size"], ["start"], value=helper.make_tensor("v", 1, [1], [0.5])
        ),
        helper.make_node("Loop", ["n", "go", "start"], ["y"], body=body),
    ]
    size = helper.make_tensor("size", 7, [1], [4096])
    graph = model(nodes, [value("n", [], 7)], [value("y", [4096])], [size])
    path.write_bytes(graph.SerializeToString())
    return path


def test_memory_is_never_written_to_a_core_file(core):
    limits = (Path("/proc") / str(core.pid) / "limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_a_second_core_on_the_same_port_or_state_is_refused(core, make_core):
    same_state = core.run("--http-port", "0")
    assert same_state.returncode == 1
    assert "another Core" in same_state.stderr
    other = make_core(name="other")
    same_port = other.run("--http-port", str(core.port))
    assert same_port.returncode == 1
    assert str(core.port) in same_port.stderr
    assert core.get("/health").status_code == 200


def test_bad_configuration_is_refused_with_its_place(core, tmp_path):
    file = tmp_path / "mlos.yaml"
    file.write_text("# first\nhttp_port: 99999\n")
    for action in ((), ("--check-config",), ("--print-config",)):
        done = core.run("--config", str(file), *action)
        assert done.returncode == 1
        assert f"{file}:2: http_port: '99999' is not a whole number" in done.stderr
    usage = core.run("--no-such-flag")
    assert usage.returncode == 2


def test_printed_configuration_is_accepted(core, tmp_path):
    printed = core.run("--http-port", "1234", "--print-config")
    assert printed.returncode == 0 and "http_port: 1234" in printed.stdout
    file = tmp_path / "mlos.yaml"
    file.write_text(printed.stdout)
    assert core.run("--config", str(file), "--check-config").stdout == "configuration ok\n"


def test_version_names_core_and_smi(core):
    assert core.run("--version").stdout.strip() == "mlos_core 1.0.0 (SMI 1.0.0)"


def test_registrations_come_back_after_kill(core, tmp_path):
    graph = scale(tmp_path / "a.onnx", 2.0)
    assert core.register("ns/a@v1", graph).status_code == 200
    assert core.register("ns/late", scale(tmp_path / "b.onnx", 3.0),
                         autoload=False).status_code == 200  # fmt: skip
    plugin = {"id": "waiting", "name": "Waiting", "version": "1.0.0"}
    assert core.post("/plugins/register", json=plugin).status_code == 200
    core.kill()
    core.start()
    assert np.array_equal(core.infer("ns/a@v1", X)["y"], X["x"] * 2)
    models = {entry["id"]: entry["status"] for entry in core.get("/models").json()["models"]}
    assert models == {"ns/a@v1": "loaded", "ns/late": "registered"}
    assert "waiting" in [entry["id"] for entry in core.get("/plugins").json()["plugins"]]


def test_a_model_that_cannot_load_never_blocks_readiness(core, tmp_path):
    graph = scale(tmp_path / "a.onnx", 2.0)
    assert core.register("broken", graph).status_code == 200
    assert core.register("fine", scale(tmp_path / "b.onnx", 3.0)).status_code == 200
    core.kill()
    scale(graph, 9.0)  # other bytes than those that were registered
    core.start()
    assert core.get("/health/ready").status_code == 200
    broken = core.get("/models/broken").json()
    assert broken["status"] == "failed"
    assert broken["error"]["reason"] == "CHECKSUM_MISMATCH"
    assert str(tmp_path) not in json.dumps(broken["error"])
    assert core.post("/models/broken/inference", json={"x": [1]}).status_code == 409
    assert np.array_equal(core.infer("fine", X)["y"], X["x"] * 3)


def test_drain_answers_what_is_being_served(core, tmp_path):
    assert core.register("slow", slow_graph(tmp_path / "slow.onnx")).status_code == 200
    turns = 1000
    while True:
        start = time.monotonic()
        assert core.post("/models/slow/inference", json={"n": turns}).status_code == 200
        if time.monotonic() - start > 0.4:
            break
        turns *= 2
    replies = []
    threads = [
        threading.Thread(
            target=lambda: replies.append(
                core.post("/models/slow/inference", json={"n": turns}).status_code
            )
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: core.in_flight() == 3 or replies, why=core.log)
    assert core._process.send_signal(signal.SIGTERM) is None  # noqa: SLF001
    for thread in threads:
        thread.join()
    assert replies == [200, 200, 200]
    assert core._process.wait(30) == 0  # noqa: SLF001


def test_reload_takes_over_what_it_may_and_refuses_a_bad_file(make_core, tmp_path):
    file = tmp_path / "mlos.yaml"
    file.write_text("log_level: info\n")
    core = make_core("--config", str(file)).start()

    def reload(text: str, expected: str) -> None:
        file.write_text(text)
        core._process.send_signal(signal.SIGHUP)  # noqa: SLF001
        wait_until(lambda: expected in core.log(), 10, why=core.log)

    reload("log_level: loud\n", "configuration not reloaded")
    reload("log_level: info\nlog_format: json\n", '"event":"configuration reloaded"')
    reload("queue_length_max: 7\nlog_format: json\n", "needs a restart")
    assert core.get("/health").status_code == 200


def test_a_signal_is_taken_while_models_load(make_core, tmp_path):
    plugin = tmp_path / "plugins/acting.so"
    plugin.parent.mkdir()
    source = paths.ROOT / "tests/plugin/fixtures/acting.c"
    subprocess.run(["gcc", "-shared", "-fPIC", f"-I{paths.ROOT / 'include'}", source, "-o", plugin],
                   check=True)  # fmt: skip
    plugin.chmod(0o755)
    core = make_core("--plugin-dir", str(plugin.parent)).start()
    registered = core.post("/plugins/register", json={"id": "acting", "path": str(plugin)})
    assert registered.status_code == 200, registered.text
    graph = tmp_path / "model"
    hold = tmp_path / "hold"
    graph.write_text(f"held 0 {hold}")
    done = core.register("held", graph, plugin_id="acting", execution_format="acting")
    assert done.status_code == 200, done.text
    assert core.stop() == 0
    hold.touch()
    starting = core.launch()

    wait_until((core.state_dir / "http.port").exists, why=core.log)
    core.port = int((core.state_dir / "http.port").read_text())
    wait_until(lambda: core.get("/models/held").json()["state"] == "loading", why=core.log)
    before = core.log().count("draining")
    starting.send_signal(signal.SIGHUP)
    wait_until(lambda: "configuration reloaded" in core.log(), why=core.log)
    starting.send_signal(signal.SIGTERM)
    wait_until(lambda: core.log().count("draining") > before, why=core.log)
    hold.unlink()
    assert starting.wait(30) == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_open_listener_needs_model_roots(core, host):
    done = core.run("--http-host", host, "--http-port", "0")
    assert done.returncode == 1 and "model_roots" in done.stderr


def test_models_outside_the_roots_are_refused(make_core, tmp_path):
    inside = tmp_path / "models"
    inside.mkdir()
    (inside / "link.onnx").symlink_to(scale(tmp_path / "outside.onnx", 2.0))
    scale(inside / "a.onnx", 2.0)
    core = make_core("--model-root", str(inside)).start()
    assert core.register("a", inside / "a.onnx").status_code == 200
    for path in (tmp_path / "outside.onnx", inside / "link.onnx", inside / ".." / "outside.onnx"):
        refused = core.register("b", path)
        assert refused.status_code in (400, 403), refused.text
        assert refused.json()["field"] == "path"
        assert str(tmp_path) not in refused.json()["message"]
    assert core.get("/models/b").status_code == 404
