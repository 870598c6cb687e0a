"""Brows and upper lashes: tapered strips that sit on the skin."""

import numpy as np

from . import eyelids, form
from .loft import loft, mirrored
from .mesh import Array, Piece, simple_piece

_BROW_SECTIONS = 10


def brow_line(s: Array) -> Array:
    """Points (N, 3) in mm on the form along the +x brow, s from 0 (inner) to 1 (outer)."""
    x = 13.0 + 40.0 * s
    y = 38.5 + 17.0 * s - 20.0 * s**2 + 1.5 * np.sin(np.pi * s)
    return form.project(np.stack([x, y, 58 - 0.012 * x**2], axis=-1), 8)


def _brow_sections() -> Array:
    s = (1 - np.cos(np.pi * np.linspace(0, 1, _BROW_SECTIONS))) / 2
    line = brow_line(s)
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1)[:, None]
    normal = form.normal(line)
    across = np.cross(normal, tangent)
    width = 3.3 * np.sqrt(np.maximum((1 - s**2) * (1 - (1 - s) ** 14), 0.002)) + 0.1
    angle = np.arange(6) * 2 * np.pi / 6
    ring = (np.cos(angle)[None, :, None] * (width[:, None, None] * across[:, None])
            + np.sin(angle)[None, :, None] * (0.3 * width[:, None, None] * normal[:, None]))
    return np.asarray(line[:, None] + 0.6 * normal[:, None] + ring)


def _lash_sections() -> Array:
    theta = np.linspace(np.radians(170), np.radians(13), 13)
    azimuth, elevation = eyelids.lid_edge(theta)
    t = np.linspace(0, 1, len(theta))
    length = 0.6 + 3.0 * t**1.3 * np.sqrt(np.maximum(1 - t**5, 0.003))
    root = eyelids.on_eye(azimuth, elevation, np.full(len(t), eyelids.RADIUS_MM + 1.4))
    out = eyelids.on_eye(azimuth + 0.25 * t, elevation + 0.1, np.full(len(t), 1.0))
    out = out - eyelids.CENTRE_MM
    up = np.array([0.25, 1.0, 0.0])
    tip = root + out * length[:, None] + up * (0.45 * length)[:, None]
    half = (0.38 * np.sqrt(np.maximum(1 - (2 * t - 1) ** 8, 0.05)))[:, None] * np.array([0, 1.0, 0])
    middle = (root + tip) / 2
    return np.stack([root - half, middle - 0.6 * half, tip, root + half], axis=1)


def _strip(sections: Array, part: str, side: int) -> Piece:
    vertices, faces = loft(sections)
    if side < 0:
        vertices, faces = mirrored(vertices, faces)
    place = np.indices(sections.shape[:2]).reshape(2, -1).T.astype(float)
    return simple_piece(vertices, faces, part, part, place)


def brow(side: int) -> Piece:
    """The brow of one side, +1 or -1."""
    return _strip(_brow_sections(), "brows", side)


def lashes(side: int) -> Piece:
    """The upper lashes of one side, +1 or -1."""
    return _strip(_lash_sections(), "lashes", side)
