"""Where a face shows an emotion: what the emotion's pose moves most, and the mouth's corners.

The poses are the corpus' own (`training/corpus/emotions.py`) on the rig's shapes, so each region
comes with how far the rules move it, and a measured distance can be held against that.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..corpus.emotions import EMOTIONS
from ..masks import Ints, Region
from ..regions import MOUTH_CORNERS
from ..rig_file import Array, Rig

Floats = NDArray[np.float64]

# A region is what a pose moves at least this share of its farthest vertex' way.
SHARE = 0.5
# Lips this near to a corner's landmark are the corner.
CORNER_M = 0.008


class KeyRegions(NamedTuple):
    """An emotion's key region of the upper face, and how far its full pose moves that, mm.

    ``corners`` are the lips around the mouth's right and left corner, and ``corners_meant_mm`` is
    how far the pose moves the one that it moves more, in silence: words leave it about half. Both
    distances are NaN where the rig has none of the pose's shapes.
    """

    upper: Region
    upper_meant_mm: float
    corners: tuple[Region, Region]
    corners_meant_mm: float


def of(rig: Rig, emotion: str) -> KeyRegions:
    """An emotion's regions; all of the upper face where the rig has not the corpus' shapes."""
    corners = _corners(rig)
    face = EMOTIONS.get(emotion)
    upper, shape = _pose(rig, face.upper if face else {}, ("L", "R"))
    mouth, _ = _pose(rig, face.mouth if face else {}, ("L",) if face and face.one_sided
                     else ("L", "R"))  # fmt: skip
    region = _upper(rig, upper, shape)
    return KeyRegions(region, _mean(upper, region), corners,
                      max(_mean(mouth, corner) for corner in corners))  # fmt: skip


def moved_mm(motion: Array, neutral: Array, region: Region) -> float:
    """How far a region is moved for good: the length of the mean over frames, mean over vertices.

    What comes and goes with words or by chance has no part in a mean over a clip. Both motions
    are (T, V, 3) in metres.
    """
    apart = (motion[:, region.vertices] - neutral[:, region.vertices]).mean(axis=0)
    return 1e3 * float(np.linalg.norm(apart, axis=-1).mean())


def _mean(moved: Floats, region: Region) -> float:
    return float(moved[region.vertices].mean()) if moved.any() else float("nan")


def _upper(rig: Rig, moved: Floats, shape: str) -> Region:
    """The part of the upper face that moves (V,) most; all of it where nothing does."""
    mask = rig.masks["mask_upper_face"]
    top = float(moved[mask].max(initial=0.0))
    if top == 0.0:
        everywhere = np.flatnonzero(mask)
        return Region(f"mask_upper_face ({len(everywhere)} vertices)", everywhere)
    vertices: Ints = np.flatnonzero(mask & (moved >= SHARE * top))
    return Region(f"around {shape} ({len(vertices)} vertices)", vertices)


def _pose(rig: Rig, pose: Mapping[str, float], sides: Sequence[str]) -> tuple[Floats, str]:
    """How far a pose moves each vertex (V,), mm, and its shape that moves one of them farthest."""
    moved, strongest, farthest = np.zeros(rig.template.shape), "", 0.0
    for name, weight in pose.items():
        field = np.zeros_like(moved)
        for own in (name, *(f"{name}_{side}" for side in sides)):
            if own in rig.names:
                field += weight * rig.field(own)
        reach = float(np.linalg.norm(field, axis=1).max())
        if reach > farthest:
            strongest, farthest = name, reach
        moved += field
    return 1e3 * np.linalg.norm(moved, axis=1), strongest


def _corners(rig: Rig) -> tuple[Region, Region]:
    """Lips around the right and the left corner, a landmark or else the outermost vertex."""
    lips = np.flatnonzero(rig.masks["mask_lips"])
    across = rig.template[lips, 0]
    ends = (rig.landmarks[list(MOUTH_CORNERS)] if len(rig.landmarks)
            else lips[[across.argmin(), across.argmax()]])  # fmt: skip
    return _around(rig, lips, ends[0]), _around(rig, lips, ends[1])


def _around(rig: Rig, lips: Ints, corner: int) -> Region:
    away = np.linalg.norm(rig.template[lips] - rig.template[corner], axis=1)
    vertices = lips[away <= CORNER_M]
    return Region(f"mouth corner ({len(vertices)} vertices)", vertices)
