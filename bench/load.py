# SPDX-License-Identifier: MIT
"""Closed-loop HTTP load with wrk, one line of figures a run, and requests that are left open."""

import contextlib
import json
import os
import resource
import socket
import subprocess
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Requests that do not end by themselves: path and body. `patient` answers once its caller leaves;
# `worker-in-place` computes on a thread of Core and never looks whether somebody waits.
PATIENT = ("/v2/models/patient/generate_stream", {"count": 1, "hold": 1})
DEAF = {"count": 1, "sleep_ms": 1 << 40, "burn": 1, "deaf": 1}
NEVER_LOOKING = ("/models/worker-in-place/inference", DEAF)
LOOP = {"steps": 1 << 60}
ENDLESS = ("/models/endless/inference", LOOP)
# What callers send that keep Core waiting, from an address of their own: a body of which the rest
# does not come, and requests whose replies nobody reads.
SLOW_BODY = (b"POST /models/steady/inference HTTP/1.1\r\nHost: localhost\r\n"
             b"Content-Length: 1048576\r\n\r\n" + b"1," * 4096)
UNREAD = b"GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100
STALLING_ADDRESS = "127.0.0.2"


@dataclass
class Figures:
    """One run: requests a second, latency percentiles in microseconds, and how many failed."""
    rate: float
    p50_us: float
    p99_us: float
    errors: int


def load_command(url, body=None, connections=1, seconds=2.0):
    """What runs wrk with one thread; `body` is a bodies.Body, or None to get."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s",
               "-s", str(HERE / "post.lua"), url]
    if body:
        command += ["--", str(body.path), *([str(body.json_bytes)] if body.json_bytes else [])]
    return command


def figures_of(output):
    """Reads what wrk printed."""
    line = next(line for line in output.splitlines() if line.startswith("FIGURES"))
    rate, p50, p99, errors = line.split()[1:]
    return Figures(float(rate), float(p50), float(p99), int(errors))


def load(url, body=None, connections=1, seconds=2.0):
    """Runs it; raises where any request failed."""
    output = subprocess.run(load_command(url, body, connections, seconds), capture_output=True,
                            text=True, timeout=120, check=True).stdout
    figures = figures_of(output)
    if figures.errors:
        raise RuntimeError(f"{figures.errors} requests to {url} failed")
    return figures


def cores():
    """How many runs take every core."""
    return os.cpu_count() or 1


def allow_descriptors(count):
    """Lets this process, and the servers that it starts, have so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))


@contextlib.contextmanager
def held(core, what, count):
    """So many requests of a kind, each on a connection of its own, until the end of the block."""
    path, document = what
    body = json.dumps(document).encode()
    address = urllib.parse.urlsplit(core.url)
    head = (f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(
                socket.create_connection((address.hostname, address.port), timeout=30))
            sock.sendall(head.encode() + body)
        yield


@contextlib.contextmanager
def stalled(core, data, count):
    """So many connections on which `data` was sent, again and again if it is UNREAD, until the end
    of the block. Those that Core does without are gone."""
    address = urllib.parse.urlsplit(core.url)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, 16 << 10)
            sock.bind((STALLING_ADDRESS, 0))
            sock.connect((address.hostname, address.port))
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                while sock.send(data) and data is UNREAD:
                    pass
        yield
