"""The mouth: rings from the skin round it over the lips to the back of the mouth bag."""

from typing import NamedTuple

import numpy as np

from .eyelids import along
from .mesh import Array

HALF_WIDTH_MM = 22.5
STOMION_MM = np.array([0.0, -43.5, 55.5])
CONTACT_RINGS = (5, 6)


class _Ring(NamedTuple):
    """A loop about the closed mouth: part of each lip's height, mm beyond it, depth in mm."""

    height: float
    above_mm: float
    below_mm: float
    depth_upper_mm: float
    depth_lower_mm: float
    width: float
    depth_corner_mm: float


_RINGS = (
    _Ring(1.0, 4.5, 4.0, 2.0, -1.5, 1.22, -1.5),
    _Ring(1.0, 0.6, 0.6, 3.6, 1.6, 1.06, -0.2),
    _Ring(0.85, 0.0, 0.0, 4.4, 3.0, 1.03, 0.1),
    _Ring(0.42, 0.0, 0.0, 4.6, 4.6, 1.0, 0.0),
    _Ring(0.0, 0.0, 0.0, 1.2, 1.2, 0.98, -0.8),
    _Ring(0.0, 0.0, 0.0, -2.6, -2.6, 0.95, -3.0),
    _Ring(0.0, 7.5, 7.0, -6.5, -7.0, 0.98, -7.5),
    _Ring(0.0, 15.0, 14.0, -12.0, -12.0, 1.03, -12.0),
    _Ring(0.0, 16.0, 15.0, -30.0, -30.0, 1.0, -30.0),
    _Ring(0.0, 11.0, 13.0, -46.0, -46.0, 0.7, -46.0),
)


def contact_line(t: Array) -> tuple[Array, Array]:
    """Height and depth (N,) in mm of the line where the closed lips meet, t from -1 to 1."""
    y = STOMION_MM[1] + 1.6 * t**2 - 0.7 * np.exp(-((t / 0.22) ** 2)) + 0.6
    z = STOMION_MM[2] - 10.5 * np.abs(t) ** 2.2
    return y, z


def _lip_height(t: Array, upper: Array) -> Array:
    """Height (N,) in mm of the red of each lip: a bow above, a fuller curve below."""
    away = np.maximum(1 - np.abs(t) ** 2.0, 0)
    bow = 6.6 * away**0.8 + 0.9 * np.exp(-(((np.abs(t) - 0.24) / 0.17) ** 2)) * away
    bow -= 0.7 * np.exp(-((t / 0.13) ** 2))
    return np.where(upper, bow, 8.2 * away**0.75)


def ring_mm(number: int, count: int) -> Array:
    """Positions (count, 3) of ring `number` >= 1."""
    ring, theta = _RINGS[number - 1], along(count, 2)
    t, s = np.cos(theta), np.sin(theta)
    t = 0.75 * t + 0.25 * np.sin(np.pi / 2 * t)
    upper = s > 0
    away = np.abs(s) ** 0.8
    line_y, line_z = contact_line(t)
    reach = ring.height * _lip_height(t, upper)
    reach = reach + np.where(upper, ring.above_mm, ring.below_mm) * away
    depth = np.where(upper, ring.depth_upper_mm, ring.depth_lower_mm)
    depth = depth * away + ring.depth_corner_mm * (1 - away)
    x = HALF_WIDTH_MM * t * ring.width
    return np.stack([x, line_y + np.sign(s) * reach, line_z + depth], axis=-1)


def rim_mm(count: int) -> Array:
    """First guess (count, 3) of the loop round the mouth, to be put onto the head's form."""
    theta = along(count, 2)
    x, s = 33.0 * np.cos(theta), np.sin(theta)
    y = STOMION_MM[1] + 0.5 + np.where(s > 0, 14.0, 16.0) * s
    return np.stack([x, y, 58 - 0.013 * x**2], axis=-1)


def cap_mm(u: int, v: int) -> Array:
    """Position (3,) of an inner vertex of the bag's back wall."""
    return np.array([(u - 5) / 5 * 10.0, STOMION_MM[1], STOMION_MM[2] - 50.0])
