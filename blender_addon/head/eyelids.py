"""Eye openings: an almond on the eyeball's sphere and the rings of lid, crease and socket."""

from typing import NamedTuple

import numpy as np

from .form import front_mm
from .mesh import Array

CENTRE_MM = np.array([32.5, 13.0, 21.5])
RADIUS_MM = 20.0
_YAW = np.radians(9)
_HALF_WIDTH = np.radians(52)
_UPPER, _LOWER = np.radians(25), np.radians(19.5)
_TILT = np.radians(2.5)


class _Ring(NamedTuple):
    """A loop's distance outward from the lid's edge in degrees, and above the eyeball in mm."""

    upper: float
    lower: float
    corner: float
    lift_upper_mm: float
    lift_lower_mm: float


_RINGS = (
    _Ring(24, 20, 12, 5.5, 4.5),
    _Ring(13, 13, 8, 2.2, 2.9),
    _Ring(5, 5, 4, 2.7, 2.6),
    _Ring(0, 0, 0.5, 1.9, 1.7),
    _Ring(-0.5, -0.5, -1, 0.25, 0.25),
    _Ring(12, 12, 5, 0.25, 0.25),
)


def along(count: int, short: int) -> Array:
    """Angle (count,) of each loop vertex: 0 at the +x corner, pi at the -x corner, lower first.

    `short` is the number of cells along the rectangle's short side, whose middle is a corner.
    """
    outer = count // 2 - short // 2
    return np.asarray((np.arange(count) - outer) * 2 * np.pi / count)


def on_eye(azimuth: Array, elevation: Array, radius_mm: Array) -> Array:
    """Points (N, 3) in mm at angles from the right-hand (+x) eye's gaze, turned outward."""
    local = np.stack(
        [np.sin(azimuth) * np.cos(elevation), np.sin(elevation),
         np.cos(azimuth) * np.cos(elevation)], axis=-1)
    c, s = np.cos(_YAW), np.sin(_YAW)
    turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.asarray(CENTRE_MM + radius_mm[:, None] * (local @ turn.T))


def lid_edge(theta: Array) -> tuple[Array, Array]:
    """Azimuth and elevation (N,) of the lid's edge at loop angles: 0 outer, pi inner corner."""
    x = np.cos(theta)
    x = 0.85 * x + 0.15 * x**3
    bow = np.maximum(1 - np.abs(x) ** 2.3, 0) ** 0.85
    height = np.where(np.sin(theta) >= 0, _UPPER, -_LOWER)
    return _HALF_WIDTH * x, height * bow + _TILT * x


def ring_mm(number: int, count: int) -> Array:
    """Positions (count, 3) of ring `number` >= 1 round the +x eye."""
    ring, theta = _RINGS[number - 1], along(count, 2)
    azimuth, elevation = lid_edge(theta)
    c, s = np.cos(theta), np.sin(theta)
    upper = s > 0
    reach = np.radians(np.where(upper, ring.upper, ring.lower))
    weight = np.abs(s)
    lift = np.where(upper, ring.lift_upper_mm, ring.lift_lower_mm)
    lift = weight * lift + (1 - weight) * (ring.lift_upper_mm + ring.lift_lower_mm) / 2
    return on_eye(azimuth + np.radians(ring.corner) * c, elevation + reach * s, RADIUS_MM + lift)


def rim_mm(count: int) -> Array:
    """First guess (count, 3) of the socket's rim, to be put onto the head's form."""
    theta = along(count, 2)
    x = CENTRE_MM[0] + 1.5 + 24 * np.cos(theta)
    y = CENTRE_MM[1] + 1.0 + np.where(np.sin(theta) > 0, 20, 18) * np.sin(theta)
    return np.column_stack([x, y, front_mm(np.column_stack([x, y]))])
