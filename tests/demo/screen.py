# SPDX-License-Identifier: MIT
"""Everything the demonstration prints."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass

_NUMBERS_SHOWN = 4
_LINE_MAX = 160
_BRIEF_MAX = 80


@dataclass(frozen=True)
class Row:
    """A line of the closing table. `difference` is None where the model gave no answer."""

    model: str
    answer: str
    answers: int
    difference: float | None
    ok: bool


class Screen:
    """Prints to stdout, in colour on a terminal unless NO_COLOR is set."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")

    def title(self, text: str) -> None:
        self._print("\n" + self._style("1", f"── {text}"))

    def command(self, text: str) -> None:
        self._print(self._style("36", "$ " + text))

    def output(self, text: str) -> None:
        """What a command printed, shortened line by line."""
        for line in text.strip().splitlines():
            self._print("  " + _cut(line))

    def answer(self, reply: dict, brief: bool = False) -> None:
        """A JSON reply with its long arrays shortened; with `brief`, one short line of its
        outputs, or of whatever else it says."""
        shown = reply.get("outputs", reply) if brief else reply
        length = _BRIEF_MAX if brief else 4 * _LINE_MAX
        self._print("  " + _cut(json.dumps(_shorten(shown), ensure_ascii=False), length))

    def words(self, text: str) -> None:
        self._print(self._style("32", f"  → {text}"))

    def note(self, text: str) -> None:
        self._print(self._style("2", f"  … {text}"))

    def error(self, text: str) -> None:
        self._print(self._style("31", f"  ✗ {text}"))

    def plain(self, text: str = "") -> None:
        self._print(text)

    def table(self, rows: list[Row]) -> None:
        width = max(len(row.model) for row in rows)
        self.title("What the models answered, and how far that is from ONNX Runtime's own answer")
        head = f"{'model':<{width}}  answers  max |Δ|   "
        self._print(f"\n{head}what it said")
        for row in rows:
            apart = "–" if row.difference is None else f"{row.difference:.1e}"
            mark = self._style("32", "✓") if row.ok else self._style("31", "✗")
            self._print(f"{row.model:<{width}}  {row.answers:>7}  {apart:>7} {mark} {row.answer}")

    def _style(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _print(self, text: str) -> None:
        print(text, flush=True)


def _cut(line: str, length: int = _LINE_MAX) -> str:
    return line if len(line) <= length else line[: length - 2] + " …"


def _shorten(value: object) -> object:
    """The same document with only the first numbers of each long array, and how many there are."""
    if isinstance(value, dict):
        return {name: _shorten(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) <= _NUMBERS_SHOWN:
        return [_shorten(item) for item in value]
    unit = "rows" if isinstance(value[0], list) else "values"
    shown = 1 if unit == "rows" else _NUMBERS_SHOWN
    return [*(_shorten(item) for item in value[:shown]), f"… {len(value)} {unit}"]
