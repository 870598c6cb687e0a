"""Catmull-Clark subdivision of all-quad meshes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .mesh import Array

Indices = NDArray[np.int64]


class Subdivided(NamedTuple):
    """Values (V', C) and quads (4F, 4) after one step; `edge_point` finds the vertex of an edge."""

    values: Array
    quads: Indices
    edge_point: dict[tuple[int, int], int]


def _edges(quads: Indices) -> tuple[Indices, Indices, Indices]:
    """Unique edges (E, 2), the edge of every quad side (F, 4) and each edge's face count (E,)."""
    sides = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1)
    flat = np.sort(sides.reshape(-1, 2), axis=1)
    edges, inverse, count = np.unique(flat, axis=0, return_inverse=True, return_counts=True)
    return edges, inverse.reshape(quads.shape), count


def _vertex_points(values: Array, quads: Indices, edges: Indices, on_rim: NDArray[np.bool_],
                   face_points: Array) -> Array:
    """New positions of the old vertices: interior rule, and the cubic B-spline rule on rims."""
    total = len(values)
    middles = values[edges].mean(axis=1)
    face_sum, middle_sum, rim_sum = (np.zeros_like(values) for _ in range(3))
    np.add.at(face_sum, quads, face_points[:, None])
    np.add.at(middle_sum, edges, middles[:, None])
    np.add.at(rim_sum, edges[on_rim], middles[on_rim][:, None])
    valence = np.bincount(edges.ravel(), minlength=total)[:, None]
    faces = np.bincount(quads.ravel(), minlength=total)[:, None]
    inside = (face_sum / faces + 2 * middle_sum / valence + (valence - 3) * values) / valence
    rim = (rim_sum + 2 * values) / 4
    is_rim = np.bincount(edges[on_rim].ravel(), minlength=total)[:, None] > 0
    return np.where(is_rim, rim, inside)


def catmull_clark(values: Array, quads: Indices) -> Subdivided:
    """One step on values (V, C), any number of channels: old vertices, then edges, then faces.

    Catmull and Clark, "Recursively generated B-spline surfaces on arbitrary topological
    meshes", 1978.
    """
    edges, side_edge, count = _edges(quads)
    face_points = values[quads].mean(axis=1)
    beside = np.zeros((len(edges), values.shape[1]))
    np.add.at(beside, side_edge, face_points[:, None])
    middles = values[edges].mean(axis=1)
    on_rim = count == 1
    edge_points = np.where(on_rim[:, None], middles, (2 * middles + beside) / 4)
    corners = _vertex_points(values, quads, edges, on_rim, face_points)
    first_edge, first_face = len(values), len(values) + len(edges)
    side = first_edge + side_edge
    centre = first_face + np.arange(len(quads))
    fine = np.stack(
        [np.stack([quads[:, n], side[:, n], centre, side[:, n - 1]], axis=1) for n in range(4)],
        axis=1,
    )
    found = {(int(a), int(b)): first_edge + n for n, (a, b) in enumerate(edges)}
    return Subdivided(np.concatenate([corners, edge_points, face_points]), fine.reshape(-1, 4),
                      found)


def refine_loop(loop: list[int], edge_point: dict[tuple[int, int], int]) -> list[int]:
    """The same closed loop of vertices after a step: twice as many."""
    fine = []
    for a, b in zip(loop, loop[1:] + loop[:1], strict=True):
        fine += [a, edge_point[min(a, b), max(a, b)]]
    return fine
