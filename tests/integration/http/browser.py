# SPDX-License-Identifier: MIT
"""A page in Debian's Chromium, which tells what it saw."""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support import process

_SECONDS_MAX = 90.0

# The script is an async function, whose result is sent back.
_PAGE = """<!doctype html><title>test</title><script>
const run = async () => {{ {script} }};
run().catch(error => ({{error: String(error)}}))
  .then(result => fetch("/result", {{method: "POST", body: JSON.stringify(result)}}));
</script>"""


class Site:
    """A web server with one page. Thread-safe."""

    def __init__(self) -> None:
        results: queue.Queue = queue.Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(_PAGE.format(script=site.script).encode())

            def do_POST(self) -> None:
                results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.script = ""
        self._results = results
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def result(self) -> object:
        return self._results.get(timeout=_SECONDS_MAX)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def site() -> Iterator[Site]:
    made = Site()
    try:
        yield made
    finally:
        made.close()


def visit(page: Site, script: str, folder: Path) -> object:
    """Shows the page in a fresh Chromium, whose files are below `folder`. `script` is the body of
    an async function; what that returns is returned."""
    page.script = script
    command = ["chromium", "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-sandbox",
               "--no-first-run", "--no-proxy-server", "--remote-debugging-port=0",
               f"--user-data-dir={folder / 'profile'}", f"{page.origin}/"]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "chromium.log").open("wb") as log:
        env = process.clean_environment(folder)
        browser = process.spawn(
            command, env=env, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        return page.result()
    finally:
        os.killpg(browser.pid, signal.SIGKILL)  # its helpers too
        browser.wait()
