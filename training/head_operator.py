"""The linear map from FLAME motion to the Soliloquy head's, built from a registration."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from . import regions
from .registration import (
    Floats,
    Ints,
    LabelledLookup,
    Mask,
    Surface,
    edges_of,
    opposite,
    sample,
    vertex_normals,
)
from .transfer import extend, graph_laplacian

SOURCES = 8
# A registration's local stretch beyond these multiples of its overall scale is noise.
STRETCH_LIMITS = (0.6, 1.7)


class Skin(NamedTuple):
    """Rows of the operator: displacement = matrix @ (weight @ FLAME displacements)."""

    weight: sparse.csr_matrix  # (V, Vf)
    matrix: Floats  # (V, 3, 3)


def local_matrices(rest: Floats, registered: Floats, triangles: Ints) -> Floats:
    """Linear part (V, 3, 3) of the map rest -> registered around each vertex, least squares.

    The normal stands in as one more edge, stretched as much as the edges on average.
    """
    edges = edges_of(triangles)
    both = np.concatenate([edges, edges[:, ::-1]])
    before = rest[both[:, 1]] - rest[both[:, 0]]
    after = registered[both[:, 1]] - registered[both[:, 0]]
    covariance, outer = np.zeros((2, len(rest), 3, 3))
    np.add.at(outer, both[:, 0], after[:, :, None] * before[:, None, :])
    np.add.at(covariance, both[:, 0], before[:, :, None] * before[:, None, :])
    squared = np.trace(covariance, axis1=1, axis2=2)
    after_squared = np.zeros(len(rest))
    np.add.at(after_squared, both[:, 0], (after**2).sum(axis=1))
    stretch = np.sqrt(after_squared / np.maximum(squared, 1e-20))
    normal, turned = vertex_normals(rest, triangles), vertex_normals(registered, triangles)
    outer += (squared * stretch)[:, None, None] * turned[:, :, None] * normal[:, None, :]
    covariance += squared[:, None, None] * normal[:, :, None] * normal[:, None, :]
    covariance += 1e-3 * (squared + 1e-20)[:, None, None] * np.eye(3)
    matrices: Floats = np.linalg.solve(covariance, outer.transpose(0, 2, 1)).transpose(0, 2, 1)
    return matrices


def tame(matrices: Floats, scale: float) -> Floats:
    """Matrices (V, 3, 3) with their stretches clipped to the limits around `scale`."""
    left, stretch, right = np.linalg.svd(matrices)
    low, high = STRETCH_LIMITS
    stretch = np.clip(stretch, low * scale, high * scale)
    tamed: Floats = left * stretch[:, None, :] @ right
    return tamed


def smooth_matrices(matrices: Floats, triangles: Ints, scale: float) -> Floats:
    """Tamed matrices varying only over several edges, so that motion is not made bumpy."""
    flat = tame(matrices, scale).reshape(len(matrices), 9)
    everywhere = np.ones(len(flat), dtype=bool)
    return extend(everywhere, flat, triangles, 100.0).reshape(-1, 3, 3)


def one_matrix_near(matrices: Floats, distance: Floats, near: float, far: float) -> Floats:
    """Matrices (V, 3, 3) replaced by their mean within `near`, blended out at `far`.

    Lips that touch in FLAME touch on the head only if both are mapped by the same matrix.
    """
    share = regions.smoothstep(distance, far, near)[:, None, None]
    mean = matrices[distance < near].mean(axis=0)
    blended: Floats = share * mean + (1.0 - share) * matrices
    return blended


def interpolation(surface: Surface, driver: Surface) -> sparse.csr_matrix:
    """Weights (V, Vf) of the driver's vertices for each surface vertex, smooth, rows sum to 1.

    Vertices without a trusted match take that of the nearest vertex along the skin.
    """
    lookup = LabelledLookup(sample(driver, 8))
    normals = vertex_normals(surface.vertices, surface.triangles)
    reach = 0.1 * float(np.ptp(surface.landmarks @ surface.vertices, axis=0).max())
    matches = lookup.closest(surface.vertices, normals, surface.labels, reach)
    graph = regions.edge_graph(surface.vertices, surface.triangles)
    rows = matches.sample[nearest_of(graph, matches.trusted)[1]]
    count = len(surface.vertices)
    weight = sparse.csr_matrix(
        (
            lookup.samples.barycentric[rows].ravel(),
            (np.repeat(np.arange(count), 3), lookup.samples.corners[rows].ravel()),
        ),
        shape=(count, len(driver.vertices)),
    )
    relax = sparse.identity(count) - 0.5 * graph_laplacian(surface.triangles, count)
    return keep_apart(relax @ relax @ weight, surface.labels, driver.labels)


def nearest_of(graph: sparse.csr_matrix, known: Mask) -> tuple[Floats, Ints]:
    """Distance (V,) along the skin to the nearest known vertex, and that vertex (V,)."""
    distance, _, origin = dijkstra(
        graph, indices=np.flatnonzero(known), min_only=True, return_predecessors=True
    )
    return distance, np.where(origin >= 0, origin, np.arange(len(known)))


def keep_apart(weight: sparse.csr_matrix, labels: Ints, driver_labels: Ints) -> sparse.csr_matrix:
    """The largest few weights of each row, none across an opening, rows summing to 1."""
    across = np.array([opposite(int(label)) for label in range(7)])
    entries = weight.tocoo()
    allowed = across[labels[entries.row]] != driver_labels[entries.col]
    rows = np.where(allowed, entries.data, 0.0)
    dense_order = np.lexsort((-rows, entries.row))
    row, col, value = entries.row[dense_order], entries.col[dense_order], rows[dense_order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    kept = rank < SOURCES
    chosen = sparse.csr_matrix((value[kept], (row[kept], col[kept])), shape=weight.shape)
    total = np.asarray(chosen.sum(axis=1)).ravel()
    return (sparse.diags(1.0 / total) @ chosen).tocsr()


def ride(points: Floats, on: Floats, skin: Skin) -> Skin:
    """Operator rows for points (N, 3) glued to the three nearest of the skin points on (V, 3)."""
    distance, near = cKDTree(on).query(points, k=3)
    share = 1.0 / np.maximum(distance, 1e-6)
    share /= share.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), 3)
    mix = sparse.csr_matrix((share.ravel(), (rows, near.ravel())), shape=(len(points), len(on)))
    mixed = mix @ skin.weight
    free = np.zeros(max(mixed.shape), dtype=np.int64)
    matrix = np.einsum("nk,nkij->nij", share, skin.matrix[near])
    return Skin(keep_apart(mixed, free[: len(points)], free[: mixed.shape[1]]), matrix)
