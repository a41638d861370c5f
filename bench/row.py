# SPDX-License-Identifier: MIT
"""What a measurement says."""

import statistics
from dataclasses import dataclass


@dataclass
class Row:
    """One line of the table: what was measured, beside what, and the goal."""
    name: str
    figure: str
    baseline: str
    ratio: float
    goal: str
    reached: bool


def median(values):
    """Median of the values."""
    return statistics.median(values)
