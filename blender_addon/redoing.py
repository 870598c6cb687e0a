"""A part of a take made again, from the worker's motion to values of the take's own shape keys.

The worker is given the take's codes and no displacements (a head's cannot be turned back into its
pack's), so what comes back is the new motion times the share by which it replaces the old one; the
shape keys take it in by that same share. Runs in a thread: numpy and files only.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import closures, compact_keys, face, regions
from ._backend import messages, motion, redo

Floats = npt.NDArray[np.float32]
_LEAST_EXTRA = 4


@dataclass(frozen=True)
class Known:
    """The take's own shape keys (K, V, 3), displacements in mesh units, the first `lower` of them
    the lower face's."""

    shapes: Floats
    lower: int


@dataclass(frozen=True)
class Redone:
    """From `first_row` of the motion on, at `fps`: by what share (R,) the new replaces the old,
    values (R, K) of the known keys and (R, E) of further `shapes` (E, V, 3), both times the share;
    `lower` of the further ones are the lower face's. Codes are those of the whole new take; `shut`
    are the frames of the whole motion in which the new part shuts the lips."""

    first_row: int
    fps: float
    share: Floats
    values: Floats
    shapes: Floats
    extra: Floats
    lower: int
    error_m: float
    codes: motion.Codes
    shut: closures.Moments


def write_earlier(path: Path, info: motion.MotionInfo, codes: motion.Codes,
                  vertex_count: int) -> Generator[float, None, None]:
    """Write a motion file of a take's codes at rest, bit by bit as seen from Blender."""
    frames = len(codes.numbers)
    blocks = (np.zeros((1, vertex_count, 3), dtype=np.float32) for _row in range(frames))
    with ThreadPoolExecutor(1, "soliloquy-earlier") as thread:
        done = thread.submit(motion.write, path, info, (frames, vertex_count, 3), blocks, codes)
        while not done.done():
            yield 0.5
        done.result()


def prepare(path: Path, asked: messages.Redo, target: face.Face, known: Known,
            reference: regions.Reference) -> Redone:
    """The redone part in a motion file of `write_earlier`'s making; raises MotionError."""
    loaded = motion.load(path)
    patch = redo.place(asked, len(loaded.displacements), loaded.fps)
    rows = np.flatnonzero(patch.share)
    part = loaded.displacements[patch.first + rows]
    # Where the part fades in from rest the lips only seem to shut.
    shut = closures.moments(part, reference.lip_pairs)
    metres = np.linalg.inv(target.linear)
    own = np.asarray(known.shapes @ metres.T, dtype=np.float32)
    fitted = [_fit(moved, shapes) for moved, shapes in zip(
        regions.split(target, part, reference.upper), (own[:known.lower], own[known.lower:]),
        strict=True)]
    limit = max(_LEAST_EXTRA, compact_keys.KEY_LIMIT - len(own))
    extra, error_m = compact_keys.compress_parts([left for _values, left in fitted],
                                                 key_limit=limit)
    assert loaded.codes is not None  # a worker of this release always says them
    return Redone(
        patch.first + int(rows[0]), loaded.fps, patch.share[rows],
        np.concatenate([values for values, _left in fitted], axis=1),
        np.asarray(np.concatenate([kind.shapes for kind in extra]) @ target.linear.T, np.float32),
        np.concatenate([kind.values for kind in extra], axis=1), len(extra[0].shapes), error_m,
        loaded.codes, patch.first + rows[shut[patch.share[rows[shut]] == 1]])


def _fit(moved: Floats, shapes: Floats) -> tuple[Floats, Floats]:
    """Least-squares values (R, K) of shapes (K, V, 3) for motion (R, V, 3), and what is left."""
    flat, basis = moved.reshape(len(moved), -1), shapes.reshape(len(shapes), -1)
    values = np.linalg.lstsq((basis @ basis.T).astype(np.float64),
                             (basis @ flat.T).astype(np.float64), rcond=1e-9)[0].T
    nearest: Floats = np.asarray(values, dtype=np.float32)
    left: Floats = (flat - nearest @ basis).reshape(moved.shape)
    return nearest, left
