"""How far apart the lips are, or how deep in each other, measured between their surfaces.

Pairs of vertices only tell how far the lips have moved; two rounded lips of another face touch
somewhere else than at their rims. Here both surfaces are sampled densely and compared upwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import regions
from .registration import Floats, Ints

CELL_M = 5e-4
# Corners always touch: only this share of the mouth, around its middle, counts.
MIDDLE = 2 / 3
# Vertices this near a lip's rim, in mouth widths, belong to its surface.
REACH = 0.15
COLUMNS = 15
_NOTHING = 1.0  # metres: a cell that only one lip covers


class Lip(NamedTuple):
    """Points spread over one lip: each a mix of three vertices."""

    corners: Ints  # (N, 3)
    mix: Floats  # (N, 3)

    def points(self, positions: Floats) -> Floats:
        """The points (N, 3) on a posed face (V, 3)."""
        return np.asarray(np.einsum("nk,nkd->nd", self.mix, positions[self.corners]))


class Lips(NamedTuple):
    """Both lips of a face and how far its mouth reaches."""

    upper: Lip
    lower: Lip
    columns: Floats  # (COLUMNS + 1,) edges along x, metres

    def gaps(self, positions: Floats) -> Floats:
        """Smallest gap in each column (COLUMNS,), metres; negative is how deep they overlap.

        Positions (V, 3). A column where the lips nowhere lie above one another is not counted: NaN.
        """
        lowest = _heights(self.upper.points(positions), self.columns, np.minimum)
        highest = _heights(self.lower.points(positions), self.columns, np.maximum)
        gap = np.where(np.isfinite(lowest) & np.isfinite(highest), lowest - highest, np.nan)
        seen = np.isfinite(gap).any(axis=1)
        smallest = np.full(len(gap), np.nan)
        smallest[seen] = np.nanmin(gap[seen], axis=1)
        return smallest


def lips_of(rest: Floats, triangles: Ints, landmarks: Ints, opening: int = 0) -> Lips:
    """The lips of a face at rest, or the lids of its right (opening 1) or left eye (2).

    Vertices (V, 3) in metres, triangles (F, 3), landmarks (51,) as vertices.
    """
    labels = regions.opening_labels(rest, triangles, landmarks)
    graph = regions.edge_graph(rest, triangles)
    rims = regions.rims(graph, landmarks, opening)
    rim = regions.SIDES[2 * opening]
    corners = (rim[0], rim[-1]) if opening else regions.MOUTH_CORNERS
    ends = rest[landmarks[list(corners)], 0]
    width = float(abs(ends[1] - ends[0]))
    near = regions.distance_from(graph, np.concatenate(rims)) < REACH * width
    upper, lower = (
        _lip(rest, triangles, near & (labels == 2 * opening + 1 + side)) for side in range(2)
    )
    half = 0.5 * MIDDLE * width
    return Lips(upper, lower, np.linspace(ends.mean() - half, ends.mean() + half, COLUMNS + 1))


def _lip(
    rest: Floats, triangles: Ints, own: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> Lip:
    """Points on the triangles whose corners are all the lip's, one a cell or more."""
    chosen = triangles[own[triangles].all(axis=1)]
    edge = np.linalg.norm(rest[chosen[:, 0]] - rest[chosen[:, 1]], axis=1)
    steps = int(np.clip(np.ceil(1.2 * np.percentile(edge, 90) / CELL_M), 2, 12))
    grid = [(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]
    mix = np.array(grid, float) / steps
    return Lip(np.repeat(chosen, len(mix), axis=0), np.tile(mix, (len(chosen), 1)))


def _heights(points: Floats, columns: Floats, pick: np.ufunc) -> Floats:
    """The lowest or highest point over each cell (COLUMNS, depth cells); infinite where none is."""
    column = np.searchsorted(columns, points[:, 0]) - 1
    depth = np.floor((points[:, 2] + _NOTHING) / CELL_M).astype(int)
    inside = (column >= 0) & (column < COLUMNS)
    empty = np.inf if pick is np.minimum else -np.inf
    cells = np.full((COLUMNS, int(2 * _NOTHING / CELL_M)), empty)
    pick.at(cells, (column[inside], depth[inside]), points[inside, 1])
    return cells
