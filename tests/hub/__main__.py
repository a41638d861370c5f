# SPDX-License-Identifier: MIT
"""`python -m tests.hub --models DIR`: runs the hub until it is told to stop or its parent dies.

When it is ready it prints one line of JSON: {"url", "cdn_url", "control_url", "pid"}.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
import time
from pathlib import Path

from tests.hub.access import Tokens
from tests.hub.catalog import Catalog
from tests.hub.server import Listener
from tests.hub.state import HubState, Options


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hub", description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="directory with repos.json")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--cdn-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--token", default="hf_test_full", help="opens every repository")
    parser.add_argument("--reader-token", default="hf_test_reader", help="valid, opens no gate")
    parser.add_argument("--page-size", type=int, default=Options.page_size)
    return parser.parse_args()


def _exit_with_parent(parent: int) -> None:
    """A test run that was killed must not leave its hub behind."""
    while os.getppid() == parent:
        time.sleep(0.25)
    os._exit(0)


def main() -> None:
    arguments = _arguments()
    parent = os.getppid()
    tokens = Tokens(arguments.token, arguments.reader_token)
    options = Options(page_size=arguments.page_size)
    state = HubState(Catalog.load(arguments.models), tokens, options)
    ports = {
        "hub": arguments.port,
        "cdn": arguments.cdn_port,
        "control": arguments.control_port,
    }
    listeners = {n: Listener((arguments.host, port), n, state) for n, port in ports.items()}
    state.hub_url, state.cdn_url = listeners["hub"].url, listeners["cdn"].url
    for listener in listeners.values():
        threading.Thread(target=listener.serve_forever, daemon=True).start()
    threading.Thread(target=_exit_with_parent, args=(parent,), daemon=True).start()
    ready = {
        "url": state.hub_url,
        "cdn_url": state.cdn_url,
        "control_url": listeners["control"].url + "/control",
        "pid": os.getpid(),
    }
    print(json.dumps(ready), flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main()
