# SPDX-License-Identifier: MIT
"""The floors: what cannot be done without, each a small program of build/bench.

http_floor   HTTP/1.1: a bare epoll server that receives requests whole and answers a fixed 200
tcp_floor    bytes over TCP between two processes
http_client  requests over HTTP, sent and waited for as tcp_floor does
json_floor   parsing JSON numbers with simdjson
ort_floor    ONNX Runtime's run and its load of a file, through its C++ API
ipc_floor    Unix sockets, shared memory, one copy (ipc_rows.py)
grpc_floor   a bare grpc++ callback server (grpc_rows.py)
"""

import subprocess
import urllib.parse

from servers import ROOT, Process, answers, free_port, wait_until


def program(name, *arguments):
    """What a program of build/bench prints."""
    command = [str(ROOT / "build/bench" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _p50_us(name, *arguments):
    return float(program(name, *arguments).split()[0])


def tcp_us(size_bytes, count=1000):
    """Bringing so many bytes over TCP, and a short answer back."""
    return _p50_us("tcp_floor", size_bytes, count)


def http_us(url, body, folder, count=1000):
    """A request with `body`, and its reply, with a client as bare as that of `tcp_us`."""
    address = urllib.parse.urlsplit(url)
    head = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc}",
            f"Content-Length: {body.path.stat().st_size}"]
    if body.json_bytes:
        head.append(f"Inference-Header-Content-Length: {body.json_bytes}")
    request = folder / "request.http"
    request.write_bytes("\r\n".join([*head, "", ""]).encode() + body.read())
    return _p50_us("http_client", address.port, request, count)


def json_us(body, count=200):
    """Reading the numbers of an own_json body."""
    return _p50_us("json_floor", body.path, count)


def ort_run_us(model, shape, count):
    """A run of a model file."""
    return _p50_us("ort_floor", "run", model, count, *shape)


def ort_load_us(model, count=10):
    """Making a session of a model file that is in the page cache."""
    return _p50_us("ort_floor", "load", model, count)


class HttpFloor(Process):
    """The bare epoll server, with as many threads as Core's HTTP door has here."""

    def __init__(self):
        port = free_port()
        super().__init__([str(ROOT / "build/bench/http_floor"), str(port), "2"])
        self.url = f"http://127.0.0.1:{port}/"
        wait_until(lambda: answers(self.url))
