"""What a generated head consists of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Face = tuple[int, ...]


@dataclass(frozen=True)
class Piece:
    """One part: vertices (V, 3) in mm, faces, and a linear RGB tint (V, 3) for the material.

    `uv` (L, 2) runs over the faces' corners in order, within the part's own unit square;
    `materials` names the material of every face, `parts` the part of every vertex.
    """

    vertices_mm: Array
    faces: list[Face]
    uv: Array
    tint: Array
    materials: list[str]
    parts: list[str]


@dataclass(frozen=True)
class HeadMesh:
    """A head: vertices (V, 3) float32 metres, x right, y up, z forward; the face looks to +z.

    `part` (V,) indexes `part_names`; `uv` (L, 2) runs over the faces' corners in order;
    `material` (F,) indexes `material_names`; `tint` (V, 3) is linear RGB; `landmarks` (51,) are
    vertex indices in iBUG-68 order without the jaw line.
    """

    vertices: NDArray[np.float32]
    faces: list[Face]
    part: NDArray[np.int32]
    part_names: tuple[str, ...]
    uv: NDArray[np.float32]
    material: NDArray[np.int32]
    material_names: tuple[str, ...]
    tint: NDArray[np.float32]
    landmarks: NDArray[np.int32]


def corners(faces: list[Face], values: Array) -> Array:
    """Values (V, C) per vertex as values (L, C) per face corner."""
    return np.asarray(values[[n for face in faces for n in face]])


def unit_square(uv: Array) -> Array:
    """UVs (N, 2) shifted and scaled to fill the unit square."""
    low, high = uv.min(axis=0), uv.max(axis=0)
    return np.asarray((uv - low) / np.maximum(high - low, 1e-9))


def simple_piece(vertices_mm: Array, faces: list[Face], part: str, material: str,
                 uv: Array) -> Piece:
    """A piece of one part and one material without tint; `uv` (V, 2) of any extent."""
    return Piece(vertices_mm, faces, corners(faces, unit_square(uv)),
                 np.ones_like(vertices_mm), [material] * len(faces), [part] * len(vertices_mm))
