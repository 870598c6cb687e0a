"""What emotion a voice is heard to have, as a lane that an artist can look at and paint over."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .emotions import Palette
from .messages import EmotionSpan

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

# What is heard for less is not told apart from what is heard around it.
LEAST_HEARD_S = 1.0


def heard(felt: Floats, colours: Palette, fps: float) -> tuple[EmotionSpan, ...]:
    """What a voice's features (T, K) sound like, as a lane without gaps: the emotion that is
    nearest to most frames around, at its mean intensity, and each for LEAST_HEARD_S or more."""
    emotion, amount = colours.nearest(felt)
    emotion[amount == 0] = colours.calm
    least = round(LEAST_HEARD_S * fps)
    return tuple(_told(slice(start, stop), emotion, amount, colours, fps)
                 for start, stop in _settled(_most_around(emotion, least // 2), least))


def _told(part: slice, emotion: Numbers, amount: Floats, colours: Palette,
          fps: float) -> EmotionSpan:
    """A part of a sound as a span of the emotion that most of its frames have."""
    number = int(np.bincount(emotion[part]).argmax())
    strong = amount[part][emotion[part] == number]
    still = number == colours.calm and colours.is_still(number)
    intensity = 1.0 if still else round(float(strong.mean()), 2)
    return EmotionSpan(colours.names[number], intensity, part.start / fps, part.stop / fps)


def _most_around(labels: Numbers, reach: int) -> Numbers:
    """The label that most frames within `reach` of each frame (T,) have."""
    counts = np.cumsum(np.eye(labels.max() + 1)[labels], axis=0)
    frames = np.arange(len(labels))
    upto = counts[np.minimum(frames + reach, len(labels) - 1)]
    before = np.concatenate([np.zeros((reach + 1, counts.shape[1])), counts])[frames]
    return np.asarray((upto - before).argmax(axis=1))


def _settled(labels: Numbers, least: int) -> list[tuple[int, int]]:
    """Runs [start, stop) of one label each, of which the shortest joins its longer neighbour until
    all last `least` frames."""
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    while len(edges) > 2:
        lengths = np.diff(edges)
        short = int(lengths.argmin())
        if lengths[short] >= least:
            break
        ends = short == 0, short == len(lengths) - 1
        left = ends[1] or (not ends[0] and lengths[short - 1] > lengths[short + 1])
        del edges[short if left else short + 1]
    return list(pairwise(edges))
