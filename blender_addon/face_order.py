"""Vertices in another order: which is which, by position, and by connectivity where there is one
mesh to compare with that has the order asked for.

Pure numpy. Nothing is taken on trust: an order counts only when it gives the mesh the connectivity
that the pack's manifest states, or when every vertex lies on its counterpart.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import face_check, face_walk
from ._backend import pack

Places = npt.NDArray[np.float64]
Places32 = npt.NDArray[np.float32]
Polygons = list[tuple[int, ...]]

_SAMPLE = 500
_ROUGH_SAMPLE = 150
_ROUNDS = 25
_BLOCK = 1024
# Where polygons cannot tell: the farthest vertex may be this share of the mesh's size off.
_SAME_PLACE = 0.01


@dataclass(frozen=True)
class Reference:
    """A face in the pack's order: its places (V, 3), whose it is, and its polygons if known."""

    rest: Places32
    name: str
    polygons: Polygons | None = None


@dataclass(frozen=True)
class Order:
    """`order` (V,): the pack's vertex that each of the mesh's is; RMS distance to the reference in
    millimetres; whether the connectivity proves it."""

    order: npt.NDArray[np.int32]
    residual_mm: float
    proven: bool


def find(reference: Reference, rest: Places32, polygons: Polygons, face_hash: str,
         mesh_name: str) -> Order:
    """The order of a mesh with as many vertices as the reference; raises FaceError when neither
    positions nor connectivity tell it."""
    laid = _laid_onto(np.asarray(reference.rest, np.float64), np.asarray(rest, np.float64))
    nearest, distance = _nearest(np.asarray(rest, np.float64), laid)
    order = _one_to_one(nearest, distance, np.asarray(rest, np.float64), laid)
    if reference.polygons is not None and not has_connectivity(polygons, order, face_hash):
        order = _walked(reference.polygons, reference.rest, polygons, rest, order)
    in_order = np.empty_like(rest)
    in_order[order] = rest
    fit = face_check.similarity(reference.rest, in_order)
    proven = has_connectivity(polygons, order, face_hash)
    off = np.linalg.norm(reference.rest @ fit.linear.T + fit.offset - in_order, axis=1)
    if not proven and off.max() > _SAME_PLACE * np.ptp(in_order, axis=0).max():
        raise face_check.FaceError(
            "face_unmatched", f"The vertices of '{mesh_name}' could not be matched with "
            f"'{reference.name}': they are {off.max() / fit.scale * 1000:.0f} mm apart.",
            "Import the original mesh of this face beside it, unchanged, and try again.")
    rms_mm = float(np.sqrt(np.square(off).mean())) / fit.scale * 1000
    return Order(order.astype(np.int32), rms_mm, proven)


def has_connectivity(polygons: Polygons, order: npt.NDArray[np.generic] | None,
                     face_hash: str) -> bool:
    """Whether polygons, renumbered by `order` (V,), are those of the hash; a mirror modifier or an
    importer may have turned them all inside out."""
    if order is not None:
        numbers = order.tolist()
        polygons = [tuple(numbers[corner] for corner in polygon) for polygon in polygons]
    return (pack.face_hash(polygons) == face_hash
            or pack.face_hash([polygon[::-1] for polygon in polygons]) == face_hash)


def is_permutation(order: npt.NDArray[np.generic]) -> bool:
    """Whether every number from 0 to V - 1 occurs once: else the mesh was edited since."""
    return bool((np.sort(order) == np.arange(len(order))).all())


def _walked(wanted: Polygons, wanted_rest: Places32, polygons: Polygons, rest: Places32,
            fallback: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The order by connectivity, polygons taken as they are or inside out; the fallback where
    neither covers the mesh."""
    other = face_walk.Surface(wanted)
    for turned in (polygons, [polygon[::-1] for polygon in polygons]):
        pairs = face_walk.pairs_of(face_walk.Surface(turned), other, rest, wanted_rest)
        order = fallback.copy()
        order[list(pairs)] = list(pairs.values())
        if pairs and is_permutation(order):
            return order
    return fallback


def _laid_onto(reference: Places, rest: Places) -> Places:
    """The reference (V, 3), moved, turned and scaled to lie on the mesh (V, 3) as well as its
    shape allows: every turn by right angles is tried first, then refined by iterative closest
    points (Besl and McKay 1992)."""
    centre = rest.mean(axis=0)
    source = reference - reference.mean(axis=0)
    size = np.sqrt(np.square(rest - centre).sum() / np.square(source).sum())
    sample = np.random.Generator(np.random.PCG64(0)).permutation(len(rest))[:_SAMPLE]
    tries = [(source @ turn.T * size + centre) for turn in _right_angle_turns()]
    rough = [_apart(laid[sample[:_ROUGH_SAMPLE]], rest) for laid in tries]
    turned, mirrored = (_refined(tries[min(half, key=rough.__getitem__)], rest, sample)
                        for half in (range(24), range(24, 48)))
    # A face is nearly its own mirror image: only a far better fit tells that it was mirrored.
    return mirrored if 2 * _apart(mirrored[sample], rest) < _apart(turned[sample], rest) else turned


def _apart(points: Places, others: Places) -> float:
    return float(_nearest(points, others)[1].mean())


def _refined(laid: Places, rest: Places, sample: npt.NDArray[np.intp]) -> Places:
    for _round in range(_ROUNDS):
        nearest, distance = _nearest(laid[sample], rest)
        if distance.max() < 1e-6 * np.ptp(rest):
            break
        near = distance <= np.quantile(distance, 0.8)
        fit = face_check.similarity(laid[sample][near], rest[nearest][near])
        if fit.mirrored:
            break
        laid = laid @ fit.linear.T + fit.offset
    return laid


def _right_angle_turns() -> list[Places]:
    """24 rotations by right angles, then their 24 mirror images."""
    signed = [np.eye(3)[list(axes)] * signs
              for axes in itertools.permutations(range(3))
              for signs in itertools.product((1.0, -1.0), repeat=3)]
    return sorted(signed, key=lambda turn: -np.linalg.det(turn))


def _nearest(points: Places, others: Places) -> tuple[npt.NDArray[np.intp], Places]:
    """For each of points (N, 3) the nearest of others (M, 3), and how far it is."""
    index = np.empty(len(points), dtype=np.intp)
    middle = others.mean(axis=0)
    centred, power = others - middle, np.square(others - middle).sum(axis=1)
    for start in range(0, len(points), _BLOCK):
        block = points[start:start + _BLOCK] - middle
        index[start:start + _BLOCK] = (power - 2 * (block @ centred.T)).argmin(axis=1)
    return index, np.linalg.norm(points - others[index], axis=1)


def _one_to_one(nearest: npt.NDArray[np.intp], distance: Places, rest: Places,
                laid: Places) -> npt.NDArray[np.intp]:
    """Each vertex of the mesh its own counterpart: the nearest pairs first, then what is left."""
    order = np.full(len(nearest), -1)
    closest = np.argsort(distance, kind="stable")
    _counterparts, first = np.unique(nearest[closest], return_index=True)
    order[closest[first]] = nearest[closest[first]]
    alone, free = np.flatnonzero(order < 0), np.setdiff1d(np.arange(len(laid)), order)
    while len(alone):
        found, gap = _nearest(rest[alone], laid[free])
        best = np.argsort(gap, kind="stable")
        _names, first = np.unique(found[best], return_index=True)
        order[alone[best[first]]] = free[found[best[first]]]
        alone, free = np.flatnonzero(order < 0), np.setdiff1d(free, order)
    return order
