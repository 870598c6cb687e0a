"""FLAME motion made to move the Soliloquy head: a linear map, so it carries bases too."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

FLAME_FILE = Path(__file__).with_name("flame.npz")
# Frames moved at once: keeps a minute of animation well under 100 MB of scratch.
FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Correspondence:
    """How each head vertex follows FLAME.

    Skin takes matrix @ (weighted mean of a few FLAME displacements). Beside that, a handful of
    numbers read off FLAME's skin (jaw translation and rotation, each eye's lid closure) each add
    their own shape: teeth, tongue and cavity follow the jaw, and the head's lids close fully.
    """

    index: Ints  # (V, S) FLAME vertices
    weight: Floats  # (V, S)
    matrix: Floats  # (V, 3, 3)
    readout_index: Ints  # (N,) FLAME vertices
    readout: Floats  # (R, 3 N): their displacements -> R numbers
    shapes: Floats  # (R, V, 3) metres for a number of 1

    @property
    def vertex_count(self) -> int:
        """Vertices of the head it drives."""
        return len(self.weight)


def load(path: Path = FLAME_FILE) -> Correspondence:
    """Read a stored correspondence."""
    with np.load(path, allow_pickle=False) as arrays:
        return Correspondence(
            **{
                field.name: arrays[field.name].astype(
                    np.int32 if "index" in field.name else np.float32
                )
                for field in fields(Correspondence)
            }
        )


def drive(displacements: Floats, correspondence: Correspondence) -> Floats:
    """Move the head: FLAME displacements (T, 5023, 3) in metres -> head's (T, V, 3) in metres."""
    moved = np.empty((len(displacements), len(correspondence.weight), 3), dtype=np.float32)
    for start in range(0, len(displacements), FRAMES_AT_ONCE):
        part = slice(start, start + FRAMES_AT_ONCE)
        frames = np.asarray(displacements[part], dtype=np.float32)
        moved[part] = _skin(frames, correspondence) + _read_shapes(frames, correspondence)
    return moved


def _skin(frames: Floats, correspondence: Correspondence) -> Floats:
    """Skin motion (T, V, 3)."""
    mean = np.zeros((len(frames), len(correspondence.weight), 3), dtype=np.float32)
    for source in range(correspondence.index.shape[1]):
        weight = correspondence.weight[:, source, None]
        mean += weight * frames[:, correspondence.index[:, source]]
    return np.asarray(np.einsum("vij,tvj->tvi", correspondence.matrix, mean))


def _read_shapes(frames: Floats, correspondence: Correspondence) -> Floats:
    """Motion (T, V, 3) of the shapes that follow numbers read off FLAME."""
    seen = frames[:, correspondence.readout_index].reshape(len(frames), -1)
    return np.asarray(np.tensordot(seen @ correspondence.readout.T, correspondence.shapes, 1))
