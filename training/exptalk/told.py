"""Emotions that are told: in training, as at inference, a lane of prototypes in the voice's place.

What a voice tells of its emotion is faint and often wrong, and a network that has only heard voices
gives a told emotion as faintly back. From lines that are told what they act it learns what a lane
means, and how a face goes from one emotion to the next.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from backend import emotions
from backend.emotions import Palette
from backend.messages import EmotionSpan

from ..config import Recipe
from ..corpus.emotions import AMOUNTS, NEUTRAL, Span
from ..encoders import table
from . import lines, prototypes


def features(work: Path, recipe: Recipe, frames: Sequence[int]) -> list[Tensor]:
    """The emotion features (T, K) of each training line, ``frames`` long, as a lane tells them.

    Raises CorpusError, EncoderFileError.
    """
    colours = palette(work, recipe)
    rows = lines.of(work / "corpus", recipe)
    tracks = (lines.read_track(work / "corpus", line, recipe) for line in rows)
    # As fast as the joined faces go over: a slower fade is then a slower face.
    lanes = ([replace(span, fade_s=recipe.exptalk.join_s) for span in lane_of(track.spans)]
             for track in tracks)  # fmt: skip
    return [
        torch.from_numpy(painted(lane, count, colours, recipe.fps))
        for lane, count in zip(lanes, frames, strict=True)
    ]


def palette(work: Path, recipe: Recipe) -> Palette:
    """What the emotions sound like to WORK's encoder; raises CorpusError, EncoderFileError."""
    encoder = table.load_emotion(recipe, work)
    return Palette(*prototypes.of(work / "corpus", recipe, encoder))


def painted(
    lane: Sequence[EmotionSpan], frames: int, colours: Palette, fps: float
) -> emotions.Floats:
    """A lane as features (T, K), neutral where it tells nothing."""
    neutral = np.repeat(colours.features(NEUTRAL, 0.0)[None], frames, axis=0)
    return emotions.painted(neutral, lane, colours, fps)


def lane_of(spans: Sequence[Span]) -> tuple[EmotionSpan, ...]:
    """What a clip acts as a lane: its first emotion from its start, its last to its end."""
    last = len(spans) - 1
    return tuple(
        EmotionSpan(span.emotion, AMOUNTS[span.intensity],
                    span.start_s if number else None, span.end_s if number < last else None)
        for number, span in enumerate(spans)
    )  # fmt: skip
