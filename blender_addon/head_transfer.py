"""Recognise the Soliloquy head, and the stored correspondence that lets a FLAME pack drive it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ._backend import pack
from .head import drive

Floats = npt.NDArray[np.float32]
_TOPOLOGY = "flame"


@dataclass(frozen=True)
class Transfer:
    """rest (Vh, 3) of the generated head in metres and the pack's axes, and how it is driven."""

    rest: Floats
    correspondence: drive.Correspondence

    def apply(self, displacements: Floats) -> Floats:
        """FLAME displacements (T, 5023, 3) as the head's (T, Vh, 3), both in metres."""
        return drive.drive(displacements, self.correspondence)


def find(topology: str, vertex_count: int, faces: list[tuple[int, ...]]) -> Transfer | None:
    """The transfer from a topology to this mesh, or None when it is not the Soliloquy head, whose
    connectivity tells it apart however it was posed, scaled or renamed."""
    if topology != _TOPOLOGY or not drive.FLAME_FILE.is_file():
        return None
    correspondence = drive.load()
    if vertex_count != len(correspondence.weight):
        return None
    rest, hash_of_head = _generated()
    return Transfer(rest, correspondence) if pack.face_hash(faces) == hash_of_head else None


@lru_cache(maxsize=1)
def _generated() -> tuple[Floats, str]:
    """The generated head's rest positions and face hash; a second of work, done only for a mesh
    that has its number of vertices."""
    from .head import generate

    head = generate.head()
    return head.vertices, pack.face_hash(head.faces)
