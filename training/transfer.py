"""Displacement fields carried from one registered surface to another."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from .registration import (
    Floats,
    Ints,
    LabelledLookup,
    Mask,
    Surface,
    edges_of,
    sample,
    vertex_normals,
)


def graph_laplacian(triangles: Ints, count: int) -> sparse.csr_matrix:
    """Edge Laplacian (V, V), each row scaled by its number of neighbours."""
    edges = edges_of(triangles)
    ones = np.ones(len(edges))
    adjacency = sparse.coo_matrix((ones, (edges[:, 0], edges[:, 1])), shape=(count, count))
    adjacency = (adjacency + adjacency.T).tocsr()
    degree = np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1.0)
    return (sparse.identity(count) - sparse.diags(1.0 / degree) @ adjacency).tocsr()


def extend(known: Mask, values: Floats, triangles: Ints, smoothness: float) -> Floats:
    """Values (V, D) that follow the known ones and run smoothly through the others.

    Least squares of the known values and `smoothness` times the squared Laplacian.
    """
    laplacian = graph_laplacian(triangles, len(values))
    matrix = sparse.diags(known + 1e-6) + smoothness * (laplacian.T @ laplacian)
    factor = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.asarray(factor.solve(np.where(known[:, None], values, 0.0)))


def carry(
    registered: Floats, source: Surface, target: Surface, fields: Floats, smoothness: float
) -> Floats:
    """Fields (K, Vt, 3) of the target as felt by the source (K, Vs, 3), in the target's frame.

    `registered` (Vs, 3) is the source laid onto the target; points without a trusted
    counterpart (inside mouth, nostrils, eye sockets) follow their neighbours.
    """
    lookup = LabelledLookup(sample(target, 4))
    normals = vertex_normals(registered, source.triangles)
    reach = 0.05 * float(np.ptp(target.landmarks @ target.vertices, axis=0).max())
    matches = lookup.closest(registered, normals, source.labels, reach)
    corners = lookup.samples.corners[matches.sample]
    mix = lookup.samples.barycentric[matches.sample]
    felt = np.einsum("nc,kncd->nkd", mix, fields[:, corners])
    smooth = extend(matches.trusted, felt.reshape(len(felt), -1), source.triangles, smoothness)
    return smooth.reshape(len(felt), len(fields), 3).transpose(1, 0, 2)
