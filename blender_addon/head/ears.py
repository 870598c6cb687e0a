"""Ears and nostrils: small stacks of rings set into the skin."""

import numpy as np

from .cage import rectangle
from .mesh import Array

_EAR_MM = np.array([69.0, 6.0, -40.0])
_TURN = np.radians(24)
# Per ring: scale, how far the rear stands off, how far the front does (mm).
_EAR_RINGS = (
    (0.66, 5.0, 1.0),
    (0.98, 10.0, 1.5),
    (1.04, 13.5, 2.5),
    (0.88, 14.5, 3.5),
    (0.70, 9.0, 2.0),
    (0.45, 5.0, 0.0),
)


def _ear_point(u: Array, v: Array, out: Array) -> Array:
    """Place points given backward, upward and outward in mm on the +x side of the head."""
    c, s = np.cos(_TURN), np.sin(_TURN)
    x = _EAR_MM[0] + out * c + u * s
    z = _EAR_MM[2] - u * c + out * s
    lean = 0.18 * v
    return np.stack([x, _EAR_MM[1] + v, z - lean], axis=-1)


def _outline(angle: Array) -> tuple[Array, Array]:
    """An egg with a lobe: backward and upward (N,) in mm at an angle from backward to up."""
    u, v = np.cos(angle), np.sin(angle)
    width = np.where(u > 0, 16.0, 10.0) * (1 + 0.22 * v)
    return width * u, np.where(v > 0, 28.0, 27.0) * v


def _ear_angles() -> Array:
    points = np.array(rectangle(3, 5, 7, 10), dtype=float) - (4.0, 8.5)
    return np.asarray(np.arctan2(points[:, 1] / 1.5, points[:, 0]))


def ear_rim_mm() -> Array:
    """First guess (10, 3) of the ear's root, to be put onto the head's form."""
    u, v = _outline(_ear_angles())
    return _ear_point(0.72 * u - 1, 0.8 * v, np.full(len(u), 0.0))


def ear_ring_mm(number: int) -> Array:
    """Positions (10, 3) of ring `number` >= 1 of the +x ear."""
    scale, rear, front = _EAR_RINGS[number - 1]
    angle = _ear_angles()
    u, v = _outline(angle)
    mix = (1 + np.cos(angle)) / 2 * (0.75 + 0.25 * np.sin(angle))
    return _ear_point(scale * u, scale * v, front + (rear - front) * mix)


def ear_cap_mm(v: int) -> Array:
    """Position (3,) of an inner vertex of the shell's floor."""
    return _ear_point(np.array([-1.0]), np.array([(v - 1.5) * 7.0]), np.array([-1.0]))[0]


NOSTRIL_RIM_MM = np.array([[3.8, -22.0, 59.5], [10.6, -21.5, 55.0], [11.5, -19.0, 59.0],
                           [5.0, -19.0, 66.0]])
_NOSTRIL_AXIS = np.array([0.5, 7.0, -3.0])


def nostril_ring_mm(number: int) -> Array:
    """Positions (4, 3) of ring `number` >= 1 of the +x nostril."""
    middle = NOSTRIL_RIM_MM.mean(axis=0)
    scale, depth = ((0.72, 0.12), (0.6, 1.0))[number - 1]
    return np.asarray(middle + scale * (NOSTRIL_RIM_MM - middle) + depth * _NOSTRIL_AXIS)
