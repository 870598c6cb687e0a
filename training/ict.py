"""ICT-FaceKit's expression shapes, read from its published mesh and arrays."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.errors import SoliloquyError

from .registration import Floats, Ints

# Face, then head and neck, come first in ICT-FaceKit's vertex order; mouth and eye sockets follow.
SKIN_VERTICES = 11248
TEETH_VERTICES = slice(17039, 21451)
EYEBALL_VERTICES = {"L": slice(21451, 23021), "R": slice(23021, 24591)}
# The lower teeth are those that jawOpen moves this far.
LOWER_TEETH_TRAVEL_CM = 0.3


@dataclass(frozen=True)
class IctFace:
    """ICT-FaceKit's skin in centimetres, x right, y up, z forward."""

    vertices: Floats  # (V, 3)
    triangles: Ints  # (F, 3)
    landmarks: Ints  # (51,)
    names: tuple[str, ...]  # (K,)
    deltas: Floats  # (K, V, 3)
    lower_teeth: Floats  # (T, 3)
    lower_teeth_deltas: Floats  # (K, T, 3)
    eyeballs: dict[str, Floats]  # "L" and "R": (B, 3)


def load(folder: Path) -> IctFace:
    """Read the folder's ict_expressions.npz, generic_neutral_mesh.obj and vertex_indices.json.

    The 53 names are ICT-FaceKit's own list of FACS-like expressions (no pupils, no duplicates).
    """
    for name in ("ict_expressions.npz", "generic_neutral_mesh.obj", "vertex_indices.json"):
        if not (folder / name).is_file():
            raise SoliloquyError(
                "shapes", f"{folder / name} is missing", "give --shapes the ICT-FaceKit folder"
            )
    indices = json.loads((folder / "vertex_indices.json").read_text())
    names = tuple(indices["expressions"])
    with np.load(folder / "ict_expressions.npz") as arrays:
        order = {name: row for row, name in enumerate(arrays["names"].tolist())}
        deltas = arrays["deltas"][[order[name] for name in names]].astype(float)
        vertices = arrays["neutral"].astype(float)
    opening = np.linalg.norm(deltas[names.index("jawOpen"), TEETH_VERTICES], axis=1)
    lower = np.flatnonzero(opening > LOWER_TEETH_TRAVEL_CM) + TEETH_VERTICES.start
    return IctFace(
        vertices[:SKIN_VERTICES],
        _skin_triangles(folder / "generic_neutral_mesh.obj"),
        np.array(indices["idx_to_landmark_verts"][17:]),
        names,
        deltas[:, :SKIN_VERTICES],
        vertices[lower],
        deltas[:, lower],
        {side: vertices[own] for side, own in EYEBALL_VERTICES.items()},
    )


def _skin_triangles(path: Path) -> Ints:
    """Triangles (F, 3) of the skin; quads are cut along their first diagonal."""
    triangles = []
    for line in path.read_text().splitlines():
        if not line.startswith("f "):
            continue
        polygon = [int(corner.split("/")[0]) - 1 for corner in line.split()[1:]]
        if max(polygon) < SKIN_VERTICES:
            triangles += [(polygon[0], b, c) for b, c in itertools.pairwise(polygon[1:])]
    return np.array(triangles)
