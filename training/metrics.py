"""Measures of face motion as the field codes them, each a Figure with its unit and mask.

Motions are displacements from rest (T, V, 3) in metres. Each function measures one clip and says
by how much it weighs when clips are pooled: errors by frames (CodeTalker pools all frames), rates
by events, FDD and the rest by clips.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .masks import Region

Array = NDArray[np.float32]
Pairs = NDArray[np.int32]
Spans = Sequence[tuple[float, float]]

ONSET_SHARE = 0.5  # of the opening's 95th percentile
ONSET_REACH_S = 0.2


@dataclass(frozen=True)
class Figure:
    """A measured value, its unit, the name of the mask it was measured on, and its weight.

    Clips are pooled as their mean by weight, or as their largest where that is what it measures.
    """

    name: str
    value: float
    unit: str
    mask: str
    weight: float = 1.0
    largest: bool = False


class Compared(NamedTuple):
    """A predicted motion and the truth (T, V, 3), over the frames that both have."""

    predicted: Array
    truth: Array


def compared(predicted: Array, truth: Array) -> Compared:
    """Both motions cut to the shorter one, as FaceDiffuser does."""
    frames = min(len(predicted), len(truth))
    return Compared(predicted[:frames], truth[:frames])


def lve(both: Compared, lips: Region) -> Figure:
    """LVE: mean over frames of the largest squared L2 of a lip vertex (CodeTalker)."""
    return _worst(both, lips, "LVE")


def lve_unsquared(both: Compared, lips: Region) -> Figure:
    """Mean over frames of the largest L2 of a lip vertex, mm, as MeshTalk's authors count it."""
    worst = np.sqrt(_squared(both, lips).max(-1))
    return Figure("LVE unsquared", 1e3 * float(worst.mean()), "mm", lips.name, len(worst))


def lip_error(both: Compared, lips: Region) -> list[Figure]:
    """L2 of lip vertices, mm: the mean of frames and vertices, and the largest of all in a clip."""
    error = 1e3 * np.sqrt(_squared(both, lips))
    return [
        Figure("lip error", float(error.mean()), "mm", lips.name, len(error)),
        Figure("lip error, largest", float(error.max()), "mm", lips.name, largest=True),
    ]


def eve(both: Compared, eyes: Region) -> Figure:
    """EVE: LVE's formula on eyes and forehead (EmoTalk)."""
    return _worst(both, eyes, "EVE")


def root(figure: Figure) -> Figure:
    """The root of a squared error, mm: of the pooled value, since a mean of roots differs."""
    value = 1e3 * float(np.sqrt(figure.value))
    return dataclasses.replace(figure, name=f"{figure.name} root", value=value, unit="mm")


def mve(both: Compared, where: Region) -> list[Figure]:
    """MVE three ways: mean L2 (FaceDiffuser), mean squared L2, mean over frames of the largest."""
    squared = _squared(both, where)
    frames = len(squared)
    return [
        Figure("MVE mean_l2", 1e3 * float(np.sqrt(squared).mean()), "mm", where.name, frames),
        Figure("MVE mean_l2_sq", float(squared.mean()), "m^2", where.name, frames),
        Figure("MVE max_l2_sq", float(squared.max(-1).mean()), "m^2", where.name, frames),
    ]


def fdd(both: Compared, upper: Region) -> list[Figure]:
    """FDD signed and absolute: mean over upper-face vertices of std_t(|d|^2), truth less predicted.

    As CodeTalker's cal_metric: positive when the prediction moves too little; pooled as the mean
    of the clips' values.
    """
    signed = _dynamics(both.truth, upper) - _dynamics(both.predicted, upper)
    return [
        Figure("FDD", signed, "m^2", upper.name),
        Figure("FDD abs", abs(signed), "m^2", upper.name),
    ]


def diversity(samples: Sequence[Array], where: Region) -> Figure:
    """Mean L2 between takes of one sound over pairs, frames and vertices, mm (FaceDiffuser's)."""
    chosen = [sample[:, where.vertices] for sample in samples]
    apart = [float(np.linalg.norm(a - b, axis=-1).mean()) for a, b in combinations(chosen, 2)]
    return Figure("diversity", 1e3 * float(np.mean(apart)), "mm", where.name)


def aperture_m(motion: Array, pairs: Pairs) -> Array:
    """How much farther apart the lips are than at rest, vertically, per frame (T,), metres."""
    upper, lower = motion[:, pairs[:, 0], 1], motion[:, pairs[:, 1], 1]
    opening: Array = (upper - lower).mean(-1)
    return opening


def closure(aperture: Array, spans_s: Spans, fps: float, closed_m: float) -> Figure:
    """Share of the spans (start, end) with an aperture below ``closed_m``; NaN without spans.

    A span reaches one frame further on both sides: labels and frames are no finer than that.
    """
    hits = []
    for start_s, end_s in spans_s:
        first, last = int(np.floor(start_s * fps)) - 1, int(np.ceil(end_s * fps)) + 1
        stretch = aperture[max(0, first) : last + 1]
        hits.append(len(stretch) > 0 and float(stretch.min()) < closed_m)
    rate = float(np.mean(hits)) if hits else float("nan")
    return Figure("closure", rate, "share of p b m", "lip_pairs", len(hits))


def onset_lag(predicted: Array, truth: Array, fps: float) -> Figure:
    """Mean lag of the mouth's openings, ms; positive: the prediction opens late.

    An opening is where an aperture (T,) rises through half of its own 95th percentile; each of the
    truth's is held against the prediction's nearest within 200 ms.
    """
    meant, given = _rises(truth), _rises(predicted)
    lags = [given[np.abs(given - at).argmin()] - at for at in meant] if len(given) else []
    near = [lag / fps for lag in lags if abs(lag) <= ONSET_REACH_S * fps]
    value = 1e3 * float(np.mean(near)) if near else float("nan")
    return Figure("onset lag", value, "ms", "lip_pairs", len(near))


def jitter(motion: Array, where: Region) -> Figure:
    """Mean size of the third difference over frames and vertices, mm per frame cubed."""
    third = np.diff(motion[:, where.vertices], n=3, axis=0)
    value = 1e3 * float(np.linalg.norm(third, axis=-1).mean()) if len(third) else float("nan")
    return Figure("jitter", value, "mm/frame^3", where.name, len(third))


def correlation(a: Array, b: Array) -> float:
    """Pearson's correlation of two tracks (T,); 0 when one of them never moves."""
    if a.std() < 1e-12 or b.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def pool(clips: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Each figure over all clips, in the first clip's order; NaN counts for nothing."""
    return [_pooled([_named(figures, first.name) for figures in clips]) for first in clips[0]]


def _named(figures: Sequence[Figure], name: str) -> Figure:
    return next(figure for figure in figures if figure.name == name)


def _pooled(figures: Sequence[Figure]) -> Figure:
    finite = [figure for figure in figures if np.isfinite(figure.value)]
    weight = sum(figure.weight for figure in finite)
    total = sum(figure.weight * figure.value for figure in finite)
    value = total / weight if weight else float("nan")
    if figures[0].largest:
        value = max((figure.value for figure in finite), default=value)
    return dataclasses.replace(figures[0], value=value, weight=weight)


def _squared(both: Compared, where: Region) -> Array:
    """Squared L2 per frame and vertex (T, R), m^2."""
    error = both.predicted[:, where.vertices] - both.truth[:, where.vertices]
    squared: Array = np.square(error).sum(-1)
    return squared


def _worst(both: Compared, where: Region, name: str) -> Figure:
    worst = _squared(both, where).max(-1)
    return Figure(name, float(worst.mean()), "m^2", where.name, len(worst))


def _dynamics(motion: Array, where: Region) -> float:
    return float(np.square(motion[:, where.vertices]).sum(-1).std(axis=0).mean())


def _rises(aperture: Array) -> NDArray[np.float64]:
    """Frames (fractional) at which an aperture rises through its level."""
    level = ONSET_SHARE * float(np.percentile(aperture, 95))
    below = np.flatnonzero((aperture[:-1] < level) & (aperture[1:] >= level))
    share = (level - aperture[below]) / (aperture[below + 1] - aperture[below])
    rises: NDArray[np.float64] = below + share
    return rises
