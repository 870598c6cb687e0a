"""Does this mesh fit that pack? Vertex count, connectivity, and a similarity fit in vertex order.

Pure numpy; positions are (V, 3). A pack's axes are x right, y up, z forward, in metres; a mesh may
have any scale and orientation, which the fit finds.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._backend import errors

Array = npt.NDArray[np.float64]
Positions = npt.NDArray[np.float32]
Edges = npt.NDArray[np.int32]

# Residual of the fit over the spread of the mesh. The reference is a head of ours, so another
# head in the same vertex order is well below; a shuffled one is near 1.
_LOOSE_FIT = 0.5
# An edge of the mesh laid onto the reference may be this many times longer or shorter ...
_EDGE_RATIO = 6.0
# ... and this share of the edges may be beyond that, before the order counts as changed.
_ODD_EDGES = 0.02


class Fit(NamedTuple):
    """mesh = linear @ reference + offset; residual is RMS distance over the mesh's RMS radius."""

    linear: Array
    offset: Array
    residual: float


def similarity(reference: Positions, rest: Positions) -> Fit:
    """Least-squares scale, rotation and offset from reference (V, 3) to rest (V, 3).

    Umeyama 1991, eq. 40-42; raises FaceError when either has no size."""
    source, target = (np.asarray(points, dtype=np.float64) for points in (reference, rest))
    if not np.isfinite(target).all():
        raise FaceError("face_not_finite", "The mesh has a vertex whose place is not a number.",
                        "Repair the mesh.")
    source_centre, target_centre = source.mean(axis=0), target.mean(axis=0)
    source, target = source - source_centre, target - target_centre
    source_power, target_power = (float(np.square(points).sum()) for points in (source, target))
    if not min(source_power, target_power) > 1e-18:
        raise FaceError("face_flat", "The mesh has no size: all its vertices lie in one place.",
                        "Choose a face mesh.")
    left, strength, right = np.linalg.svd(target.T @ source)
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    linear = (left * flip) @ right * ((strength * flip).sum() / source_power)
    missing = target - source @ linear.T
    residual = float(np.sqrt(np.square(missing).sum() / target_power))
    return Fit(linear, target_centre - linear @ source_centre, residual)


def odd_edge_share(reference: Positions, rest: Positions,
                   edges: Edges, scale: float) -> float:
    """Share of the mesh's edges (E, 2) whose length on the reference is out of all proportion."""
    if not len(edges):
        return 0.0
    own, other = (np.linalg.norm(np.asarray(points)[edges[:, 0]] - points[edges[:, 1]], axis=1)
                  for points in (rest, reference))
    floor = 1e-3 * float(own.mean()) + 1e-12
    ratio = (other * scale + floor) / (own + floor)
    return float(np.mean((ratio > _EDGE_RATIO) | (ratio < 1 / _EDGE_RATIO)))


def fit_in_order(reference: Positions, rest: Positions,
                 edges: Edges, mesh_name: str, pack_name: str) -> Fit:
    """The fit of a mesh whose vertices are in the pack's order; raises FaceError when the vertices
    have been reordered or the shape is another one."""
    fit = similarity(reference, rest)
    scale = float(np.cbrt(abs(np.linalg.det(fit.linear))))
    odd = odd_edge_share(reference, rest, edges, scale)
    if fit.residual > _LOOSE_FIT or odd > _ODD_EDGES:
        raise FaceError(
            "face_reordered",
            f"The vertices of '{mesh_name}' are not in the order of '{pack_name}' "
            f"(fit error {fit.residual:.0%}, {odd:.0%} of the edges out of place).",
            "Use the mesh as first imported: sorting, joining or re-exporting reorders vertices.")
    return fit


class FaceError(errors.SoliloquyError):
    """A mesh that the chosen pack cannot animate."""
