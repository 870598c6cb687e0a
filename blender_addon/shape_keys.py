"""Meshes and shape keys as arrays: read a face at rest, add keys, find the keys of a take."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from itertools import pairwise

import bpy
import numpy as np
import numpy.typing as npt

from .face import MeshArrays

KEY_PREFIX = "Soliloquy"
# On shape keys whose Basis was added here: without it, Clear would not know that the mesh was bare.
MADE_BASIS = "soliloquy_made_basis"
# Values lie within -1..1; the artist may exaggerate up to this, also from a keyframe.
_SLIDER_LIMIT = 4.0


def read_mesh(face: bpy.types.Object) -> MeshArrays:
    """The face at rest: its Basis where it has shape keys, else its vertices."""
    mesh = face.data
    points = mesh.shape_keys.reference_key.points if mesh.shape_keys else mesh.vertices
    rest = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
    points.foreach_get("co", rest)
    edges = np.empty(len(mesh.edges) * 2, dtype=np.int32)
    mesh.edges.foreach_get("vertices", edges)
    return MeshArrays(face.name, rest.reshape(-1, 3), edges.reshape(-1, 2), _polygons(mesh))


def places_of(key: bpy.types.ShapeKey) -> npt.NDArray[np.float32]:
    """A shape key's places (V, 3) in mesh units."""
    flat = np.empty(len(key.points) * 3, dtype=np.float32)
    key.points.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def _polygons(mesh: bpy.types.Mesh) -> list[tuple[int, ...]]:
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    starts = np.empty(len(mesh.polygons), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    mesh.polygons.foreach_get("loop_start", starts)
    bounds = [*starts.tolist(), len(corners)]
    flat = corners.tolist()
    return [tuple(flat[a:b]) for a, b in pairwise(bounds)]


def add_keys(face: bpy.types.Object, shapes: Mapping[str, npt.NDArray[np.float32]],
             undo: ExitStack) -> dict[str, list[str]]:
    """Add one relative key per shape (K, V, 3), displacements in mesh units, for each of some
    kinds such as "lower"; returns their names by kind. `undo` learns how to take them away."""
    bare, active = face.data.shape_keys is None, face.active_shape_key_index
    if bare:
        face.shape_key_add(name="Basis", from_mix=False)
        set_made_basis(face.data.shape_keys)
        undo.callback(face.shape_key_clear)
    rest = places_of(face.data.shape_keys.reference_key)
    prefix = _free_prefix(face.data.shape_keys)
    names = {kind: [add_key(face, f"{prefix} {kind} {number:02d}", rest + shape, undo)
                    for number, shape in enumerate(stack, start=1)]
             for kind, stack in shapes.items()}
    if not bare:
        face.active_shape_key_index = active
    return names


def set_made_basis(keys: bpy.types.Key) -> None:
    """Note on shape keys that the mesh had none before."""
    keys[MADE_BASIS] = True


def add_key(face: bpy.types.Object, name: str, places: npt.NDArray[np.float32],
            undo: ExitStack) -> str:
    """Add one key with its vertices at places (V, 3); returns the name Blender gave it."""
    key = face.shape_key_add(name=name, from_mix=False)
    undo.callback(_remover(face, key.name))
    key.slider_max, key.slider_min = _SLIDER_LIMIT, -_SLIDER_LIMIT
    key.points.foreach_set("co", np.ascontiguousarray(places, dtype=np.float32).ravel())
    key.value = 0.0
    return str(key.name)


def _remover(face: bpy.types.Object, name: str) -> Callable[[], None]:
    return lambda: face.shape_key_remove(face.data.shape_keys.key_blocks[name])


def _free_prefix(keys: bpy.types.Key) -> str:
    """'Soliloquy' for the first press, then 'Soliloquy 2', so that keys of a press sort
    together."""
    taken = {key.name.rpartition(" ")[0].rpartition(" ")[0] for key in keys.key_blocks}
    press = 1
    while (prefix := KEY_PREFIX if press == 1 else f"{KEY_PREFIX} {press}") in taken:
        press += 1
    return prefix
