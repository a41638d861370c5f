# SPDX-License-Identifier: MIT
"""Asks Silero VAD which clips of sound are speech."""

from __future__ import annotations

import numpy as np

from tests.demo import sounds
from tests.demo.exhibit import Visit

_SECONDS = 1.0
_PIECE, _CONTEXT = 512, 64  # samples the model looks at, and those before it that it wants again
_SPEECH_FROM = 0.5  # mean probability


def show(visit: Visit) -> str:
    """Prints how likely each clip is speech; returns the verdicts in a line."""
    clips = {
        "spoken vowels": sounds.speech(_SECONDS),
        "a quiet room": sounds.silence(_SECONDS),
        "a 1 kHz beep": sounds.tone(_SECONDS),
    }
    answers = []
    for name, clip in clips.items():
        mean = float(np.mean(_probabilities(visit, name, clip)))
        verdict = "speech" if mean >= _SPEECH_FROM else "no speech"
        answers.append(f"{name}: {verdict} ({mean:.1%})")
        visit.say(answers[-1])
    return ", ".join(answers)


def _probabilities(visit: Visit, name: str, clip: np.ndarray) -> list[float]:
    """One probability per piece of 32 ms; each call hands back the state of the one before."""
    state = np.zeros((2, 1, 128), dtype=np.float32)
    context = np.zeros((1, _CONTEXT), dtype=np.float32)
    rate = np.array(sounds.SAMPLE_RATE, dtype=np.int64)
    found = []
    starts = range(0, len(clip) - _PIECE + 1, _PIECE)
    for start in starts:
        if start == _PIECE:
            more = len(starts) - 1
            visit.note(f"{more} more like it: 32 ms each, with the stateN of the one before")
        window = np.concatenate([context, clip[None, start : start + _PIECE]], axis=1)
        inputs = {"input": window, "state": state, "sr": rate}
        outputs = visit.ask(inputs, file=f"{name.replace(' ', '-')}.json", brief=start > 0)
        state, context = outputs["stateN"], window[:, -_CONTEXT:]
        found.append(float(outputs["output"][0, 0]))
    return found
