"""The 51 iBUG landmarks as vertices of the skin: order of iBUG-68 from its 18th point on.

Brows, eyes and lips begin on the -x side, which is the face's own right.
"""

import numpy as np
from numpy.typing import NDArray

from .brows import brow_line
from .mesh import Array
from .openings import MOUTH
from .skin import Skin

_BROW_S = np.array([0.97, 0.76, 0.52, 0.27, 0.03])
_BRIDGE_MM = np.array([[0, 20, 50], [0, 9, 58], [0, -1, 66], [0, -11, 74.0]])
_BASE_MM = np.array([[12.5, -21, 52], [6.5, -22.5, 57], [0, -23.5, 60.0]])
_OUTER_X_MM = (-24, -15.5, -5.6, 0, 5.6, 15.5, 24)
_INNER_X_MM = (-24, -6.2, 0, 6.2, 24)


def _nearest(vertices: Array, places: Array) -> list[int]:
    gaps = np.linalg.norm(vertices[None] - places[:, None], axis=2)
    return [int(n) for n in gaps.argmin(axis=1)]


def _pick(skin: Skin, loop: list[int], x_mm: tuple[float, ...]) -> list[int]:
    """The vertices of part of a loop nearest to places in x."""
    x = skin.vertices_mm[loop, 0]
    return [loop[int(np.abs(x - place).argmin())] for place in x_mm]


def _halves(loop: list[int]) -> tuple[list[int], list[int]]:
    """Upper and lower half of a loop round an opening, corners in both, from corner to corner."""
    corner, half = len(loop) // 2 - 2, len(loop) // 2
    turned = loop[corner:] + loop[:corner]
    return turned[: half + 1], [*turned[half:], turned[0]]


def _lips(skin: Skin, ring: int, x_mm: tuple[float, ...]) -> list[int]:
    upper, lower = _halves(skin.rings[MOUTH.key][ring])
    return _pick(skin, upper, x_mm) + _pick(skin, lower, x_mm[-2:0:-1])


def _eye(skin: Skin, side: int) -> list[int]:
    """Six points from the corner on the -x side over the upper lid and back under the eye."""
    upper, lower = _halves(skin.rings["eye", side][4])
    x = skin.vertices_mm[upper, 0]
    low, high = x.min(), x.max()
    third = (high - low) / 3
    inside = (low + third, high - third)
    over = _pick(skin, upper, (low, *inside, high))
    return over + _pick(skin, lower, inside[::-1])


def find(skin: Skin) -> NDArray[np.int32]:
    """Vertex indices (51,)."""
    outer_ward = brow_line(_BROW_S)
    flip = np.array([-1.0, 1.0, 1.0])
    brows = np.concatenate([outer_ward * flip, outer_ward[::-1]])
    base = np.concatenate([_BASE_MM * flip, _BASE_MM[-2::-1]])
    found = _nearest(skin.vertices_mm, np.concatenate([brows, _BRIDGE_MM, base]))
    found += _eye(skin, -1) + _eye(skin, 1)
    found += _lips(skin, 2, _OUTER_X_MM) + _lips(skin, 5, _INNER_X_MM)
    return np.array(found, dtype=np.int32)
