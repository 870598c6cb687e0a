"""Eight emotions in three intensities: what each does to the face, to its lips and to the voice.

Poses follow the action units that Ekman and Friesen's manual names for each emotion; amounts,
timing and prosody are ours. A pose comes and goes with the words it belongs to, weakens around
the mouth while the mouth is busy, and never holds lips apart that a consonant closes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from backend.errors import SoliloquyError
from training.corpus.articulation import Array, bump, smooth_noise
from training.corpus.styles import Style
from training.corpus.voice_quality import PLAIN, Quality

NEUTRAL = "neutral"
# Of the full pose and prosody, by intensity 0 (neutral) to 3.
AMOUNTS = (0.0, 0.4, 0.7, 1.0)
# How much of the mouth's part of a pose is left while speaking.
_WHILE_SPEAKING = 0.55


class UnknownEmotionError(SoliloquyError):
    """A recipe names an emotion that does not exist."""


@dataclass(frozen=True)
class Emotion:
    """One emotion at full intensity; shapes without _L or _R move both sides."""

    name: str
    upper: Mapping[str, float] = field(default_factory=dict)  # brows, lids, cheeks
    mouth: Mapping[str, float] = field(default_factory=dict)  # what moves the lips, nose included
    opening_mm: float = 0.0  # lips further apart in pauses, and half of that in speech
    one_sided: bool = False  # the mouth's part is the stronger side's alone
    tempo: float = 1.0  # speech rate, relative
    pitch_semitones: float = 0.0
    pitch_range: float = 1.0
    loudness: float = 1.0  # of the peak
    voice: Quality = PLAIN


EMOTIONS = {
    emotion.name: emotion
    for emotion in (
        Emotion(NEUTRAL),
        Emotion(
            "happy",
            {"cheekSquint": 0.60, "eyeSquint": 0.25, "browOuterUp": 0.12},
            {"mouthSmile": 0.70, "mouthDimple": 0.15},
            opening_mm=1.0, tempo=1.08, pitch_semitones=2.5, pitch_range=1.5,
            voice=Quality(tilt_db=2.0),
        ),
        Emotion(
            "sad",
            {"browInnerUp": 0.80, "browDown": 0.15, "eyeBlink": 0.16, "eyeLookDown": 0.20},
            {"mouthFrown": 0.70, "mouthShrugLower": 0.25},
            tempo=0.82, pitch_semitones=-1.5, pitch_range=0.6, loudness=0.65,
            voice=Quality(tilt_db=-4.0, breath=0.2),
        ),
        Emotion(
            "surprised",
            {"browInnerUp": 0.85, "browOuterUp": 0.85, "eyeWide": 0.80},
            {"mouthFunnel": 0.08},
            opening_mm=5.0, tempo=1.05, pitch_semitones=4.0, pitch_range=1.7,
            voice=Quality(tilt_db=-1.0, breath=0.5),
        ),
        Emotion(
            "fear",
            {"browInnerUp": 0.85, "browOuterUp": 0.25, "browDown": 0.40, "eyeWide": 0.70},
            {"mouthStretch": 0.60, "mouthFrown": 0.15},
            opening_mm=2.0, tempo=1.15, pitch_semitones=3.5, pitch_range=0.8, loudness=0.8,
            voice=Quality(breath=0.15, tremor=1.0),
        ),
        Emotion(
            "disgusted",
            {"browDown": 0.50, "cheekSquint": 0.35, "eyeSquint": 0.40},
            {"noseSneer": 0.75, "mouthUpperUp": 0.25, "mouthFrown": 0.30, "mouthShrugLower": 0.25},
            opening_mm=0.6, tempo=0.90, pitch_semitones=-1.0, pitch_range=0.9,
            voice=Quality(rough=0.85, rough_hz=32.0),
        ),
        Emotion(
            "angry",
            {"browDown": 0.95, "eyeSquint": 0.35, "eyeWide": 0.20},
            {"noseSneer": 0.30, "mouthPress": 0.25, "mouthFrown": 0.20, "mouthStretch": 0.20},
            tempo=1.06, pitch_semitones=1.0, pitch_range=1.4, loudness=1.25,
            voice=Quality(tilt_db=4.0, rough=0.5),
        ),
        Emotion(
            "contempt",
            {"eyeSquint": 0.20, "browOuterUp_L": 0.25, "browDown_R": 0.15, "eyeLookDown": 0.08},
            {"mouthSmile": 0.50, "mouthDimple": 0.50},
            one_sided=True, tempo=0.93, pitch_semitones=-1.0, pitch_range=0.8,
            voice=Quality(nasal_db=14.0),
        ),
    )
}  # fmt: skip
ONE_PIECE = frozenset({"mouthFunnel", "mouthPucker", "mouthShrugLower", "jawOpen"})


class Span(NamedTuple):
    """An emotion that rules a stretch of a clip."""

    emotion: str
    intensity: int  # 0 to 3
    start_s: float
    end_s: float


class Mood(NamedTuple):
    """What emotions add over time: shape weights (N,) by name, and lips apart in mm (N,)."""

    upper: Mapping[str, Array]
    mouth: Mapping[str, Array]
    opening_mm: Array


def find(name: str) -> Emotion:
    """The emotion of that name; raises UnknownEmotionError."""
    if name not in EMOTIONS:
        raise UnknownEmotionError(
            "unknown_emotion", f"no emotion {name!r}", f"choose of {', '.join(EMOTIONS)}"
        )
    return EMOTIONS[name]


def mood(
    spans: Sequence[Span], times_s: Array, activity: Array, style: Style, rng: np.random.Generator
) -> Mood:
    """The spans' poses at times (N,), each with its own onset, wandering and decay.

    Activity (N,) is 1 while speaking: there the mouth's part of a pose yields to the words.
    """
    upper: dict[str, Array] = {}
    mouth: dict[str, Array] = {}
    opening_mm = np.zeros_like(times_s)
    yields = 1.0 - (1.0 - _WHILE_SPEAKING) * activity
    for span in spans:
        emotion, level = find(span.emotion), _level(span, times_s, rng)
        strong = "L" if style.asymmetry >= 0 else "R"
        _add(upper, emotion.upper, level, ("L", "R"))
        _add(mouth, emotion.mouth, level * yields, (strong,) if emotion.one_sided else ("L", "R"))
        opening_mm = opening_mm + emotion.opening_mm * level * (1.0 - 0.5 * activity)
    return Mood(upper, mouth, opening_mm)


def _level(span: Span, times_s: Array, rng: np.random.Generator) -> Array:
    """How strongly a span's emotion shows (N,), 0 to about 1."""
    # Drawn for neutral spans, too: a clip's other chances must not hang on its emotion.
    onset_s, decay_s = float(rng.uniform(0.25, 0.7)), float(rng.uniform(0.5, 1.2))
    early_s = float(rng.uniform(-0.1, 0.35))
    wander = 0.92 + 0.08 * smooth_noise(times_s, rng)
    # A clip's first emotion is there before the clip begins, its last outlasts it.
    start_s = span.start_s - early_s if span.start_s > 0 else span.start_s - 9.0
    end_s = span.end_s if span.end_s < times_s[-1] - 0.2 else span.end_s + 9.0
    level = AMOUNTS[span.intensity] * bump(times_s, start_s + onset_s, end_s, onset_s, decay_s)
    return np.clip(level * wander, 0.0, 1.0)


def _add(
    shapes: dict[str, Array], pose: Mapping[str, float], level: Array, sides: Sequence[str]
) -> None:
    for name, weight in pose.items():
        whole = name in ONE_PIECE or name.endswith(("_L", "_R"))
        for own in [name] if whole else [f"{name}_{side}" for side in sides]:
            shapes[own] = shapes.get(own, np.zeros_like(level)) + weight * level
