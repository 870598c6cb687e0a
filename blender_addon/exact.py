"""A take without compression: the face's places at every frame of the scene, as one shape key per
frame, or as a point cache in a file beside the .blend.

Runs in a thread beside Blender's: numpy and files only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import closures, face, takes
from ._backend import errors, motion
from .exports import point_caches

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """The frames of the scene that the sound lasts: the first, and by how many seconds it is later
    than the sound's beginning; the pack's pairs (P, 2) of lip vertices, which say when lips shut.
    """

    fps: float
    first_frame: int
    late_s: float
    fade_frames: int
    lip_pairs: npt.NDArray[np.int32]

    def seconds(self, audio_seconds: float) -> npt.NDArray[np.float64]:
        """Seconds (N,) from the beginning of the sound, one per frame."""
        count = motion.frame_count(audio_seconds, self.fps)
        return np.arange(count) / self.fps + self.late_s


@dataclass(frozen=True)
class Frames:
    """shapes (N, V, 3): displacements in mesh units, one per frame of the scene. `error_m` is what
    single precision rounds off a place, in metres."""

    shapes: Floats
    seed: int
    audio_seconds: float
    error_m: float
    audio_sha256: str

    @property
    def described(self) -> str:
        """What it is on the face."""
        return f"{len(self.shapes)} shape keys"


@dataclass(frozen=True)
class Cache:
    """A point cache in a file, with rest `fade_frames` before and after the line."""

    path: Path
    vertex_count: int
    frame_count: int
    seed: int
    audio_seconds: float
    error_m: float
    audio_sha256: str

    @property
    def described(self) -> str:
        """What it is on the face."""
        return f"a point cache of {self.frame_count} frames"


def frames(paths: Sequence[Path], target: face.Face, audio: str, grid: Grid,
           rest: Floats) -> list[Frames]:
    """The takes in motion files at every frame of the scene, for a mesh at `rest` (V, 3), made
    from the file `audio`; raises MotionError."""
    sha256, loaded = takes.sha256_of(audio), (motion.load(path) for path in paths)
    return [Frames(_at_frames(take, target, grid), take.seed, take.audio_seconds,
                   _rounding_m(target, rest), sha256) for take in loaded]


def caches(paths: Sequence[Path], target: face.Face, audio: str, grid: Grid, rest: Floats,
           into: Sequence[Path]) -> list[Cache]:
    """The takes of `frames` as PC2 files, one per path of `into`; raises MotionError."""
    made = []
    for source, path in zip(paths, into, strict=True):
        (take,) = frames([source], target, audio, grid, rest)
        moved = _with_fades(take.shapes, grid.fade_frames)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            point_caches.write_pc2(path, len(moved), len(rest), (rest + frame for frame in moved))
        except OSError as problem:
            raise errors.MotionError(
                "cannot_write", f"The point cache '{path}' cannot be written: {problem.strerror}.",
                "Choose another Cache Folder, or make room.") from problem
        made.append(Cache(path, len(rest), len(moved), take.seed, take.audio_seconds,
                          take.error_m, take.audio_sha256))
    return made


def _at_frames(loaded: motion.Motion, target: face.Face, grid: Grid) -> Floats:
    moved = face.displacements_on(target, loaded.displacements)
    positions = closures.shown(grid.seconds(loaded.audio_seconds) * loaded.fps,
                               closures.moments(loaded.displacements, grid.lip_pairs))
    at = motion.interpolate_rows(moved, positions)
    return np.asarray(at @ target.linear.T, dtype=np.float32)


def _with_fades(shapes: Floats, fade_frames: int) -> Floats:
    """Shapes (N, V, 3) with a linear way out of and back to rest, `fade_frames` on each side."""
    rise = (np.arange(fade_frames, dtype=np.float32) / fade_frames)[:, None, None]
    return np.concatenate([rise * shapes[0], shapes, rise[::-1] * shapes[-1]])


def _rounding_m(target: face.Face, rest: Floats) -> float:
    mesh_units_in_a_metre = float(np.cbrt(abs(np.linalg.det(target.linear))))
    return float(np.spacing(np.abs(rest).max())) / mesh_units_in_a_metre
