# SPDX-License-Identifier: MIT
"""What is known of the goals that a run missed: bench/notes.md, and the section of the results that
shows it."""

import re
from pathlib import Path

from tables import BEGIN

NOTES = Path(__file__).with_name("notes.md")
HEADING = "## Missed goals"
WANTED = "no note yet: bench/notes.md wants one"


def key(name):
    """The goal that a row belongs to, "P7"; the row's own name where it belongs to none."""
    goal = re.match(r"(P\d+):", name)
    return goal[1] if goal else name


def read(text):
    """The notes of a page, by key. Headings within a fence are the page's own example."""
    page = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {title.strip(): body.strip() for title, body in zip(parts[1::2], parts[2::2])}


def section(missed, notes):
    """The section of the results page: the note of each goal of which a row, given by its name, was
    missed."""
    keys = list(dict.fromkeys(key(name) for name in missed))
    told = [f"**{one}.** {notes.get(one) or WANTED}" for one in keys]
    return "\n\n".join([HEADING, *(told or ["None."])])


def merged(page, notes):
    """A results page with its section made anew, before the table of the peers."""
    head, begin, peers = page.partition(BEGIN)
    head = head.partition(HEADING)[0].rstrip()
    return f"{head}\n\n{section(missed_rows(page), notes)}\n\n{begin}{peers}".rstrip() + "\n"


def missed_rows(page):
    """The names of the rows of a results page whose goal is missed."""
    rows = (line.split(" | ") for line in page.splitlines() if line.startswith("| "))
    return [cells[0][2:] for cells in rows if cells[-1].startswith("**missed**")]
