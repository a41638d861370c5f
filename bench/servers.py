# SPDX-License-Identifier: MIT
"""The servers under measurement: Core, and nginx with `return 200` as the ceiling of HTTP."""

import json
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NGINX_PORT = 18980

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
    request = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(request, timeout=60) as reply:
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


def resident_bytes(pid):
    """Resident set size of a process (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


class Nginx:
    """nginx answering every request with two bytes."""

    def __init__(self, folder: Path):
        program = ROOT / ".deps/bin/nginx"
        if not program.exists():
            raise RuntimeError("nginx is missing; `make test-performance` installs it")
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX_CONFIGURATION.format(folder=folder, port=NGINX_PORT))
        self.url = f"http://127.0.0.1:{NGINX_PORT}/"
        self.process = subprocess.Popen([str(program), "-c", str(configuration), "-p", str(folder)],
                                        stderr=subprocess.DEVNULL)
        wait_until(lambda: answers(self.url))

    def stop(self):
        """Ends it and waits."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


class Core:
    """mlos_core on a free port, with one intra-op thread as the floors have."""

    def __init__(self, state: Path, build: Path = ROOT / "build", arguments=("--no-ipc",)):
        state.mkdir(parents=True, exist_ok=True)
        port_file = state / "http.port"
        port_file.unlink(missing_ok=True)
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(build / "mlos_core"), "--http-port", "0", "--state-dir", str(state),
             "--intra-op-threads", "1", "--log-level", "error", *arguments])
        wait_until(lambda: port_file.exists() and port_file.read_text().endswith("\n"))
        self.url = f"http://127.0.0.1:{port_file.read_text().strip()}"

    def wait_ready(self):
        """Waits until every registered model has been tried."""
        wait_until(lambda: answers(self.url + "/health/ready"))

    def register(self, model_id, path):
        """Registers a model file."""
        fetch(self.url + "/models/register",
              json.dumps({"model_id": model_id, "path": str(path)}).encode())

    def inference_url(self, model_id):
        """Where the model is run."""
        return f"{self.url}/models/{urllib.parse.quote(model_id, safe='')}/inference"

    def stop(self):
        """SIGTERM; it drains and ends."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)
