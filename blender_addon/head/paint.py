"""The skin as a finished piece: its materials, tint and UVs."""

import numpy as np

from . import lips
from .form import bump
from .mesh import Array, Face, Piece
from .openings import MOUTH
from .skin import Skin

_MATERIAL_OF_TAG = {"skin": "skin", "lid": "skin", "nostril": "skin", "lips": "lips",
                    "cavity": "mouth"}
_UV_CENTRE_MM = np.array([0.0, 5.0, -30.0])


def _outside_uv(vertices: Array, ids: list[int]) -> Array:
    """Sphere-like UVs (N, 2) of one face, the seam down the back; none crosses the middle."""
    ray = vertices[ids] - _UV_CENTRE_MM
    turn = np.arctan2(ray[:, 0], ray[:, 2])
    rise = np.arctan2(ray[:, 1], np.hypot(ray[:, 0], ray[:, 2]))
    turn = np.where(np.abs(turn) > 3.1, np.sign(ray[:, 0].sum()) * np.abs(turn), turn)
    return np.column_stack([turn / (2 * np.pi) + 0.5, 0.625 + 0.75 * rise / np.pi])


def _cavity_uv(vertices: Array, ids: list[int]) -> Array:
    """UVs (N, 2) of one face of the mouth's bag: a disc, its back wall in the middle."""
    across = vertices[ids, :2] - (0, lips.STOMION_Y_MM)
    depth = np.clip(vertices[ids, 2:] / 60, 0, 1)
    away = np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    disc = across / away * (0.15 * np.minimum(away / 15, 1) + 0.35 * depth)
    return np.asarray((0.37, 0.12) + 0.14 * disc)


def _uv(vertices: Array, faces: list[Face], tags: list[str]) -> Array:
    """UVs (L, 2) of all corners."""
    of_tag = {"cavity": _cavity_uv}
    rows = [
        of_tag.get(tag, _outside_uv)(vertices, list(face))
        for face, tag in zip(faces, tags, strict=True)
    ]
    return np.asarray(np.clip(np.concatenate(rows), 0, 1))


def _blend(tint: Array, weight: Array, colour: tuple[float, float, float]) -> Array:
    return np.asarray(tint + np.clip(weight, 0, 1)[:, None] * (np.array(colour) - tint))


def _tint(skin: Skin) -> Array:
    """Blush on cheeks, nose and ears, darker lids, red lips (V, 3)."""
    p = skin.vertices_mm
    tint = np.ones_like(p)
    tint = _blend(tint, 0.5 * bump(p, (38, -16, 40), (15, 12, 25)), (1.0, 0.62, 0.55))
    tint = _blend(tint, 0.55 * bump(p, (0, -12, 72), (10, 9, 12)), (1.0, 0.68, 0.6))
    tint = _blend(tint, 0.6 * bump(p, (84, 0, -45), (12, 30, 20)), (1.0, 0.6, 0.52))
    for ring, weight in ((2, 0.35), (3, 1.0), (4, 1.0), (5, 1.0), (6, 1.0)):
        loop = skin.rings[MOUTH.key][ring]
        weights = np.zeros(len(p))
        weights[loop] = weight
        tint = _blend(tint, weights, (0.84, 0.45, 0.47))
    return _between_rings(skin, tint)


def _between_rings(skin: Skin, tint: Array) -> Array:
    """Fill the loops that subdivision put between the lips' coloured rings."""
    rings = skin.rings[MOUTH.key]
    coloured = {n for ring in rings[2:7] for n in ring}
    red = {n for quad, tag in zip(skin.quads, skin.tags, strict=True) if tag == "lips"
            for n in quad}
    tint = tint.copy()
    tint[sorted(red - coloured)] = (0.84, 0.45, 0.47)
    return tint


def skin_piece(skin: Skin) -> Piece:
    """The skin with the mouth's bag as a part of its own."""
    faces: list[Face] = [tuple(int(n) for n in quad) for quad in skin.quads]
    cavity = np.zeros(len(skin.vertices_mm), dtype=bool)
    outside = np.zeros_like(cavity)
    is_bag = np.array([tag == "cavity" for tag in skin.tags])
    cavity[skin.quads[is_bag].ravel()] = True
    outside[skin.quads[~is_bag].ravel()] = True
    parts = np.where(cavity & ~outside, "mouth_cavity", "skin").tolist()
    materials = [_MATERIAL_OF_TAG[tag] for tag in skin.tags]
    return Piece(skin.vertices_mm, faces, _uv(skin.vertices_mm, faces, skin.tags), _tint(skin),
                 materials, parts)
