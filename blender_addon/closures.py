"""Shut lips at every frame rate: when a motion shuts them, and which frames of the scene show that.

A p, b or m may shut the lips in a single frame of a motion. At another frame rate that frame falls
between two of the scene's, and on the line between its neighbours the mouth stays ajar. So the
scene's frame nearest to it shows that very moment, by half a frame early or late at most: too
little to be seen, where an open p is seen at once. Pure numpy.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Moments = npt.NDArray[np.int64]

NONE: Moments = np.zeros(0, dtype=np.int64)
# Closed, or nearly: a closure counts below a fifth (docs/metrics.md), its near misses are kept too.
_NARROW_SHARE = 0.3
_WIDE_PERCENTILE = 95
_ROUNDING_FRAMES = 1e-6


def moments(displacements: Floats, lip_pairs: npt.NDArray[np.int32]) -> Moments:
    """The frames (N,) in which a motion (T, V, 3) with y up has its lips shut, or nearly so, closer
    than before and after; `lip_pairs` (P, 2) are vertices of the upper lip and of the lower."""
    if not len(lip_pairs):
        return NONE
    upper, lower = displacements[:, lip_pairs[:, 0], 1], displacements[:, lip_pairs[:, 1], 1]
    return narrowest((upper - lower).mean(axis=1))


def narrowest(aperture: Floats) -> Moments:
    """The indices of an aperture's (T,) local minima that are narrow for it."""
    narrow = aperture < _NARROW_SHARE * np.percentile(aperture, _WIDE_PERCENTILE)
    least = np.zeros(len(aperture), dtype=bool)
    least[1:-1] = (aperture[1:-1] < aperture[:-2]) & (aperture[1:-1] <= aperture[2:])
    return np.flatnonzero(narrow & least)


def shown(positions: npt.NDArray[Any], shut: Moments) -> npt.NDArray[np.float64]:
    """Rising fractional frames (N,) of a motion, one for each frame of the scene, of which the one
    nearest to each of the moments (M,), if it is within half a frame of the scene, becomes it."""
    kept = np.asarray(positions, dtype=np.float64).copy()
    if len(kept) < 2 or not len(shut):
        return kept
    after = np.searchsorted(kept, shut).clip(1, len(kept) - 1)
    nearest = after - (shut - kept[after - 1] <= kept[after] - shut)
    within = np.abs(kept[nearest] - shut) <= np.median(np.diff(kept)) / 2 + _ROUNDING_FRAMES
    kept[nearest[within]] = shut[within]
    return kept
