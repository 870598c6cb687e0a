"""Vertices in another order, seen from Blender: the stored answer, the question, and the mesh of
this file that may show the order asked for.

The order is a point attribute, so that it goes with the vertices when Blender sorts them again.
"""

import bpy
import numpy as np
import numpy.typing as npt

from . import face_order, shape_keys
from ._backend import pack
from .face import MeshArrays, rest_of
from .words import translated

ATTRIBUTE = "soliloquy_order"


def stored(mesh: bpy.types.Mesh) -> npt.NDArray[np.int32] | None:
    """What the artist confirmed for this mesh, the pack's vertex that each (V,) is; or None."""
    attribute = mesh.attributes.get(ATTRIBUTE)
    if attribute is None or (attribute.domain, attribute.data_type) != ("POINT", "INT"):
        return None
    order = np.empty(len(mesh.vertices), dtype=np.int32)
    attribute.data.foreach_get("value", order)
    return order


def store(mesh: bpy.types.Mesh, order: npt.NDArray[np.int32]) -> None:
    """Remember an order (V,) on the mesh, in place of an earlier one."""
    forget(mesh)
    mesh.attributes.new(ATTRIBUTE, "INT", "POINT").data.foreach_set("value", order)


def forget(mesh: bpy.types.Mesh) -> None:
    """Remove a stored order, if there is one."""
    attribute = mesh.attributes.get(ATTRIBUTE)
    if attribute is not None:
        mesh.attributes.remove(attribute)


def read(face: bpy.types.Object) -> MeshArrays:
    """The face as arrays, with its stored order."""
    return shape_keys.read_mesh(face)._replace(order=stored(face.data))


def candidates(face: bpy.types.Object) -> list[MeshArrays]:
    """The other meshes of this file that have as many vertices: one may be the face's original."""
    count = len(face.data.vertices)
    holders = {o.data.name_full: o for o in bpy.data.objects if o.type == "MESH"
               and o.data != face.data and len(o.data.vertices) == count}
    return [shape_keys.read_mesh(other) for other in holders.values()]


def find(mesh: MeshArrays, others: list[MeshArrays], chosen: pack.Pack) -> face_order.Order:
    """The order of a mesh: by the first of `others` that has the pack's own, else by the pack's
    face at rest. Runs in any thread; raises FaceError when the order cannot be told."""
    face_hash = chosen.manifest.topology.face_hash
    reference = face_order.Reference(rest_of(chosen), chosen.manifest.name)
    for other in others:
        if face_order.has_connectivity(other.faces, None, face_hash):
            reference = face_order.Reference(other.rest, other.name, other.faces)
            break
    return face_order.find(reference, mesh.rest, mesh.faces, face_hash, mesh.name)


def question(name: str, vertex_count: int, found: face_order.Order) -> str:
    """What the artist is asked before an order is stored."""
    proof = ("The polygons agree with the model's." if found.proven
             else "The polygons differ from the model's, only the places agree.")
    return translated(
        "The {count:,} vertices of '{face}' are in another order than the model's. Matched, they "
        "lie {apart:.2f} mm from it on average. {proof} The order is stored on the mesh; no vertex "
        "is moved.", count=vertex_count, face=name, apart=found.residual_mm,
        proof=translated(proof))
