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
    """The union of two forms with a fillet, smooth to every order so that highlights flow."""
    low = np.minimum(a, b)
    return np.asarray(low - softness_mm * np.log1p(np.exp(-np.abs(a - b) / softness_mm)))


def bump(p: Array, centre: tuple[float, ...], sigma: tuple[float, ...]) -> Array:
    """A Gaussian of height 1 about a place and its mirror image."""
    mirrored = np.stack([np.abs(p[..., 0]), p[..., 1], p[..., 2]], axis=-1)
    return np.asarray(np.exp(-0.5 * (((mirrored - centre) / sigma) ** 2).sum(axis=-1)))


def _skull(p: Array) -> Array:
    head = _ellipsoid(p, (0, 48, -30), (72, 81, 83))
    head = _join(head, _ellipsoid(p, (0, 60, 6), (50, 40, 43)), 6)
    head = _join(head, _ellipsoid(p, (0, -8, 0), (65, 60, 47)), 8)
    head = _join(head, _ellipsoid(p, (0, 2, -38), (60, 36, 50)), 6)
    head = _join(head, _ellipsoid(p, (0, -48, 4), (46, 32, 42)), 7)
    head = _join(head, _ellipsoid(p, (0, -68, 30), (19, 13, 18)), 7)
    return _join(head, _cone(p, (0, -50, -36), (0, -190, -44), 34, 40), 12)


def _nose(p: Array) -> Array:
    nose = _cone(p, (0, 25, 45), (0, -5, 57), 5.5, 7.2)
    nose = _join(nose, _ellipsoid(p, (0, -11, 61.5), (9.5, 8, 9.5)), 2.5)
    nose = _join(nose, _ellipsoid(p, (0, -17, 54), (6, 6, 9)), 2)
    return _join(nose, _ellipsoid(p, (11, -15, 53), (5.5, 5.5, 7.5)), 1.8)


def distance_mm(p: Array) -> Array:
    """Signed distance (N,) of points (N, 3) to the head without ears, lids and lips."""
    p = np.stack([np.abs(p[..., 0]), p[..., 1], p[..., 2]], axis=-1)
    head = _join(_skull(p), _ellipsoid(p, (37, -17, 20), (22, 21, 21)), 7)
    head = _join(head, _ellipsoid(p, (0, -42, 33), (29, 20, 21)), 5)
    head = _join(head, _nose(p), 5)
    head += 4.2 * bump(p, (30, 13, 46), (13.5, 11, 20))
    head += 0.8 * bump(p, (21, -13, 50), (4, 6, 10))
    head += 2.6 * bump(p, (15.5, 12, 42), (4.5, 8, 10))
    head -= 1.8 * bump(p, (11.5, -3, 52), (5, 7, 7))
    head += 1.2 * bump(p, (0, -60, 52), (13, 4, 12))
    head -= 1.6 * bump(p, (0, -70, 50), (10, 7, 12))
    head += 0.7 * bump(p, (0, -31, 60), (2.2, 5, 10))
    return head


def _sample(p: Array) -> tuple[Array, Array]:
    """Distance (N,) and its gradient (N, 3) at points, from four neighbours of each.

    Points are taken on the +x side, so that both sides get mirrored values to the last bit.
    """
    offsets = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], dtype=float)
    side = np.where(np.abs(p[:, 0]) < 1e-6, 0.0, np.sign(p[:, 0]))
    flip = np.column_stack([side, np.ones((len(p), 2))])
    half = np.column_stack([np.abs(p[:, 0]), p[:, 1:]])
    around = distance_mm(half[:, None] + 0.3 * offsets)
    return around.mean(axis=1), flip * (around @ offsets) / 1.2


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


def along_ray(origin: Array, ray: Array) -> Array:
    """Where unit rays (N, 3) from origins (N, 3) within the head leave the form: (N, 3)."""
    reach = np.full((len(ray), 1), 130.0)
    for _ in range(40):
        gap = distance_mm(origin + reach * ray)[:, None]
        reach -= 0.9 * gap
        if np.abs(gap).max() < 1e-4:
            break
    return np.asarray(origin + reach * ray)


def front_mm(xy: Array) -> Array:
    """Depth z (N,) of the form's foremost point at places (N, 2) of the frontal plane."""
    origin = np.column_stack([xy, np.full(len(xy), -40.0)])
    return np.asarray(along_ray(origin, np.broadcast_to([0.0, 0, 1], origin.shape))[:, 2])


def side_mm(yz: Array) -> Array:
    """Half-width x (N,) of the form at places (N, 2) of its profile."""
    origin = np.column_stack([np.zeros(len(yz)), yz])
    return np.asarray(along_ray(origin, np.broadcast_to([1.0, 0, 0], origin.shape))[:, 0])
