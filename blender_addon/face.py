"""Which mesh is it, and how does a pack's motion reach it: pure numpy.

Two ways lead from a pack to a mesh: the mesh has the pack's own topology, or it is the Soliloquy
head, for which a linear correspondence is stored beside its generator.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import compact_keys, face_check, face_order, head_transfer, packs
from ._backend import errors, pack

Floats = npt.NDArray[np.float32]


class MeshArrays(NamedTuple):
    """A mesh as arrays: rest (V, 3) in its own units, edges (E, 2), polygons; its name. `order`
    (V,), where the artist had its vertices matched, is the pack's vertex that each of them is."""

    name: str
    rest: Floats
    edges: npt.NDArray[np.int32]
    faces: list[tuple[int, ...]]
    order: npt.NDArray[np.int32] | None = None


@dataclass(frozen=True)
class Face:
    """A mesh that fits a pack: linear (3, 3) takes metres in the pack's axes to the mesh's own;
    `transfer` carries the pack's vertices to the Soliloquy head's, or is None; `order` (V,) is the
    pack's vertex that each of the mesh's is, or None where they are alike; all in words."""

    linear: npt.NDArray[np.float64]
    pack_vertices: int
    transfer: head_transfer.Transfer | None = None
    order: npt.NDArray[np.int32] | None = None
    description: str = ""


def match(mesh: MeshArrays, chosen: pack.Pack) -> Face:
    """The way from the pack to the mesh; raises FaceError saying why there is none."""
    topology = chosen.manifest.topology
    transfer = head_transfer.find(topology.name, len(mesh.rest), mesh.faces)
    if transfer is not None:
        fit = face_check.similarity(transfer.rest, mesh.rest)
        return Face(fit.linear, topology.vertex_count, transfer,
                    description=_described("Soliloquy head", mesh, fit))
    if len(mesh.rest) != topology.vertex_count:
        raise face_check.FaceError(
            "face_unknown", f"'{mesh.name}' has {len(mesh.rest)} vertices; the model "
            f"'{chosen.manifest.name}' moves a '{topology.name}' mesh of {topology.vertex_count}.",
            _other_way(len(mesh.rest)))
    fit = _fit(_in_pack_order(mesh), chosen)
    return Face(fit.linear, topology.vertex_count, order=mesh.order,
                description=_described(topology.name.upper(), mesh, fit))


def displacements_on(target: Face, displacements: Floats) -> Floats:
    """Displacements (T, V, 3) of the pack's vertices as those of the mesh, still in metres and the
    pack's axes; raises MotionError when they are not the pack's."""
    if displacements.shape[1] != target.pack_vertices:
        raise errors.MotionError(
            "motion_vertices", f"The motion has {displacements.shape[1]} vertices, "
            f"the model {target.pack_vertices}.", "Reinstall the model.")
    if target.transfer is None:
        return displacements if target.order is None else displacements[:, target.order]
    # The transfer is linear, so it can carry a basis instead of every frame: several times quicker.
    fine = compact_keys.fine(displacements)
    if fine is None:
        return target.transfer.apply(displacements)
    return np.tensordot(fine.values, target.transfer.apply(fine.shapes), axes=1)


def rest_of(chosen: pack.Pack) -> Floats:
    """The pack's own face at rest (V, 3), metres, in its axes and vertex order."""
    with chosen.open("reference.npz") as file, np.load(file, allow_pickle=False) as arrays:
        rest: Floats = arrays["rest"]
    return rest


def _other_way(vertex_count: int) -> str:
    """What to do about a mesh that the model does not move: there may be one that does."""
    fitting = [e.name for e in packs.installed([]) if e.vertex_count == vertex_count]
    if fitting:
        return f"Choose a model for such a mesh: {', '.join(fitting)}."
    return "Choose such a mesh, another model, or Add > Mesh > Soliloquy Head."


def _in_pack_order(mesh: MeshArrays) -> MeshArrays:
    """The mesh renumbered as the artist confirmed; raises Reordered when it was edited since."""
    if mesh.order is None:
        return mesh
    if not face_order.is_permutation(mesh.order):
        raise face_check.Reordered(
            "face_reordered", f"'{mesh.name}' was edited after its vertices had been matched.",
            "Press Match Vertices below the face again.")
    rest, numbers = np.empty_like(mesh.rest), mesh.order.tolist()
    rest[mesh.order] = mesh.rest
    faces = [tuple(numbers[corner] for corner in polygon) for polygon in mesh.faces]
    return MeshArrays(mesh.name, rest, mesh.order[mesh.edges], faces)


def _fit(mesh: MeshArrays, chosen: pack.Pack) -> face_check.Fit:
    """By connectivity where it is the pack's own; polygons that were joined, split or removed
    leave the places and lengths of the edges to judge by."""
    reference = rest_of(chosen)
    if face_order.has_connectivity(mesh.faces, None, chosen.manifest.topology.face_hash):
        return face_check.similarity(reference, mesh.rest)
    return face_check.fit_in_order(reference, mesh.rest, mesh.edges, mesh.name,
                                   chosen.manifest.name)


def _described(kind: str, mesh: MeshArrays, fit: face_check.Fit) -> str:
    """Such as 'FLAME, 5,023 vertices, in millimetres, Y up, reordered'."""
    unit = fit.unit if fit.unit.startswith("scale") else f"in {fit.unit}"
    words = [kind, f"{len(mesh.rest):,} vertices", unit, f"{fit.up} up"]
    words += ["mirrored"] if fit.mirrored else []
    return ", ".join(words + (["reordered"] if mesh.order is not None else []))
