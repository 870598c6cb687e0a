"""From motion files to takes: shape keys and their values, in the mesh's own space.

Runs in a thread beside Blender's: numpy and files only.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import closures, compact_keys, face, regions
from ._backend import errors, motion

Floats = npt.NDArray[np.float32]
# Takes of more than 230 MB in all are compressed one by one, each to shape keys of its own: their
# curves outweigh their keys by then, and memory is dear.
_SHARED_LIMIT = 20_000_000


@dataclass(frozen=True)
class Take:
    """shapes (K, V, 3) in the mesh's units and axes, of which the first `lower` move the lower
    face; values (T, K) at `fps`; error in metres. Takes of one press share their shapes where that
    keeps the error. `blink` (V, 3): the closing of both eyes in mesh units, if the pack has it;
    `shut` (N,): the frames of the motion in which the lips shut; `neutral` (T, K): the values
    without emotion, if they were made."""

    shapes: Floats
    values: Floats
    fps: float
    audio_seconds: float
    seed: int
    error_m: float
    audio_sha256: str
    lower: int = 0
    blink: Floats | None = None
    codes: motion.Codes | None = None
    shut: closures.Moments = field(default_factory=closures.NONE.copy)
    neutral: Floats | None = None

    @property
    def described(self) -> str:
        """What it is on the face."""
        return f"{len(self.shapes)} shape keys"


def prepare(paths: Sequence[Path], target: face.Face, audio: str,
            reference: regions.Reference, count: int) -> list[Take]:
    """The `count` takes in motion files for a face, made from the file `audio`, with those without
    emotion that may come after them; raises MotionError when one does not fit the face."""
    loaded = [motion.load(path) for path in paths]
    try:
        return _together(loaded, target, sha256_of(audio), reference, count)
    except MemoryError as problem:
        raise errors.MotionError(
            "motion_too_long", f"{loaded[0].audio_seconds:.0f} s of motion do not fit in memory.",
            "Cut the strip and animate its parts one by one.") from problem


def _together(loaded: Sequence[motion.Motion], target: face.Face, audio_sha256: str,
              reference: regions.Reference, count: int) -> list[Take]:
    """All takes on shared shape keys, also with those without emotion after the first `count`; each
    on its own where that would cost precision."""
    small = sum(take.displacements[..., 0].size for take in loaded) <= _SHARED_LIMIT
    shared = _compressed(loaded, target, reference.upper) if small or count == 1 else None
    if shared is None or (shared.error_m > compact_keys.TOLERANCE_M and count > 1):
        return [take for number in range(count)
                for take in _together(loaded[number::count], target, audio_sha256, reference, 1)]
    shapes = _in_mesh_units(target, shared.shapes)
    ends = np.cumsum([len(take.displacements) for take in loaded])[:-1]
    played = np.split(shared.values, ends)
    calm: Sequence[Floats | None] = played[count:] or [None] * count
    return [Take(shapes, values, take.fps, take.audio_seconds, take.seed, shared.error_m,
                 audio_sha256, shared.lower, _blink(target, reference.blink), take.codes,
                 closures.moments(take.displacements, reference.lip_pairs), neutral)
            for take, values, neutral in zip(loaded[:count], played[:count], calm, strict=True)]


@dataclass(frozen=True)
class _Compressed:
    shapes: Floats
    values: Floats
    lower: int
    error_m: float


def _compressed(loaded: Sequence[motion.Motion], target: face.Face, upper: Floats) -> _Compressed:
    frames = [take.displacements for take in loaded]
    parts = regions.split(target, frames[0] if len(frames) == 1 else np.concatenate(frames), upper)
    found, error_m = compact_keys.compress_parts(parts)
    return _Compressed(np.concatenate([part.shapes for part in found]),
                       np.concatenate([part.values for part in found], axis=1),
                       len(found[0].shapes), error_m)


def _blink(target: face.Face, blink: Floats | None) -> Floats | None:
    if blink is None:
        return None
    shut: Floats = _in_mesh_units(target, face.displacements_on(target, blink[None]))[0]
    return shut


def _in_mesh_units(target: face.Face, metres: Floats) -> Floats:
    return np.asarray(metres @ target.linear.T, dtype=np.float32)


def values_at(take: Take, seconds: npt.NDArray[np.float64]) -> Floats:
    """The take's values (N, K) at times (N,) in seconds from its start, linearly interpolated, but
    for the frames that show a closure of the lips."""
    return motion.interpolate_rows(take.values, closures.shown(seconds * take.fps, take.shut))


def sha256_of(path: str) -> str:
    """The file's sha256 in hex, or '' when it has gone since it was read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
