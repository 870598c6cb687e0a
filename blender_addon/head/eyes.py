"""Eyeballs: a sphere whose pole is the pupil, rings of iris, and a dark limbus."""

import numpy as np

from .eyelids import CENTRE_MM, RADIUS_MM
from .loft import mirrored
from .mesh import Array, Face, Piece, corners

_SEGMENTS = 18
_ANGLES = np.radians([4, 10.5, 13, 19, 24.5, 27, 31, 40, 54, 74, 100, 135.0])
_PUPIL_RINGS, _IRIS_RINGS = 2, 6
_SHADES = np.array([1.0, 1.0, 1.2, 1.9, 1.2, 0.3, 1, 1, 1, 1, 1, 1])


def _sphere() -> Array:
    """Vertices (V, 3) of a unit sphere round +z: front pole, rings, rear pole."""
    turn = np.arange(_SEGMENTS) * 2 * np.pi / _SEGMENTS
    rings = [
        np.column_stack([np.sin(a) * np.cos(turn), np.sin(a) * np.sin(turn),
                         np.full(_SEGMENTS, np.cos(a))])
        for a in _ANGLES
    ]
    return np.concatenate([[[0, 0, 1.0]], *rings, [[0, 0, -1.0]]])


def _faces() -> tuple[list[Face], list[str]]:
    faces: list[Face] = []
    materials: list[str] = []
    last = len(_ANGLES) * _SEGMENTS + 1
    for n in range(_SEGMENTS):
        m = (n + 1) % _SEGMENTS
        faces.append((0, 1 + n, 1 + m))
        materials.append("pupil")
        for ring in range(len(_ANGLES) - 1):
            a = 1 + ring * _SEGMENTS
            faces.append((a + n, a + _SEGMENTS + n, a + _SEGMENTS + m, a + m))
            inner = ring + 1
            materials.append("pupil" if inner < _PUPIL_RINGS
                             else "iris" if inner < _IRIS_RINGS else "sclera")
        faces.append((last, last - _SEGMENTS + m, last - _SEGMENTS + n))
        materials.append("sclera")
    return faces, materials


def eyeball(side: int) -> Piece:
    """The eyeball of the +x side (side 1) or the -x side (side -1), looking straight ahead."""
    unit = _sphere()
    faces, materials = _faces()
    shade = np.concatenate([[1.0], np.repeat(_SHADES, _SEGMENTS), [1.0]])
    # Lambert's equal-area map of the sphere, so that the rear stays in the square.
    disc = 0.5 + 0.5 * unit[:, :2] / np.sqrt(2.0002 + 2 * unit[:, 2:])
    vertices = CENTRE_MM + RADIUS_MM * unit
    if side < 0:
        vertices, faces = mirrored(vertices, faces)
    name = "eye_left" if side > 0 else "eye_right"
    tint = np.repeat(shade[:, None], 3, axis=1)
    parts = [name] * len(vertices)
    return Piece(vertices, faces, corners(faces, disc), tint, materials, parts)
