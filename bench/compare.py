# SPDX-License-Identifier: MIT
"""`bench/compare.py PROGRAM`: the rows of `make test-performance` for another build of Core and for
this one. The two are measured in turn, round by round, so that whatever else the machine does meets
both; what counts is the median of the rounds' quotients. Exits 1 if this build is worse by more
than 3 % and more than the measurement itself differs from round to round."""

import argparse
import math
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import run
import servers

SECTIONS = ("http", "grpc", "ipc", "memory", "registry")
TOLERANCE = 1.03


def value_of(figure):
    """The number that a row's figure begins with; None if it has none."""
    number = re.match(r"[\d,]*\.?\d+", figure)
    return float(number[0].replace(",", "")) if number else None


def cost_of(figure, value):
    """The same so that less is better: what is counted by the second is turned over."""
    return 1 / value if "/s" in figure else value


def interval(values):
    """Between which two of the values the median of all such values lies, with 95 % probability
    (order statistics of a binomial distribution); the extremes if there are too few for that."""
    ordered, count = sorted(values), len(values)
    outside, rank = 0.0, 0
    while rank < count // 2:
        outside += 2 * math.comb(count, rank) / 2**count
        if outside > 0.05:
            break
        rank += 1
    low = max(rank - 1, 0)
    return ordered[low], ordered[count - 1 - low]


class Compared:
    """What the rounds gave for one row."""

    def __init__(self):
        self.figures = {"before": [], "now": []}
        self.costs = {"before": [], "now": []}

    def add(self, build, figure):
        """Takes a row's figure of one round."""
        value = value_of(figure)
        self.figures[build].append((value, figure))
        self.costs[build].append(cost_of(figure, value))

    def quotients(self):
        """Of the costs of each round, this build's to the other's: below 1 is better."""
        return [now / before for before, now in zip(self.costs["before"], self.costs["now"],
                                                    strict=True)]

    def middle(self, build):
        """The figure of the round in the middle."""
        ordered = sorted(self.figures[build])
        return ordered[len(ordered) // 2][1]

    def verdict(self):
        """In words, and whether it is as good as before as far as can be told."""
        low, high = interval(self.quotients())
        if statistics.median(self.quotients()) <= TOLERANCE:
            return "better" if high < 1 else "within 3 %", True
        if low <= 1 <= high:
            return "not told apart", True
        return "**worse**", False


def measure(programs, sections, rounds, seconds):
    """The rows by name. Every other round begins with the other build."""
    compared = {}
    for number in range(rounds):
        for build in sorted(programs, reverse=number % 2 == 1):
            servers.CORE = programs[build]
            folder = Path(tempfile.mkdtemp(prefix="mlos-compare-"))
            try:
                one = run.Run(folder, 1, seconds)
                for section in sections:
                    for row in one.rows(section):
                        if value_of(row.figure):
                            compared.setdefault(row.name, Compared()).add(build, row.figure)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        print(f"round {number + 1} of {rounds}", flush=True)
    return compared


def table(compared):
    """One line a row, as Markdown."""
    lines = ["| what | before | now | now / before, by cost | 95 % | |",
             "|---|---|---|---|---|---|"]
    for name, row in compared.items():
        low, high = interval(row.quotients())
        lines.append(f"| {name} | {row.middle('before')} | {row.middle('now')} | "
                     f"{statistics.median(row.quotients()):.3f} | {low:.3f}–{high:.3f} | "
                     f"{row.verdict()[0]} |")
    return "\n".join(lines)


def main():
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path, help="mlos_core of the other build")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=1,
                        help="of each run of the load generator")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    arguments = parser.parse_args()
    programs = {"before": arguments.program.resolve(strict=True), "now": servers.CORE}
    compared = measure(programs, arguments.only, arguments.rounds, arguments.seconds)
    print(table(compared))
    worse = [name for name, row in compared.items() if not row.verdict()[1]]
    if worse:
        sys.exit(f"worse than before: {', '.join(worse)}")


if __name__ == "__main__":
    main()
