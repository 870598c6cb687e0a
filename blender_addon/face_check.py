"""Does this mesh fit that pack? A similarity fit in vertex order, and what it says of the mesh.

Pure numpy; positions are (V, 3). A pack's axes are x right, y up, z forward, in metres; a mesh may
have any scale and orientation and may be mirrored, which the fit finds.
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
# A mirror image must fit this many times better before the mesh counts as one: a shuffled mesh
# fits both ways alike.
_MIRROR_GAIN = 2.0
# An edge of the mesh laid onto the reference may be this many times longer or shorter ...
_EDGE_RATIO = 6.0
# ... and this share of the edges may be beyond that, before the order counts as changed.
_ODD_EDGES = 0.02
# Heads differ in size by less than this factor, units by far more.
_SAME_UNIT = 1.6
_UNITS = {1.0: "metres", 100.0: "centimetres", 1000.0: "millimetres", 39.37: "inches"}


class Fit(NamedTuple):
    """mesh = linear @ reference + offset; residual is RMS distance over the mesh's RMS radius."""

    linear: Array
    offset: Array
    residual: float

    @property
    def scale(self) -> float:
        """Mesh units in a metre of the reference."""
        return float(np.cbrt(abs(np.linalg.det(self.linear))))

    @property
    def mirrored(self) -> bool:
        """Whether the mesh is a mirror image of the reference."""
        return bool(np.linalg.det(self.linear) < 0)

    @property
    def unit(self) -> str:
        """The mesh's unit in words, such as 'millimetres' or 'scale 2.6'."""
        near = min(_UNITS, key=lambda unit: abs(np.log(unit / self.scale)))
        known = max(near / self.scale, self.scale / near) < _SAME_UNIT
        return _UNITS[near] if known else f"scale {self.scale:.3g}"

    @property
    def up(self) -> str:
        """The mesh's axis that is nearest to up, such as 'Z' or '-Y'."""
        return _nearest_axis(self.linear[:, 1])


def similarity(reference: Positions | Array, rest: Positions | Array) -> Fit:
    """Least-squares scale, rotation (or, for a mirrored mesh, reflection) and offset from
    reference (V, 3) to rest (V, 3).

    Umeyama 1991, eq. 40-42; raises FaceError when either has no size."""
    source, target = (np.asarray(points, dtype=np.float64) for points in (reference, rest))
    if not np.isfinite(target).all():
        raise FaceError("face_not_finite", "The mesh has a vertex whose place is not a number.",
                        "Repair the mesh.")
    source_centre, target_centre = source.mean(axis=0), target.mean(axis=0)
    source, target = source - source_centre, target - target_centre
    if not min(np.square(source).sum(), np.square(target).sum()) > 1e-18:
        raise FaceError("face_flat", "The mesh has no size: all its vertices lie in one place.",
                        "Choose a face mesh.")
    turned, turned_residual = _orthogonal(source, target, 1.0)
    mirrored, mirrored_residual = _orthogonal(source, target, -1.0)
    if mirrored_residual * _MIRROR_GAIN < turned_residual:
        turned, turned_residual = mirrored, mirrored_residual
    return Fit(turned, target_centre - turned @ source_centre, turned_residual)


def _orthogonal(source: Array, target: Array, handedness: float) -> tuple[Array, float]:
    """The best scaled rotation (handedness 1) or reflection (-1) of centred points, its residual"""
    left, strength, right = np.linalg.svd(target.T @ source)
    sign = np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0
    flip = np.array([1.0, 1.0, sign * handedness])
    linear = (left * flip) @ right * ((strength * flip).sum() / np.square(source).sum())
    missing = target - source @ linear.T
    return linear, float(np.sqrt(np.square(missing).sum() / np.square(target).sum()))


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
    """The fit of a mesh whose vertices are in the pack's order; raises Reordered when they are
    not, or when the shape is another one."""
    fit = similarity(reference, rest)
    odd = odd_edge_share(reference, rest, edges, fit.scale)
    if fit.residual > _LOOSE_FIT or odd > _ODD_EDGES:
        raise Reordered(
            "face_reordered",
            f"The vertices of '{mesh_name}' are not in the order of '{pack_name}' "
            f"(fit error {fit.residual:.0%}, {odd:.0%} of the edges out of place).",
            "Press Match Vertices below the face, or use the mesh as first imported.")
    return fit


def _nearest_axis(direction: Array) -> str:
    axis = int(np.abs(direction).argmax())
    return ("-" if direction[axis] < 0 else "") + "XYZ"[axis]


class FaceError(errors.SoliloquyError):
    """A mesh that the chosen pack cannot animate."""


class Reordered(FaceError):  # noqa: N818  a state of the mesh that can be mended
    """A mesh with the pack's number of vertices in another order."""
