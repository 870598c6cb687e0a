"""Teeth with gums and the tongue: lofted parts that follow the jaw."""

import numpy as np

from .loft import loft
from .mesh import Array, Piece, corners, simple_piece, unit_square

_TEETH, _PER_TOOTH = 12, 2
# A tooth row's section: outward from the arch in mm; along the tooth, 0 at its edge, 1 at its root.
_SECTION = np.array([[-4.5, 1.0], [-4.0, 0.45], [-1.6, 0.02], [-0.2, 0.0],
                     [0.9, 0.28], [0.8, 0.62], [1.5, 0.7], [0.6, 1.0]])
_GUM_SIDES = (5, 6, 7)


def _row(edge_y_mm: float, root_y_mm: float, front_z_mm: float, half_width_mm: float) -> Array:
    """Sections (S, 8, 3) of one row of teeth along its arch, right to left."""
    count = _TEETH * _PER_TOOTH + 1
    phi = np.radians(np.linspace(-82, 82, count))
    out = np.stack([np.sin(phi), np.zeros(count), np.cos(phi)], axis=-1)
    depth = 34.0
    arch = np.stack([half_width_mm * np.sin(phi), np.zeros(count),
                     front_z_mm - depth + depth * np.cos(phi)], axis=-1)
    gap = np.where(np.arange(count) % _PER_TOOTH == 0, 1.0, 0.0)
    gap[[0, -1]] = 0
    sections = arch[:, None] + out[:, None] * _SECTION[None, :, :1]
    crown = np.isin(np.arange(len(_SECTION)), (2, 3, 4, 5))
    sections -= out[:, None] * (0.5 * gap[:, None] * crown)[:, :, None]
    back = 1 - 0.12 * np.abs(np.sin(phi))
    along = _SECTION[:, 1] + 0.018 * gap[:, None] * np.isin(np.arange(len(_SECTION)), (2, 3))
    sections[..., 1] = edge_y_mm + (root_y_mm - edge_y_mm) * (1 - back[:, None] * (1 - along))
    return np.asarray(sections)


def _teeth(part: str, sections: Array) -> Piece:
    vertices, faces = loft(sections)
    rows, count = sections.shape[:2]
    place = np.indices((rows, count)).reshape(2, -1).T.astype(float)
    materials = []
    for face in faces:
        sides = {n % count for n in face}
        gum = sides <= {5, 6, 7, 0} or sides == {0, 1}
        materials.append("gums" if gum else "teeth")
    uv = corners(faces, unit_square(place))
    return Piece(vertices, faces, uv, np.ones_like(vertices), materials, [part] * len(vertices))


def teeth_upper() -> Piece:
    """The upper row, whose edge shows a little when the mouth opens."""
    return _teeth("teeth_upper", _row(-47.8, -33.5, 49.6, 22.0))


def teeth_lower() -> Piece:
    """The lower row, just behind the upper."""
    return _teeth("teeth_lower", _row(-45.4, -58.0, 46.2, 19.8))


def tongue() -> Piece:
    """The tongue at rest on the floor of the mouth, tip behind the lower teeth."""
    s = np.array([0.0, 0.12, 0.28, 0.45, 0.62, 0.78, 0.9, 0.97, 1.0])
    angle = np.arange(12) * 2 * np.pi / 12
    width = 15.5 * np.sqrt(np.maximum(1 - np.maximum(s - 0.35, 0) ** 2 / 0.427, 0.003))
    thick = 6.5 * np.sqrt(np.maximum(1 - s**4, 0.01))
    x = width[:, None] * np.cos(angle)
    groove = 1.4 * np.exp(-((x / 4.0) ** 2)) * (np.sin(angle) > 0.1) * (1 - s**3)[:, None]
    y = (-54 + 4.5 * np.sin(np.pi * s))[:, None] + thick[:, None] * np.sin(angle) - groove
    z = np.broadcast_to((2 + 38.5 * s)[:, None], x.shape)
    sections = np.stack([x, y, z], axis=-1)
    vertices, faces = loft(sections)
    return simple_piece(vertices, faces, "tongue", "tongue", vertices[:, [0, 2]])
