"""Openings that close exactly: lips that meet on mouthClose, lids that meet on a blink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from . import regions
from .registration import Floats, Ints

UP = 1
# Lip vertices this near a rim, in mouth widths, may be where the lips touch.
LIP_REACH = 0.15
# Bins along the mouth per edge length: each gives one vertex to the line of contact.
BINS_AN_EDGE = 0.7


@dataclass(frozen=True)
class Rims:
    """The two edges of an opening as vertex paths ordered by x."""

    upper: Ints
    lower: Ints


def rims_of(vertices: Floats, triangles: Ints, landmarks: Ints, opening: int) -> Rims:
    """Rims of the mouth (opening 0), the right eye (1) or the left eye (2)."""
    graph = regions.edge_graph(vertices, triangles)
    paths = regions.rims(graph, landmarks, opening)
    upper, lower = (path[np.argsort(vertices[path, 0])] for path in paths)
    return Rims(upper, lower)


def lip_contact(vertices: Floats, triangles: Ints, landmarks: Ints) -> Rims:
    """The lines along which the lips touch, corner to corner: two rims of as many vertices.

    Where lips are rolled, landmarks and the paths through them lie beside that line. In each bin
    along the mouth it passes through the upper vertex that is nearest to the lower lip, and that
    lower one.
    """
    rims = rims_of(vertices, triangles, landmarks, 0)
    labels = regions.opening_labels(vertices, triangles, landmarks)
    graph = regions.edge_graph(vertices, triangles)
    x = vertices[rims.upper, 0]
    near = regions.distance_from(graph, np.r_[rims.upper, rims.lower]) < LIP_REACH * np.ptp(x)
    inside = near & (vertices[:, 0] > x[0]) & (vertices[:, 0] < x[-1])
    upper, lower = (
        np.flatnonzero(inside & (labels == side)) for side in (regions.UPPER_LIP, regions.LOWER_LIP)
    )
    distance, nearest = cKDTree(vertices[lower]).query(vertices[upper])
    edge = float(np.median(np.linalg.norm(np.diff(vertices[rims.upper], axis=0), axis=1)))
    edges = np.linspace(x[0], x[-1], max(int(BINS_AN_EDGE * (x[-1] - x[0]) / edge), 3) + 1)
    place = np.searchsorted(edges, vertices[upper, 0])
    bins = [np.flatnonzero(place == number) for number in np.unique(place)]
    best = [own[distance[own].argmin()] for own in bins]
    ends = rims.upper[[0, -1]]
    return Rims(np.r_[ends[0], upper[best], ends[1]], np.r_[ends[0], lower[nearest[best]], ends[1]])


def along(x: Floats, rim: Ints, rest: Floats, values: Floats) -> Floats:
    """Values (V, 3) of a rim's vertices read at positions x (N,), linear between them: (N, 3)."""
    at = rest[rim, 0]
    return np.stack([np.interp(x, at, values[rim, axis]) for axis in range(3)], axis=-1)


def meet(field: Floats, rest: Floats, mover: Ints, goal_minus_mover: Floats) -> Floats:
    """Field (V, 3) changed so that its mover rim travels `goal_minus_mover` (R, 3) further.

    The rest of the skin takes a part of the change as large as its part of the rim's own travel
    in the vertical, so that the shape keeps its fall-off.
    """
    x = rest[:, 0]
    spread = np.zeros_like(rest)
    spread[mover] = goal_minus_mover
    change = along(x, mover, rest, spread)
    travel = np.interp(x, rest[mover, 0], field[mover, UP])
    travel = np.sign(travel) * np.maximum(np.abs(travel), 1e-9)
    part = np.clip(field[:, UP] / travel, 0.0, 1.0)
    changed: Floats = field + part[:, None] * change
    return changed


def close_lips(mouth_close: Floats, jaw_open: Floats, rest: Floats, rims: Rims) -> Floats:
    """mouthClose (V, 3) such that with jawOpen the lips touch just as they do at rest."""
    both = mouth_close + jaw_open
    x = rest[rims.lower, 0]
    missing = along(x, rims.upper, rest, both) - both[rims.lower]
    return meet(mouth_close, rest, rims.lower, missing)


def close_lids(
    blink: Floats, rest: Floats, rims: Rims, eyeball: Floats, clearance: float
) -> Floats:
    """eyeBlink (V, 3) whose upper rim comes down to the lower one, outside the eyeball (B, 3).

    Clearance in metres, both as overlap of the rims and as distance kept from the eyeball.
    """
    pose = rest + blink
    x = rest[rims.upper, 0]
    missing = along(x, rims.lower, rest, pose) - pose[rims.upper]
    missing[:, UP] -= clearance
    missing[:, [0, 2]] = 0.0
    missing[[0, -1]] = 0.0
    closed = meet(blink, rest, rims.upper, missing)
    if not len(eyeball):
        return closed
    return outside(rest + closed, rest, eyeball, clearance) - rest


def outside(pose: Floats, rest: Floats, ball: Floats, clearance: float) -> Floats:
    """Points of a pose (V, 3) pushed radially out of a ball (B, 3) that they were out of at rest.

    The ball need not be a sphere: its radius in a direction is that of its nearest point.
    """
    centre = ball.mean(axis=0)
    spokes = ball - centre
    length = np.linalg.norm(spokes, axis=1)
    directions = spokes / length[:, None]
    near = np.linalg.norm(pose - centre, axis=1) < 1.2 * length.max()
    radii = []
    for points in (pose, rest):
        offset = points[near] - centre
        radii.append(length[np.argmax(offset @ directions.T, axis=1)])
    posed = np.linalg.norm(pose[near] - centre, axis=1)
    rested = np.linalg.norm(rest[near] - centre, axis=1)
    wanted = np.where(rested > radii[1], np.maximum(posed, radii[0] + clearance), posed)
    # A point that does not move must not be pushed.
    wanted = np.where(np.linalg.norm(pose - rest, axis=1)[near] < 1e-4, posed, wanted)
    pushed = pose.copy()
    pushed[near] = centre + (pose[near] - centre) * (wanted / posed)[:, None]
    return pushed
