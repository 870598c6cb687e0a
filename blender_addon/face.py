"""Which mesh is it, and how does a pack's motion reach it: pure numpy.

Two ways lead from a pack to a mesh: the mesh has the pack's own topology, or it is the Soliloquy
head, for which a linear correspondence is stored beside its generator.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import compact_keys, face_check, head_transfer
from ._backend import errors, pack

Floats = npt.NDArray[np.float32]
# Far below what the shape keys may miss, so that the two errors need not be added up.
_FINE_M = 2e-6
_FINE_KEYS = 128


class MeshArrays(NamedTuple):
    """A mesh as arrays: rest (V, 3) in its own units, edges (E, 2), polygons; its name."""

    name: str
    rest: Floats
    edges: npt.NDArray[np.int32]
    faces: list[tuple[int, ...]]


@dataclass(frozen=True)
class Face:
    """A mesh that fits a pack: linear (3, 3) takes metres in the pack's axes to the mesh's own;
    `transfer` carries the pack's vertices to the Soliloquy head's, or is None."""

    linear: npt.NDArray[np.float64]
    pack_vertices: int
    transfer: head_transfer.Transfer | None = None


def match(mesh: MeshArrays, chosen: pack.Pack) -> Face:
    """The way from the pack to the mesh; raises FaceError saying why there is none."""
    topology = chosen.manifest.topology
    transfer = head_transfer.find(topology.name, len(mesh.rest), mesh.faces)
    if transfer is not None:
        fit = face_check.similarity(transfer.rest, mesh.rest)
        return Face(fit.linear, topology.vertex_count, transfer)
    if len(mesh.rest) != topology.vertex_count:
        raise face_check.FaceError(
            "face_unknown", f"'{mesh.name}' has {len(mesh.rest)} vertices; the model "
            f"'{chosen.manifest.name}' moves a '{topology.name}' mesh of {topology.vertex_count}.",
            "Choose such a mesh, another model, or Add > Mesh > Soliloquy Head.")
    return Face(_fit(mesh, chosen).linear, topology.vertex_count)


def displacements_on(target: Face, displacements: Floats) -> Floats:
    """Displacements (T, V, 3) of the pack's vertices as those of the mesh, still in metres and the
    pack's axes; raises MotionError when they are not the pack's."""
    if displacements.shape[1] != target.pack_vertices:
        raise errors.MotionError(
            "motion_vertices", f"The motion has {displacements.shape[1]} vertices, "
            f"the model {target.pack_vertices}.", "Reinstall the model.")
    if target.transfer is None:
        return displacements
    # The transfer is linear, so it can carry a basis instead of every frame: several times quicker.
    fine = compact_keys.compress(displacements, _FINE_M, _FINE_KEYS)
    if fine.error_m > _FINE_M:
        return target.transfer.apply(displacements)
    return np.tensordot(fine.values, target.transfer.apply(fine.shapes), axes=1)


def _fit(mesh: MeshArrays, chosen: pack.Pack) -> face_check.Fit:
    with chosen.open("reference.npz") as file, np.load(file, allow_pickle=False) as arrays:
        reference = arrays["rest"]
    if pack.face_hash(mesh.faces) == chosen.manifest.topology.face_hash:
        return face_check.similarity(reference, mesh.rest)
    return face_check.fit_in_order(reference, mesh.rest, mesh.edges, mesh.name,
                                   chosen.manifest.name)
