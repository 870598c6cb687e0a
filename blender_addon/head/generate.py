"""The whole head, put together from its parts."""

import numpy as np

from . import brows, eyes, hair, landmarks, paint, teeth
from .materials import MATERIALS
from .mesh import Array, HeadMesh, Piece
from .skin import build_skin

PART_NAMES = ("skin", "mouth_cavity", "eye_left", "eye_right", "teeth_upper", "teeth_lower",
              "tongue", "brows", "lashes", "hair")
# Where each part's UVs lie: left, bottom, width, height.
_UV_CELLS = {
    "skin": (0.0, 0.0, 1.0, 1.0),
    "eye_left": (0.0, 0.0, 0.14, 0.14),
    "eye_right": (0.15, 0.0, 0.14, 0.14),
    "teeth_upper": (0.44, 0.0, 0.3, 0.06),
    "teeth_lower": (0.44, 0.07, 0.3, 0.06),
    "tongue": (0.44, 0.14, 0.3, 0.08),
    "hair": (0.76, 0.0, 0.12, 0.22),
    "brows": (0.89, 0.0, 0.11, 0.1),
    "lashes": (0.89, 0.12, 0.11, 0.1),
}


def _pieces() -> list[Piece]:
    """All parts but the skin."""
    return [
        eyes.eyeball(1), eyes.eyeball(-1), teeth.teeth_upper(), teeth.teeth_lower(),
        teeth.tongue(), brows.brow(1), brows.brow(-1), brows.lashes(1), brows.lashes(-1),
        hair.hair(),
    ]


def _uv(piece: Piece) -> Array:
    left, bottom, width, height = _UV_CELLS[piece.parts[0]]
    return np.asarray(piece.uv * (width, height) + (left, bottom))


def head() -> HeadMesh:
    """Generate the head; the same arrays every time."""
    skin = build_skin()
    pieces = [paint.skin_piece(skin), *_pieces()]
    starts = np.cumsum([0] + [len(piece.vertices_mm) for piece in pieces])
    faces = [
        tuple(int(n + start) for n in face)
        for start, piece in zip(starts, pieces, strict=False)
        for face in piece.faces
    ]
    names = tuple(MATERIALS)
    return HeadMesh(
        vertices=(np.concatenate([p.vertices_mm for p in pieces]) / 1000).astype(np.float32),
        faces=faces,
        part=np.array([PART_NAMES.index(n) for p in pieces for n in p.parts], dtype=np.int32),
        part_names=PART_NAMES,
        uv=np.concatenate([_uv(piece) for piece in pieces]).astype(np.float32),
        material=np.array([names.index(n) for p in pieces for n in p.materials], dtype=np.int32),
        material_names=names,
        tint=np.concatenate([p.tint for p in pieces]).astype(np.float32),
        landmarks=landmarks.find(skin),
    )
