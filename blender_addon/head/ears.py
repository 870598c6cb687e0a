"""Ears and nostrils: small stacks of rings set into the skin."""

import numpy as np

from .form import side_mm
from .mesh import Array

_EAR_MM = np.array([66.5, 6.0, -38.0])
_TURN = np.radians(17)
# Per ring: scale, how far the rear stands off, how far the front does, mm down and forward.
_EAR_RINGS = (
    (0.66, 5.0, 2.0, 0.0),
    (1.0, 10.0, 4.0, 0.0),
    (1.04, 14.5, 6.5, 0.0),
    (0.84, 14.5, 7.5, 0.3),
    (0.72, 8.0, 6.0, 1.0),
    (0.46, 11.0, 5.0, 2.0),
    (0.31, 5.0, 3.5, 2.2),
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
    """Angle (10,) of each loop vertex, whose second one is the lowest."""
    return np.asarray((np.arange(10) - 1) * 2 * np.pi / 10 - np.pi / 2)


def ear_rim_mm() -> Array:
    """Positions (10, 3) of the ear's root on the head's form."""
    u, v = _outline(_ear_angles())
    p = _ear_point(0.66 * u - 1, 0.72 * v, np.zeros(len(u)))
    p[:, 0] = side_mm(p[:, 1:])
    return p


def ear_ring_mm(number: int) -> Array:
    """Positions (10, 3) of ring `number` >= 1 of the +x ear."""
    scale, rear, front, shift = _EAR_RINGS[number - 1]
    angle = _ear_angles()
    u, v = _outline(angle)
    mix = (1 + np.cos(angle)) / 2 * (0.75 + 0.25 * np.sin(angle))
    return _ear_point(scale * u - shift, scale * v - shift, front + (rear - front) * mix)


def ear_cap_mm(v: int) -> Array:
    """Position (3,) of an inner vertex of the shell's floor."""
    up = np.array([(v - 1.5) * 5.0 - 3.0])
    return np.asarray(_ear_point(np.array([-2.0]), up, np.array([2.0]))[0])


NOSTRIL_RIM_MM = np.array([[3.8, -22.0, 59.5], [10.6, -21.5, 55.0], [11.5, -19.0, 59.0],
                           [5.0, -19.0, 66.0]])
_NOSTRIL_AXIS = np.array([0.5, 7.0, -3.0])


def nostril_ring_mm(number: int) -> Array:
    """Positions (4, 3) of ring `number` >= 1 of the +x nostril."""
    middle = NOSTRIL_RIM_MM.mean(axis=0)
    scale, depth = ((0.72, 0.12), (0.6, 1.0))[number - 1]
    return np.asarray(middle + scale * (NOSTRIL_RIM_MM - middle) + depth * _NOSTRIL_AXIS)
