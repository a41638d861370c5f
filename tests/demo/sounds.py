# SPDX-License-Identifier: MIT
"""Makes short clips of sound: something a voice detector takes for speech, and things it must not.

The voice is a formant synthesiser of the simplest kind (after D. Klatt, "Software for a cascade/
parallel formant synthesizer", 1980): a pulse train through one resonator per formant.
"""

from __future__ import annotations

import numpy as np

SAMPLE_RATE = 16000

# First three formants, in Hz, of the vowels in "father", "see", "boot", "bed".
_VOWELS = {
    "a": (730, 1090, 2440),
    "i": (270, 2290, 3010),
    "u": (300, 870, 2240),
    "e": (530, 1840, 2480),
}
_BANDWIDTHS_HZ = (80, 110, 150)


def speech(seconds: float) -> np.ndarray:
    """Babbled syllables: float32[samples] between −1 and 1."""
    random = np.random.default_rng(1)
    parts: list[np.ndarray] = []
    vowels = list(_VOWELS)
    while sum(map(len, parts)) < seconds * SAMPLE_RATE:
        consonant = random.standard_normal(int(0.05 * SAMPLE_RATE)) * 0.05
        vowel = _vowel(vowels[len(parts) // 2 % 4], random.uniform(0.15, 0.25), random)
        parts += [consonant * np.hanning(len(consonant)), vowel]
    return _clip(np.concatenate(parts), seconds)


def silence(seconds: float) -> np.ndarray:
    """The faint noise of a quiet room."""
    noise = np.random.default_rng(2).standard_normal(int(seconds * SAMPLE_RATE))
    return (noise * 0.001).astype(np.float32)


def tone(seconds: float) -> np.ndarray:
    """A steady beep of 1 kHz in noise: loud, and no speech."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(3).standard_normal(len(time)) * 0.02
    return (0.4 * np.sin(2 * np.pi * 1000 * time) + noise).astype(np.float32)


def _vowel(name: str, seconds: float, random: np.random.Generator) -> np.ndarray:
    """A voiced sound whose pitch falls from about 140 to 110 Hz, as at the end of a phrase."""
    count = int(seconds * SAMPLE_RATE)
    pitch = np.linspace(140, 110, count) * random.uniform(0.9, 1.15)
    phase = np.cumsum(pitch / SAMPLE_RATE)
    pulses = np.diff(np.floor(phase), prepend=0.0)
    sound = pulses + random.standard_normal(count) * 0.01
    for formant, bandwidth in zip(_VOWELS[name], _BANDWIDTHS_HZ, strict=True):
        sound = _resonate(sound, formant, bandwidth)
    ramp = np.minimum(1, np.minimum(np.arange(count), np.arange(count)[::-1]) / 400)
    return sound / np.abs(sound).max() * ramp * 0.5


def _resonate(sound: np.ndarray, frequency: float, bandwidth: float) -> np.ndarray:
    """A two-pole resonator at `frequency`."""
    radius = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
    first = 2 * radius * np.cos(2 * np.pi * frequency / SAMPLE_RATE)
    second = -radius * radius
    result = np.zeros(len(sound) + 2)
    for i, value in enumerate(sound):
        result[i + 2] = (1 - first - second) * value + first * result[i + 1] + second * result[i]
    return result[2:]


def _clip(sound: np.ndarray, seconds: float) -> np.ndarray:
    return sound[: int(seconds * SAMPLE_RATE)].astype(np.float32)
