# SPDX-License-Identifier: MIT
"""Server processes: Core, and nginx with `return 200` as the ceiling of HTTP (others: peers.py)."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NGINX_PORT = 18980
# The machine's proxies are not asked about the loopback address.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

NGINX_CONFIGURATION = """
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port} reuseport backlog=1024;
    location / {{ return 200 "ok"; }}
  }}
}}
"""


def wait_until(condition, seconds=30.0):
    """Polls until the condition holds; raises otherwise."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("a server did not start")
        time.sleep(0.002)


def fetch(url, body=None, method=None):
    """One request; the decoded JSON of the answer, or its text."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    with _OPENER.open(request, timeout=60) as reply:
        text = reply.read()
    try:
        return json.loads(text)
    except ValueError:
        return text


def answers(url):
    """Whether the URL gives a 2xx."""
    try:
        fetch(url)
    except OSError:
        return False
    return True


def free_port():
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _descendants(pid):
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _descendants(int(child))
    return found


class Process:
    """A server in a process group of its own; `started` is when, by time.perf_counter."""

    def __init__(self, command, log=None, **options):
        """Its output goes to the file `log`; without one, its errors are seen."""
        output = log.open("wb") if log else None
        self.started = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=output, stderr=output,
                                        start_new_session=True, **options)
        if output:
            output.close()

    def resident_bytes(self):
        """What the process itself has in memory (VmRSS), pages that it shares included."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024

    def rests(self):
        """Whether it uses no more than a tenth of a core, over a quarter second."""
        before = self._cpu_ticks()
        time.sleep(0.25)
        return (self._cpu_ticks() - before) / os.sysconf("SC_CLK_TCK") <= 0.025

    def _cpu_ticks(self):
        stat = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(stat[11]) + int(stat[12])

    def proportional_bytes(self):
        """Proportional set size of it and its children (Pss): shared pages count once."""
        total = 0
        for pid in _descendants(self.process.pid):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        return total

    def children(self):
        """Processes that it has started, and theirs."""
        return len(_descendants(self.process.pid)) - 1

    def stop(self):
        """SIGTERM; it drains and ends. What is left of its group is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Nginx(Process):
    """nginx answering every request with two bytes."""

    def __init__(self, folder: Path):
        program = ROOT / ".deps/bin/nginx"
        if not program.exists():
            raise RuntimeError("nginx is missing; `make test-performance` installs it")
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(folder=folder, port=NGINX_PORT))
        self.url = f"http://127.0.0.1:{NGINX_PORT}/"
        super().__init__([str(program), "-c", str(configuration), "-p", str(folder)],
                         log=folder / "nginx.log")
        wait_until(lambda: answers(self.url))


# Doors that are not measured take nothing that others could want.
HTTP_ONLY = ("--no-ipc", "--grpc-port", "0")
CORE = ROOT / "build/mlos_core"
FIXTURES = ROOT / "build/tests/plugin/fixtures"
# Loads the plugins of the tests beside Core's own.
FIXTURES_ALLOWED = ("--plugin-dir", str(ROOT / "build/plugins"), "--plugin-dir", str(FIXTURES))


class Core(Process):
    """mlos_core on a free port, with one intra-op thread as the floors have."""

    def __init__(self, state: Path, arguments=HTTP_ONLY):
        state.mkdir(parents=True, exist_ok=True)
        port_file = state / "http.port"
        port_file.unlink(missing_ok=True)
        super().__init__(
            [str(CORE), "--http-port", "0", "--state-dir", str(state),
             "--intra-op-threads", "1", "--log-level", "error", *arguments])
        wait_until(lambda: port_file.exists() and port_file.read_text().endswith("\n"))
        self.url = f"http://127.0.0.1:{port_file.read_text().strip()}"

    def wait_ready(self):
        """Waits until every registered model has been tried."""
        wait_until(lambda: answers(self.url + "/health/ready"))

    def register(self, model_id, path, **members):
        """Registers a model file; `members` go into the request."""
        fetch(self.url + "/models/register",
              json.dumps({"model_id": model_id, "path": str(path), **members}).encode())

    def register_fixture(self, folder, name, execution_format="any"):
        """Registers a plugin of the tests, and a model of its name; needs FIXTURES_ALLOWED."""
        library = FIXTURES / f"{name.replace('-', '_')}.so"
        fetch(self.url + "/plugins/register",
              json.dumps({"id": name, "path": str(library)}).encode())
        path = folder / f"{name}.model"
        path.write_text("anything")
        self.register(name, path, plugin_id=name, execution_format=execution_format)

    def in_flight(self):
        """Inferences that it has not answered."""
        page = fetch(self.url + "/metrics").decode()
        return int(re.search(r"^mlos_inferences_in_flight (\d+)$", page, re.MULTILINE)[1])

    def inference_url(self, model_id):
        """Where the model is run, in Core's own API."""
        return f"{self.url}/models/{urllib.parse.quote(model_id, safe='')}/inference"

    def oip_url(self, model_id):
        """Where the model is run, in the Open Inference Protocol."""
        return f"{self.url}/v2/models/{urllib.parse.quote(model_id, safe='')}/infer"

    def switch(self, model_id, action):
        """Loads or unloads a registered model: `action` is "load" or "unload"."""
        fetch(f"{self.url}/models/{urllib.parse.quote(model_id, safe='')}/{action}", b"{}")
