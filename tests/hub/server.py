# SPDX-License-Identifier: MIT
"""Sockets: three listeners (hub, cdn, control), a thread per connection, everything bounded."""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.hub import api, control, resolve, transmit
from tests.hub.log import Entry
from tests.hub.messages import Body, Request, Response, error
from tests.hub.state import HubState

_CONNECTIONS_MAX = 256
_BODY_BYTES_MAX = 1 << 20


class Listener(ThreadingHTTPServer):
    """One origin. Connections over the limit are closed at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], origin: str, state: HubState) -> None:
        super().__init__(address, Exchange)
        self.origin = origin
        self.state = state
        self._slots = threading.Semaphore(_CONNECTIONS_MAX)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host}:{port}"

    def process_request(self, request, client_address) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is what tests do; anything else is a fault of ours and shown."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class Exchange(BaseHTTPRequestHandler):
    """One connection: reads requests, asks the protocol side, sends answers."""

    protocol_version = "HTTP/1.1"
    server_version = "mlos-test-hub"
    timeout = 30.0
    disable_nagle_algorithm = True
    server: Listener

    def do_GET(self) -> None:
        self._exchange()

    def do_HEAD(self) -> None:
        self._exchange()

    def do_POST(self) -> None:
        self._exchange()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr: the request log is read through the control endpoint."""

    def _exchange(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _BODY_BYTES_MAX:
            self.close_connection = True
            return
        body = self.rfile.read(length)
        request = Request(self.server.origin, self.command, self.path, self.headers, body)
        if request.origin == "control":
            self._send(control.handle(self.server.state, request), {}, None)
            return
        entry = self.server.state.log.begin(request)
        faults = self.server.state.faults.take(request)
        entry.fault = "+".join(faults) or None
        time.sleep(faults.get("delay", {}).get("seconds", 0))
        self.server.state.log.count_under_way(entry)
        if "drop" in faults:
            self.close_connection = True
            return
        response = _ordered(request, faults) or _answer(self.server.state, request, faults)
        self._send(response, faults, entry)

    def _send(self, response: Response, faults: dict[str, dict], entry: Entry | None) -> None:
        chunked = response.chunked or "endless" in faults
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(transmit.length_of(response.body, faults)))
        if entry is not None:
            self.send_header("X-Request-Id", f"Root=1-{entry.number:08x}")
            entry.status = response.status
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            self._send_body(response.body, faults, entry, chunked)
        except transmit.ConnectionCut:
            self.close_connection = True

    def _send_body(
        self, body: Body, faults: dict[str, dict], entry: Entry | None, chunked: bool
    ) -> None:
        for piece in transmit.pieces(body, faults):
            if entry is not None:  # before the client can have it, and then look into the log
                entry.bytes_sent += len(piece)
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
            self.wfile.write(framed)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")


def _ordered(request: Request, faults: dict[str, dict]) -> Response | None:
    """The whole answer a fault prescribes, or None."""
    if "reply" in faults:
        order = faults["reply"]
        return Response(order["status"], dict(order["headers"]), Body.of(order["body"].encode()))
    if "redirect" in faults:
        order = faults["redirect"]
        location = order["location"].replace("{path}", request.target)
        return Response(order["status"], {"Location": location})
    return None


def _answer(state: HubState, request: Request, faults: dict[str, dict]) -> Response:
    if request.method not in ("GET", "HEAD"):
        return error(405, None, "Method not allowed", Allow="GET, HEAD")
    if request.origin == "cdn":
        return resolve.cdn(state, request, faults)
    parts = urlsplit(request.target).path.split("/")[1:3]
    if parts[0] == "api" and parts[-1] != "resolve-cache":
        return api.handle(state, request)
    return resolve.handle(state, request, faults)
