"""The mouth: rings from the skin round it over the lips to the back of the mouth bag."""

from typing import NamedTuple

import numpy as np

from .eyelids import along
from .form import front_mm
from .mesh import Array, Mask

HALF_WIDTH_MM = 22.5
STOMION_Y_MM = -43.0
CONTACT_RINGS = (5, 6)


class _Ring(NamedTuple):
    """A loop about the closed mouth: part of each lip's height, mm beyond it, lift in mm.

    Lifts count from the form's surface for the rings outside, from the contact line within.
    """

    height: float
    above_mm: float
    below_mm: float
    lift_upper_mm: float
    lift_lower_mm: float
    width: float
    lift_corner_mm: float


_OUTSIDE = 4
_RINGS = (
    _Ring(1.0, 4.5, 4.2, 0.0, 0.0, 1.22, 0.0),
    _Ring(1.0, 0.7, 0.6, 1.3, 0.2, 1.07, -0.4),
    _Ring(0.86, 0.0, 0.0, 2.0, 1.3, 1.03, -0.9),
    _Ring(0.42, 0.0, 0.0, 2.8, 3.0, 1.0, -1.3),
    _Ring(0.0, 0.0, 0.0, 0.0, 0.0, 0.98, -0.5),
    _Ring(0.0, 0.0, 0.0, -3.6, -3.6, 0.95, -2.5),
    _Ring(0.0, 7.5, 7.0, -7.0, -7.5, 0.97, -6.5),
    _Ring(0.0, 15.0, 14.0, -12.0, -12.5, 1.0, -12.0),
    _Ring(0.0, 16.0, 15.0, -30.0, -30.0, 0.98, -30.0),
    _Ring(0.0, 11.0, 13.0, -46.0, -46.0, 0.7, -46.0),
)


def contact_line(t: Array) -> tuple[Array, Array]:
    """Height and depth (N,) in mm of the line where the closed lips meet, t from -1 to 1."""
    y = STOMION_Y_MM + 2.2 * t**2 - 0.6 * np.exp(-((t / 0.22) ** 2))
    surface = front_mm(np.column_stack([HALF_WIDTH_MM * t, y]))
    return y, surface - 0.4 - 1.6 * t**4


def _lip_height(t: Array, upper: Mask) -> Array:
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
    lift = np.where(upper, ring.lift_upper_mm, ring.lift_lower_mm)
    lift = lift * away + ring.lift_corner_mm * (1 - away)
    x, y = HALF_WIDTH_MM * t * ring.width, line_y + np.sign(s) * reach
    base = front_mm(np.column_stack([x, y])) if number <= _OUTSIDE else line_z
    return np.stack([x, y, base + lift], axis=-1)


def rim_mm(count: int) -> Array:
    """First guess (count, 3) of the loop round the mouth, to be put onto the head's form."""
    theta = along(count, 2)
    x, s = 33.0 * np.cos(theta), np.sin(theta)
    y = STOMION_Y_MM + 0.5 + np.where(s > 0, 14.0, 16.0) * s
    return np.column_stack([x, y, front_mm(np.column_stack([x, y]))])


def cap_mm(u: int, v: int) -> Array:
    """Position (3,) of an inner vertex of the bag's back wall."""
    return np.array([(u - 5) / 5 * 10.0, STOMION_Y_MM, 5.0])
