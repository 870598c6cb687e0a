"""What emotion a voice is heard to have, as a lane that an artist can look at and paint over."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .emotions import Palette
from .messages import EmotionSpan

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

# What is heard for less is not told apart from what is heard around it.
LEAST_HEARD_S = 1.0


class _Run(NamedTuple):
    """Frames [start, stop) in which one emotion, by its number, is heard."""

    emotion: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """How many."""
        return self.stop - self.start


def heard(felt: Floats, colours: Palette, fps: float) -> tuple[EmotionSpan, ...]:
    """What a voice's features (T, K) sound like, as a lane without gaps: the emotion that is
    nearest to most frames around, at its mean intensity, and each for LEAST_HEARD_S or more."""
    emotion, amount = colours.nearest(felt)
    emotion[amount == 0] = colours.calm
    least = round(LEAST_HEARD_S * fps)
    return tuple(_told(run, emotion, amount, colours, fps)
                 for run in _settled(_runs(_most_around(emotion, least // 2)), least))


def _told(run: _Run, emotion: Numbers, amount: Floats, colours: Palette,
          fps: float) -> EmotionSpan:
    """A run as a span, as intense as its emotion is where it is nearest."""
    part = slice(run.start, run.stop)
    strong = amount[part][emotion[part] == run.emotion]
    still = run.emotion == colours.calm and colours.is_still(run.emotion)
    intensity = 1.0 if still else round(float(strong.mean()), 2)
    return EmotionSpan(colours.names[run.emotion], intensity, run.start / fps, run.stop / fps)


def _most_around(labels: Numbers, reach: int) -> Numbers:
    """The label that most frames within `reach` of each frame (T,) have."""
    counts = np.cumsum(np.eye(labels.max() + 1)[labels], axis=0)
    frames = np.arange(len(labels))
    upto = counts[np.minimum(frames + reach, len(labels) - 1)]
    before = np.concatenate([np.zeros((reach + 1, counts.shape[1])), counts])[frames]
    return np.asarray((upto - before).argmax(axis=1))


def _runs(labels: Numbers) -> list[_Run]:
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return [_Run(int(labels[start]), start, stop) for start, stop in pairwise(edges)]


def _settled(runs: list[_Run], least: int) -> list[_Run]:
    """Runs of which the shortest joins its longer neighbour until all last `least` frames; no two
    neighbours are alike."""
    while len(runs) > 1:
        short = min(range(len(runs)), key=lambda number: runs[number].frames)
        if runs[short].frames >= least:
            break
        near = max((number for number in (short - 1, short + 1) if 0 <= number < len(runs)),
                   key=lambda number: runs[number].frames)
        runs[short] = runs[short]._replace(emotion=runs[near].emotion)
        runs = _joined(runs)
    return runs


def _joined(runs: list[_Run]) -> list[_Run]:
    """Runs with neighbours of one emotion made one."""
    joined = runs[:1]
    for run in runs[1:]:
        if run.emotion == joined[-1].emotion:
            joined[-1] = joined[-1]._replace(stop=run.stop)
        else:
            joined.append(run)
    return joined
