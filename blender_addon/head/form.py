"""The head's form as a signed distance, blended from ellipsoids and cones; all in mm.

Proportions follow an adult human loosely: large cranium, soft cheeks, small nose and chin.
Everything is a function of |x|, which makes the head symmetric.
"""

import numpy as np

from .mesh import Array


def _ellipsoid(p: Array, centre: tuple[float, ...], radii: tuple[float, ...]) -> Array:
    """Approximate distance to an ellipsoid, exact to first order at its surface."""
    q = (p - centre) / radii
    length = np.linalg.norm(q, axis=-1) + 1e-9
    slope = np.linalg.norm(q / radii, axis=-1) + 1e-9
    return np.asarray(length * (length - 1) / slope)


def _cone(p: Array, start: tuple[float, ...], end: tuple[float, ...], radius_start: float,
          radius_end: float) -> Array:
    """Approximate distance to a capsule whose radius changes along its axis."""
    a, axis = np.asarray(start), np.subtract(end, start)
    along = np.clip((p - a) @ axis / (axis @ axis), 0, 1)
    radius = radius_start + (radius_end - radius_start) * along
    return np.asarray(np.linalg.norm(p - a - along[..., None] * axis, axis=-1) - radius)


def _join(a: Array, b: Array, softness_mm: float) -> Array:
    """The union of two forms with a fillet."""
    h = np.clip(0.5 + 0.5 * (b - a) / softness_mm, 0, 1)
    return np.asarray(b + (a - b) * h - softness_mm * h * (1 - h))


def bump(p: Array, centre: tuple[float, ...], sigma: tuple[float, ...]) -> Array:
    """A Gaussian of height 1 about a place and its mirror image."""
    mirrored = np.stack([np.abs(p[..., 0]), p[..., 1], p[..., 2]], axis=-1)
    return np.asarray(np.exp(-0.5 * (((mirrored - centre) / sigma) ** 2).sum(axis=-1)))


def _skull(p: Array) -> Array:
    head = _ellipsoid(p, (0, 46, -27), (74, 87, 90))
    head = _join(head, _ellipsoid(p, (0, 2, 2), (60, 66, 54)), 40)
    head = _join(head, _ellipsoid(p, (0, -42, 8), (47, 40, 44)), 26)
    head = _join(head, _ellipsoid(p, (0, -67, 36), (20, 16, 17)), 22)
    return _join(head, _cone(p, (0, -60, -42), (0, -190, -52), 40, 46), 30)


def _nose(p: Array) -> Array:
    nose = _cone(p, (0, 26, 44), (0, -6, 58), 6.5, 8)
    nose = _join(nose, _ellipsoid(p, (0, -11, 62), (11, 9.5, 11)), 8)
    return _join(nose, _ellipsoid(p, (10.5, -15.5, 55), (6.5, 6.5, 8)), 6)


def distance_mm(p: Array) -> Array:
    """Signed distance (N,) of points (N, 3) to the head without ears, lids and lips."""
    p = np.stack([np.abs(p[..., 0]), p[..., 1], p[..., 2]], axis=-1)
    head = _join(_skull(p), _ellipsoid(p, (38, -14, 22), (24, 24, 25)), 16)
    head = _join(head, _ellipsoid(p, (0, -43, 33), (32, 20, 24)), 14)
    head = _join(head, _nose(p), 7)
    head += 5.0 * bump(p, (31, 14, 46), (13, 11, 14))
    head -= 2.5 * bump(p, (26, 40, 48), (18, 7, 20))
    return head


def _sample(p: Array) -> tuple[Array, Array]:
    """Distance (N,) and its gradient (N, 3) at points, from four neighbours of each."""
    offsets = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], dtype=float)
    around = distance_mm(p[:, None] + 0.3 * offsets)
    return around.mean(axis=1), (around @ offsets) / 1.2


def normal(p: Array) -> Array:
    """Outward unit normals (N, 3) of the form at points (N, 3)."""
    _, gradient = _sample(p)
    return np.asarray(gradient / np.linalg.norm(gradient, axis=1)[:, None])


def project(p: Array, steps: int = 4) -> Array:
    """Move points (N, 3) along the gradient onto the surface."""
    for _ in range(steps):
        value, gradient = _sample(p)
        p = p - (value / np.maximum((gradient**2).sum(axis=1), 1e-3))[:, None] * gradient
    return p
