# SPDX-License-Identifier: MIT
"""Draws a line of text with strokes, so that a text model has something real to look at."""

from __future__ import annotations

import math

import numpy as np

Point = tuple[float, float]

LETTER_ASPECT = 0.62  # width of a letter by its height
_GAP = 0.32  # between letters, by height


def _arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> list[Point]:
    """Points of an elliptic arc; angles in degrees, 0 to the right, 90 down."""
    angles = np.radians(np.linspace(start, end, 17))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


# Strokes of each letter in a unit box, y downwards.
_STROKES: dict[str, list[list[Point]]] = {
    "E": [[(1, 0), (0, 0), (0, 1), (1, 1)], [(0, 0.5), (0.85, 0.5)]],
    "H": [[(0, 0), (0, 1)], [(1, 0), (1, 1)], [(0, 0.5), (1, 0.5)]],
    "L": [[(0, 0), (0, 1), (1, 1)]],
    "M": [[(0, 1), (0, 0), (0.5, 0.7), (1, 0), (1, 1)]],
    "O": [_arc(0.5, 0.5, 0.55, 0.5, 0, 360)],
    "S": [_arc(0.5, 0.25, 0.48, 0.25, -25, -270) + _arc(0.5, 0.75, 0.48, 0.25, -90, 155)],
}


def draw_text(text: str, letter_height: int, margin: int) -> np.ndarray:
    """Black on white, float32[height, width] from 0 (black) to 1. Raises KeyError for a letter
    there are no strokes for."""
    advance = letter_height * (LETTER_ASPECT + _GAP)
    width = round(advance * len(text) - letter_height * _GAP) + 2 * margin
    y, x = np.mgrid[0 : letter_height + 2 * margin, 0:width].astype(np.float32)
    distance = np.full(x.shape, np.inf, dtype=np.float32)
    for place, letter in enumerate(text):
        left = margin + place * advance
        for stroke in _STROKES[letter] if letter != " " else []:
            points = [
                (left + px * letter_height * LETTER_ASPECT, margin + py * letter_height)
                for px, py in stroke
            ]
            for start, end in zip(points, points[1:], strict=False):
                distance = np.minimum(distance, _to_segment(x, y, start, end))
    half_stroke = letter_height / 14
    return np.clip(distance - half_stroke + 0.5, 0, 1).astype(np.float32)


def as_model_input(image: np.ndarray) -> np.ndarray:
    """float32[1, 3, height, width] from −1 to 1, as the text models were trained."""
    return np.repeat((image * 2 - 1)[None, None], 3, axis=1).astype(np.float32)


def _to_segment(x: np.ndarray, y: np.ndarray, start: Point, end: Point) -> np.ndarray:
    """Distance of every pixel to the line between two points."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length_squared = max(dx * dx + dy * dy, 1e-6)  # where two arcs meet a segment has no length
    along = ((x - start[0]) * dx + (y - start[1]) * dy) / length_squared
    along = np.clip(along, 0, 1)
    return np.hypot(x - start[0] - along * dx, y - start[1] - along * dy)
