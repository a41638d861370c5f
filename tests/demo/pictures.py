# SPDX-License-Identifier: MIT
"""Asks models that look: ResNet-50's class, and where, which way up and what a text is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import onnx

from tests.demo.drawing import as_model_input, draw_text
from tests.demo.exhibit import Visit

_TEXT = "HELLO MLOS"
_IS_TEXT = 0.3  # score from which a pixel counts as text, as in RapidOCR


def show_resnet(visit: Visit) -> str:
    """The class for the input of ONNX's own test, beside the output that test expects."""
    count = 3 * 224 * 224
    pixels = (np.arange(count) / count).astype(np.float32)
    image = pixels.reshape(1, 3, 224, 224)
    outputs = visit.ask({"gpu_0/data_0": pixels}, {"gpu_0/data_0": image}, file="pixels.json")
    scores = outputs["gpu_0/softmax_1"]
    shipped = onnx.load_tensor(visit.file("test_data_set_0/output_0.pb"))
    expected = onnx.numpy_helper.to_array(shipped)
    visit.expect("the output shipped with ONNX", scores, expected)
    answer = f"class {scores.argmax()}, expected {expected.argmax()}"
    visit.say(f"{answer} (score {scores.max():.4f}; its constant weights make all classes equal)")
    return answer


def show_detection(visit: Visit) -> str:
    """Where on a page there is text, beside where it was drawn."""
    page = np.ones((160, 320), dtype=np.float32)
    drawn = []
    for text, top, left, height in (("HELLO", 20, 16, 28), ("MLOS", 90, 140, 36)):
        margin = 4
        line = draw_text(text, height, margin)
        page[top : top + line.shape[0], left : left + line.shape[1]] = line
        drawn.append((left + margin, top + margin, left + line.shape[1] - margin))
    outputs = visit.ask({"x": as_model_input(page)}, file="page.json")
    is_text = next(iter(outputs.values()))[0, 0] > _IS_TEXT
    answers = []
    for (left, top, right), half in zip(drawn, (slice(0, 80), slice(80, 160)), strict=True):
        rows, columns = np.nonzero(is_text[half])
        found = f"x {columns.min()}–{columns.max()}, y from {rows.min() + half.start}"
        visit.say(f"text at {found}; drawn at x {left}–{right}, y from {top}")
        answers.append(found)
    return "text at " + " and ".join(answers)


def show_direction(visit: Visit) -> str:
    """Whether a line of text is upright, for one that is and one that is not."""
    line = as_model_input(draw_text(_TEXT, 28, 10))[:, :, :, :192]
    answers = []
    for name, image in (("upright", line), ("turned", line[:, :, ::-1, ::-1])):
        outputs = visit.ask({"x": np.ascontiguousarray(image)}, file=f"{name}.json")
        scores = next(iter(outputs.values()))[0]
        answers.append(f"{('0°', '180°')[scores.argmax()]} {scores.max():.1%}")
        visit.say(f"a line drawn {name}: {answers[-1]}")
    return ", ".join(answers)


def show_reading(visit: Visit) -> str:
    """What a drawn line says."""
    outputs = visit.ask({"x": as_model_input(draw_text(_TEXT, 32, 8))}, file="line.json")
    text = _decode(next(iter(outputs.values()))[0], _alphabet(visit))
    visit.say(f"drawn “{_TEXT}”, read “{text}”")
    return f"reads “{text}”"


def _alphabet(visit: Visit) -> list[str]:
    """The characters of the output's columns, which the graph carries; column 0 is "none"."""
    properties = {p.key: p.value for p in onnx.load(visit.graph).metadata_props}
    return ["", *properties["character"].splitlines(), " "]


def _decode(scores: np.ndarray, alphabet: list[str]) -> str:
    """The likeliest character of each column, repetitions taken once (greedy CTC decoding)."""
    best = [0, *scores.argmax(axis=-1).tolist()]
    return "".join(alphabet[now] for before, now in pairwise(best) if now != before)
