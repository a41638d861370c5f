# SPDX-License-Identifier: MIT
"""One model of the demonstration, and the conversation with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from tests.demo.screen import Screen
from tests.demo.shell import Shell
from tests.support import OrtReference, from_reply, max_difference, to_json

DIFFERENCE_MAX = 1e-5


@dataclass(frozen=True)
class Exhibit:
    """A model: what the user types to install it, which graph that is, and what to ask it.

    `show` holds the conversation and returns the answers in one line. `online` says that the real
    hub has this id with such a graph."""

    spec: str
    title: str
    graph: str
    show: Callable[[Visit], str]
    made_up: bool = False  # random weights: only shapes and equality mean anything
    online: bool = False


class Visit:
    """The conversation with one registered model. Every answer is compared with ONNX Runtime's."""

    def __init__(
        self, exhibit: Exhibit, shell: Shell, screen: Screen, core_url: str, folder: Path
    ) -> None:
        """`folder` holds the model's files: the graph compared with, and others `file` gives."""
        self._shell = shell
        self._screen = screen
        self._folder = folder
        self._reference = OrtReference(folder / exhibit.graph)
        self._url = f"{core_url}/models/{quote(exhibit.spec, safe='')}/inference"
        self.graph = folder / exhibit.graph
        self.difference = 0.0
        self.answers = 0

    def file(self, path: str) -> Path:
        return self._folder / path

    def ask(
        self,
        body: dict[str, object],
        full: dict[str, np.ndarray] | None = None,
        file: str | None = None,
        brief: bool = False,
    ) -> dict[str, np.ndarray]:
        """Sends `body` with curl, typed out or, if `file` is given, from a file of that name.

        With `brief` the answer is one line, and the command is not shown.
        `full` are the same inputs as the graph wants them, where `body` leaves something to Core.
        Returns the outputs; raises ValueError with the reply where it is not a success."""
        sent = {name: to_json(v) if isinstance(v, np.ndarray) else v for name, v in body.items()}
        text = json.dumps(sent, separators=(",", ":"))
        if file is not None:
            self._shell.write(file, text)
        data = f"'{text}'" if file is None else f"@{file}"
        done = self._shell.run(f"curl -s -X POST {self._url} -d {data}", quiet=brief)
        reply = json.loads(done)
        self._screen.answer(reply, brief=brief)
        if reply.get("status") != "success":
            raise ValueError(f"Core refused: {reply}")
        outputs = from_reply(reply)
        self.expect("ONNX Runtime", outputs, self._reference.run(full or body))
        self.answers += 1
        return outputs

    def expect(self, whose: str, actual: object, expected: object) -> None:
        """Notes how far an answer is from the one expected; raises ValueError beyond 1e-5."""
        if isinstance(actual, np.ndarray):
            actual, expected = {"": actual}, {"": expected}
        apart = max_difference(actual, expected)
        self.difference = max(self.difference, apart)
        if not apart <= DIFFERENCE_MAX:
            raise ValueError(f"max |Δ| = {apart:g} from {whose}")

    def say(self, text: str) -> None:
        """An answer in words people understand."""
        self._screen.words(text)

    def note(self, text: str) -> None:
        self._screen.note(text)
