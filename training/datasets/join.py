"""Clips of one subject in different emotions, joined into one (ExpTalk, section 4.1).

The paper joins speech and vertices at random, its examples with transitions of one second, and
says no more. Here a transition is put between the clips, in silence, so that both stay in sync.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .dataset import Array, Clip
from .files import SAMPLE_RATE_HZ

TRANSITION_S = 1.0
_FADE_S = 0.010  # so that a cut inside a breath does not click


class Passage(NamedTuple):
    """Sound at 16 kHz and motion that belong together."""

    waveform: Array  # (N,)
    displacements: Array  # (T, V, 3)
    emotion: npt.NDArray[np.int64]  # (T,), the number of each frame's emotion


def choose(clips: Sequence[Clip], count: int, rng: np.random.Generator) -> list[Clip]:
    """`count` clips of one subject, neighbours of different emotion where the subject has several
    (VOCASET's have one: then different sentences)."""
    chosen = [clips[rng.integers(len(clips))]]
    own = [clip for clip in clips if clip.subject == chosen[0].subject]
    while len(chosen) < count:
        last = chosen[-1]
        others = [clip for clip in own if clip.emotion != last.emotion]
        others = others or [clip for clip in own if clip.id != last.id] or own
        chosen.append(others[rng.integers(len(others))])
    return chosen


def join(passages: Sequence[Passage], fps: float, transition_s: float = TRANSITION_S) -> Passage:
    """One after another with an eased transition between; frame k starts at sample
    round(16000 k / fps) of the result, whatever the clips' own lengths of sound."""
    gap = round(transition_s * fps)
    motion, feeling = [passages[0].displacements], [passages[0].emotion]
    sounds = [(0, passages[0])]
    for before, after in pairwise(passages):
        motion.append(_eased(before.displacements[-1], after.displacements[0], gap))
        half = np.arange(gap) < gap / 2
        feeling.append(np.where(half, before.emotion[-1], after.emotion[0]))
        sounds.append((sum(map(len, motion)), after))
        motion.append(after.displacements)
        feeling.append(after.emotion)
    frames = sum(map(len, motion))
    waveform = np.zeros(_sample(frames, fps), np.float32)
    for first, passage in sounds:
        _lay(waveform, passage, first, fps)
    return Passage(waveform, np.concatenate(motion), np.concatenate(feeling))


def _eased(start: Array, end: Array, frames: int) -> Array:
    """Frames strictly between two poses (V, 3), slow at both ends: 3 t^2 - 2 t^3."""
    t = np.arange(1, frames + 1, dtype=np.float32) / np.float32(frames + 1)
    share = (t * t * (3 - 2 * t))[:, None, None]
    eased: Array = start + share * (end - start)
    return eased


def _lay(waveform: Array, passage: Passage, first: int, fps: float) -> None:
    """Put a passage's sound where its frames are: cut at its motion's end, or silent to there."""
    start, stop = _sample(first, fps), _sample(first + len(passage.displacements), fps)
    sound = passage.waveform[: stop - start].copy()
    fade = min(round(_FADE_S * SAMPLE_RATE_HZ), len(sound) // 2)
    ramp = (np.arange(fade, dtype=np.float32) + 0.5) / max(fade, 1)
    sound[:fade] *= ramp
    sound[len(sound) - fade :] *= ramp[::-1]
    waveform[start : start + len(sound)] = sound


def _sample(frame: int, fps: float) -> int:
    """The sample at which a frame starts."""
    return round(frame * SAMPLE_RATE_HZ / fps)
