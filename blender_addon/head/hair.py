"""Hair: one sculpted cap of locks that run from a whorl at the back to the hairline."""

import numpy as np

from . import form
from .mesh import Array, Face, Piece, simple_piece

_COLUMNS, _ROWS = 48, 13
_LOCKS = 12
_CENTRE_MM = np.array([0.0, 45.0, -28.0])
_WHORL_MM = np.array([0.0, 118.0, -70.0])
# The hairline: angle from straight ahead in degrees, height in mm.
_HAIRLINE = np.array([[0, 80], [25, 83], [45, 76], [62, 62], [76, 30], [86, 22], [97, 43],
                      [112, 38], [128, 5], [150, -22], [180, -34.0]])


def _hairline_mm(angle: Array) -> Array:
    """Points (N, 3) of the hairline at angles from straight ahead about the vertical, radians."""
    spread = np.radians(np.linspace(-9, 9, 7))
    turn = np.abs((angle[:, None] + spread + np.pi) % (2 * np.pi) - np.pi)
    y = np.interp(np.degrees(turn), _HAIRLINE[:, 0], _HAIRLINE[:, 1]).mean(axis=1)
    y = y - 2.0 * np.abs(np.cos(_LOCKS / 2 * angle))
    out = np.column_stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)])
    origin = np.column_stack([np.zeros_like(y), y, np.full_like(y, _CENTRE_MM[2])])
    return form.along_ray(origin, out)


def _thickness_mm(angle: Array, t: Array) -> Array:
    """Height of the hair over the scalp (C, R); t runs from 0 at the whorl to 1 at the line."""
    front = np.exp(-((angle / 0.75) ** 2))
    rear = np.exp(-(((np.pi - np.abs(angle)) / 0.9) ** 2))
    base = 11.0 - 4.5 * t + 13.0 * front * np.exp(-(((t - 0.82) / 0.22) ** 2)) - 2.0 * rear * t
    ridge = np.abs(np.cos(_LOCKS / 2 * angle)) - 0.6
    lock = ridge * (0.8 + 4.4 * t) * (1 + 0.6 * front)
    edge = np.sqrt(np.maximum(1 - t**10, 0))
    return np.asarray((base + lock) * edge + 1.0)


def _grid() -> tuple[Array, Array]:
    """Columns' angles (C, 1) and rows' places (1, R), denser at the hairline."""
    angle = (np.arange(_COLUMNS) + 0.0) * 2 * np.pi / _COLUMNS
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    row = np.linspace(0, 1, _ROWS + 1)[1:]
    return angle[:, None], (1 - (1 - row) ** 1.5)[None]


def _vertices_mm() -> Array:
    """The whorl, then rows of each column out to the hairline, then a rim under the skin."""
    angle, t = _grid()
    line = _hairline_mm(angle[:, 0]) - _CENTRE_MM
    line /= np.linalg.norm(line, axis=1)[:, None]
    whorl = (_WHORL_MM - _CENTRE_MM) / np.linalg.norm(_WHORL_MM - _CENTRE_MM)
    gap = np.arccos(np.clip(line @ whorl, -1, 1))[:, None]
    ray = (np.sin((1 - t) * gap)[..., None] * whorl + np.sin(t * gap)[..., None] * line[:, None])
    ray /= np.linalg.norm(ray, axis=-1)[..., None]
    flat = ray.reshape(-1, 3)
    scalp = form.along_ray(np.broadcast_to(_CENTRE_MM, flat.shape), flat).reshape(ray.shape)
    outer = scalp + ray * _thickness_mm(angle, t)[..., None]
    rim = scalp[:, -1] - 2.5 * ray[:, -1]
    top = form.along_ray(_CENTRE_MM[None], whorl[None]) + 11.5 * whorl
    return np.concatenate([top, outer.transpose(1, 0, 2).reshape(-1, 3), rim])


def _faces() -> list[Face]:
    faces: list[Face] = []
    for n in range(_COLUMNS):
        m = (n + 1) % _COLUMNS
        faces.append((0, 1 + n, 1 + m))
        for row in range(_ROWS):
            a = 1 + row * _COLUMNS
            faces.append((a + n, a + _COLUMNS + n, a + _COLUMNS + m, a + m))
    return faces


def hair() -> Piece:
    """The cap of hair, open beneath."""
    vertices, faces = _vertices_mm(), _faces()
    radius = np.concatenate([[0.0], np.repeat(np.arange(1, _ROWS + 2), _COLUMNS)])
    turn = np.concatenate([[0.0], np.tile(np.arange(_COLUMNS), _ROWS + 1)]) * 2 * np.pi / _COLUMNS
    disc = np.column_stack([radius * np.sin(turn), radius * np.cos(turn)])
    return simple_piece(vertices, faces, "hair", "hair", disc)
