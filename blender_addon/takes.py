"""From a motion file to a take: shape keys and their values, in the mesh's own space.

Runs in a thread beside Blender's: numpy and files only.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import compact_keys, face
from ._backend import errors, motion


@dataclass(frozen=True)
class Take:
    """shapes (K, V, 3) in the mesh's units and axes, values (T, K) at `fps`; error in metres."""

    shapes: npt.NDArray[np.float32]
    values: npt.NDArray[np.float32]
    fps: float
    audio_seconds: float
    seed: int
    error_m: float
    audio_sha256: str


def prepare(path: Path, target: face.Face, audio: str) -> Take:
    """The take in a motion.npz for a face, made from the file `audio`; raises MotionError when it
    does not fit the face."""
    loaded = motion.load(path)
    try:
        compact = compact_keys.compress(face.displacements_on(target, loaded.displacements))
    except MemoryError as problem:
        raise errors.MotionError(
            "motion_too_long", f"{loaded.audio_seconds:.0f} s of motion do not fit in memory.",
            "Cut the strip and animate its parts one by one.") from problem
    shapes = np.asarray(compact.shapes @ target.linear.T, dtype=np.float32)
    return Take(shapes, compact.values, loaded.fps, loaded.audio_seconds, loaded.seed,
                compact.error_m, _sha256(audio))


def values_at(take: Take, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """The take's values (N, K) at times (N,) in seconds from its start, linearly interpolated."""
    return motion.interpolate_rows(take.values, seconds * take.fps)


def _sha256(path: str) -> str:
    """The file's sha256 in hex, or '' when it has gone since it was read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
