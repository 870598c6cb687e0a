"""Measures of face motion as the field codes them; arrays in metres, each result's unit named.

Motions are displacements from rest (T, V, 3). A predicted motion is compared with the truth over
the frames that both have.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Pairs = NDArray[np.int32]


def lip_vertex_error_m2(predicted: Array, truth: Array, lips: Mask) -> float:
    """LVE: mean over frames of the largest squared distance of a lip vertex, m^2 (CodeTalker)."""
    error = predicted[:, lips] - truth[:, lips]
    return float(np.square(error).sum(-1).max(-1).mean())


def lip_vertex_error_mm(predicted: Array, truth: Array, lips: Mask) -> float:
    """Mean over frames of the largest distance of a lip vertex, mm."""
    error = np.linalg.norm(predicted[:, lips] - truth[:, lips], axis=-1)
    return float(error.max(-1).mean() * 1e3)


def mean_vertex_error_mm(predicted: Array, truth: Array) -> float:
    """MVE: mean distance over frames and vertices, mm (FaceDiffuser)."""
    return float(np.linalg.norm(predicted - truth, axis=-1).mean() * 1e3)


def facial_dynamics_deviation_m2(predicted: Array, truth: Array, upper_face: Mask) -> float:
    """FDD, signed: mean over upper-face vertices of std_t(|d|^2), truth less predicted, m^2.

    As CodeTalker's cal_metric: positive when the prediction moves too little.
    """
    return _dynamics(truth[:, upper_face]) - _dynamics(predicted[:, upper_face])


def _dynamics(motion: Array) -> float:
    return float(np.square(motion).sum(-1).std(axis=0).mean())


def diversity_mm(samples: Sequence[Array], mask: Mask | None = None) -> float:
    """Mean distance between samples for one sound, over pairs, frames and vertices, mm."""
    chosen = [sample if mask is None else sample[:, mask] for sample in samples]
    return float(np.mean([mean_vertex_error_mm(a, b) for a, b in combinations(chosen, 2)]))


def aperture_m(motion: Array, pairs: Pairs) -> Array:
    """How much farther apart the lips are than at rest, vertically, per frame (T,), metres."""
    upper, lower = motion[:, pairs[:, 0], 1], motion[:, pairs[:, 1], 1]
    opening: Array = (upper - lower).mean(-1)
    return opening


def closure_rate(
    aperture: Array, spans_s: Sequence[tuple[float, float]], fps: float, closed_m: float
) -> float:
    """Share of the spans (start, end) with an aperture below ``closed_m``; NaN without spans.

    A span reaches one frame further on both sides: labels and frames are no finer than that.
    """
    hits = []
    for start_s, end_s in spans_s:
        first, last = int(np.floor(start_s * fps)) - 1, int(np.ceil(end_s * fps)) + 1
        stretch = aperture[max(0, first) : last + 1]
        hits.append(len(stretch) > 0 and float(stretch.min()) < closed_m)
    return float(np.mean(hits)) if hits else float("nan")


def jitter_mm_per_frame3(motion: Array) -> float:
    """Mean size of the third difference over frames and vertices, mm per frame cubed."""
    return float(np.linalg.norm(np.diff(motion, n=3, axis=0), axis=-1).mean() * 1e3)


def correlation(a: Array, b: Array) -> float:
    """Pearson's correlation of two tracks (T,); 0 when one of them never moves."""
    if a.std() < 1e-12 or b.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
