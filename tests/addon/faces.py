"""Meshes for tests, and what moves on them."""

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from tests.data import make_tiny_pack

SCALE = 10.0


def add_ball(name: str, order: Any = None) -> Any:
    """The tiny pack's 42 vertices (in another `order`, if given), in Blender's axes, 1 m radius."""
    rest, triangles = make_tiny_pack.icosphere()
    order = np.arange(len(rest)) if order is None else np.asarray(order)
    place_of = np.argsort(order)
    x, y, z = rest[order].T
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata((np.stack([x, -z, y], axis=1) * SCALE).tolist(), [],
                     [tuple(int(place_of[i]) for i in face) for face in triangles])
    face = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(face)
    return face


def places_at(face: Any, frame: int) -> Any:
    """Evaluated vertex places (V, 3) of a face at a frame."""
    bpy.context.scene.frame_set(frame)
    mesh = face.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    places = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    mesh.vertices.foreach_get("co", places)
    return places.reshape(-1, 3)


def rest_places(face: Any) -> Any:
    """Vertex places (V, 3) of the mesh itself."""
    places = np.empty(len(face.data.vertices) * 3, dtype=np.float32)
    face.data.vertices.foreach_get("co", places)
    return places.reshape(-1, 3)


def opening_at(face: Any, frame: int) -> float:
    """How far the lowest-moving vertex is below its rest place, mesh units: the "mouth"."""
    return float((rest_places(face) - places_at(face, frame))[:, 2].max())


def imported(operator: Any, path: Path) -> Any:
    """The one mesh object that an importer adds."""
    before = set(bpy.data.objects)
    operator(filepath=str(path))
    return next(new for new in set(bpy.data.objects) - before if new.type == "MESH")
