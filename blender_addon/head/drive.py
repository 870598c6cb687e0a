"""FLAME motion made to move the Soliloquy head: a linear map, so it carries bases as well as frames."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

FLAME_FILE = Path(__file__).with_name("flame.npz")
# Frames moved at once: keeps a minute of animation well under 100 MB of scratch.
FRAMES_AT_ONCE = 64


class Correspondence(NamedTuple):
    """How each head vertex follows FLAME.

    Skin: matrix @ (weighted mean of a few FLAME displacements). Jaw: the rigid motion (translation,
    small rotation vector) of FLAME's chin, taken with jaw_weight by teeth, tongue and cavity.
    """

    index: Ints  # (V, S) FLAME vertices
    weight: Floats  # (V, S)
    matrix: Floats  # (V, 3, 3)
    jaw_index: Ints  # (J,) FLAME vertices of the chin
    jaw_solver: Floats  # (6, 3 J): their displacements -> translation (3), rotation vector (3)
    jaw_weight: Floats  # (V,)
    jaw_arm: Floats  # (V, 3) metres from the jaw's pivot


def load(path: Path = FLAME_FILE) -> Correspondence:
    """Read a stored correspondence."""
    with np.load(path, allow_pickle=False) as arrays:
        integers = {"index", "jaw_index"}
        return Correspondence(
            **{
                name: arrays[name].astype(np.int32 if name in integers else np.float32)
                for name in Correspondence._fields
            }
        )


def save(path: Path, correspondence: Correspondence) -> None:
    """Write small: half precision is 1/2000 of a displacement, and FLAME has 5,023 vertices."""
    arrays = {
        name: value.astype(np.uint16 if value.dtype.kind in "iu" else np.float16)
        for name, value in correspondence._asdict().items()
    }
    np.savez_compressed(path, **arrays)


def drive(displacements: Floats, correspondence: Correspondence) -> Floats:
    """Move the head: FLAME displacements (T, 5023, 3) in metres -> head's (T, V, 3) in metres."""
    moved = np.empty((len(displacements), len(correspondence.weight), 3), dtype=np.float32)
    for start in range(0, len(displacements), FRAMES_AT_ONCE):
        part = slice(start, start + FRAMES_AT_ONCE)
        frames = np.asarray(displacements[part], dtype=np.float32)
        moved[part] = _skin(frames, correspondence) + _jaw(frames, correspondence)
    return moved


def _skin(frames: Floats, correspondence: Correspondence) -> Floats:
    """Skin motion (T, V, 3)."""
    mean = np.zeros((len(frames), len(correspondence.weight), 3), dtype=np.float32)
    for source in range(correspondence.index.shape[1]):
        weight = correspondence.weight[:, source, None]
        mean += weight * frames[:, correspondence.index[:, source]]
    return np.asarray(np.einsum("vij,tvj->tvi", correspondence.matrix, mean))


def _jaw(frames: Floats, correspondence: Correspondence) -> Floats:
    """Jaw motion (T, V, 3); zero for what does not follow the jaw."""
    chin = frames[:, correspondence.jaw_index].reshape(len(frames), -1)
    motion = chin @ correspondence.jaw_solver.T
    turned = np.cross(motion[:, None, 3:], correspondence.jaw_arm[None])
    return np.asarray(correspondence.jaw_weight[:, None] * (motion[:, None, :3] + turned))
