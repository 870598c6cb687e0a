"""Motion as few shape keys: the smallest basis that stays within a stated error everywhere.

A truncated SVD of the frames (T, V*3). It is found with a randomised range finder and one power
iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4), which on a minute of a 5,023-vertex face
is many times quicker than the exact SVD. What it leaves out is never assumed: the largest error
is measured on every vertex and frame.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

TOLERANCE_M = 1e-4
KEY_LIMIT = 64
# Far below what the keys may miss, so that the two errors need not be added up.
_FINE_M = 2e-6
_FINE_KEYS = 128
_TIGHTER = 0.7
_TRIES = 4
_SPARE_DIRECTIONS = 16
_PROBE_FRAMES = 96
_BLOCK_FRAMES = 128


class CompactMotion(NamedTuple):
    """shapes (K, V, 3) metres, values (T, K) within -1..1, and the largest error in metres."""

    shapes: Array
    values: Array
    error_m: float


def compress(displacements: Array, tolerance_m: float = TOLERANCE_M,
             key_limit: int = KEY_LIMIT) -> CompactMotion:
    """Fewest keys that rebuild displacements (T, V, 3) within `tolerance_m` at every vertex and
    frame, or `key_limit` keys where that is not enough; `error_m` says what was reached."""
    frames, vertices = displacements.shape[:2]
    flat = np.ascontiguousarray(displacements, dtype=np.float32).reshape(frames, vertices * 3)
    left, right = _leading_directions(flat, min(key_limit, frames, vertices * 3))
    count = _fewest(flat, left, right, tolerance_m)
    error_m = _largest_error(flat, left[:, :count], right[:count])
    while error_m > tolerance_m and count < len(right):
        count += 1
        error_m = _largest_error(flat, left[:, :count], right[:count])
    values, shapes = _scaled(left[:, :count], right[:count])
    return CompactMotion(shapes.reshape(-1, vertices, 3), values, error_m)


def compress_parts(parts: Sequence[Array], tolerance_m: float = TOLERANCE_M,
                   key_limit: int = KEY_LIMIT) -> tuple[list[CompactMotion], float]:
    """Keys for each of several motions (T, V, 3) that play together, and the largest error of
    their sum in metres; the first may take five eighths of `key_limit`, the next the same share of
    what is left, the last all of it."""
    tolerance = tolerance_m
    for _attempt in range(_TRIES):
        found = _within(parts, tolerance, key_limit)
        error_m = _error_of_sum(parts, found)
        capped = sum(len(part.shapes) for part in found) >= key_limit
        if error_m <= tolerance_m or capped:
            break
        # Errors of two parts can meet in one vertex on their border.
        tolerance *= _TIGHTER
    return found, error_m


def _within(parts: Sequence[Array], tolerance_m: float, key_limit: int) -> list[CompactMotion]:
    found: list[CompactMotion] = []
    for number, part in enumerate(parts, start=1):
        left = key_limit - sum(len(earlier.shapes) for earlier in found)
        share = left if number == len(parts) else left * 5 // 8
        found.append(compress(part, tolerance_m, share))
    return found


def _error_of_sum(parts: Sequence[Array], found: Sequence[CompactMotion]) -> float:
    worst = 0.0
    for start in range(0, len(parts[0]), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        missing = sum(part[block] - np.tensordot(compact.values[block], compact.shapes, axes=1)
                      for part, compact in zip(parts, found, strict=True))
        worst = max(worst, float(np.linalg.norm(missing, axis=2).max(initial=0.0)))
    return worst


def fine(displacements: Array) -> CompactMotion | None:
    """A basis that misses next to nothing, or None when the motion has too many directions."""
    found = compress(displacements, _FINE_M, _FINE_KEYS)
    return found if found.error_m <= _FINE_M else None


def _leading_directions(flat: Array, count: int) -> tuple[Array, Array]:
    """left (T, K) and right (K, V*3), strongest first, whose product is nearest to `flat`."""
    random = np.random.Generator(np.random.PCG64(0))
    width = min(count + _SPARE_DIRECTIONS, len(flat))
    if width < len(flat):
        sketch = flat @ random.standard_normal((flat.shape[1], width), dtype=np.float32)
        sketch = flat @ (flat.T @ _orthonormal(sketch))
        basis = _orthonormal(sketch)
        small = basis.T @ flat
    else:
        basis, small = np.eye(len(flat), dtype=np.float32), flat
    # The Gram matrix is at most 80 x 80 (or T x T for a short clip): cheap in double precision.
    power, turn = np.linalg.eigh(np.asarray(small @ small.T, dtype=np.float64))
    turn = turn[:, ::-1][:, :count].astype(np.float32)
    kept = power[::-1][:count] > max(power[-1], 0.0) * 1e-12
    return basis @ turn[:, kept], turn[:, kept].T @ small


def _orthonormal(columns: Array) -> Array:
    return np.linalg.qr(columns)[0].astype(np.float32)


def _fewest(flat: Array, left: Array, right: Array, tolerance_m: float) -> int:
    """Fewest leading directions that satisfy the frames hardest to rebuild (bisection)."""
    if not len(right):
        return 0
    hardest = _hardest_frames(flat, left, right)
    low, high = 0, len(right)
    while low < high:
        middle = (low + high) // 2
        error = _largest_error(flat[hardest], left[hardest, :middle], right[:middle])
        low, high = (low, middle) if error <= tolerance_m else (middle + 1, high)
    return low


def _hardest_frames(flat: Array, left: Array, right: Array) -> npt.NDArray[np.intp]:
    """Frames with the most left in them after half of the directions, where errors will peak."""
    half = len(right) // 2
    tail = np.square(left[:, half:]) @ np.square(np.linalg.norm(right[half:], axis=1))
    return np.sort(np.argsort(tail)[-_PROBE_FRAMES:])


def _largest_error(flat: Array, left: Array, right: Array) -> float:
    """Largest distance in metres between a vertex and its rebuilt place, over all frames."""
    worst = 0.0
    for start in range(0, len(flat), _BLOCK_FRAMES):
        block = slice(start, start + _BLOCK_FRAMES)
        missing = flat[block] - left[block] @ right
        squares = np.einsum("tvc,tvc->tv", *[missing.reshape(len(missing), -1, 3)] * 2)
        worst = max(worst, float(squares.max(initial=0.0)))
    return float(np.sqrt(worst))


def _scaled(left: Array, right: Array) -> tuple[Array, Array]:
    """Values with a peak of exactly +1 and shapes that carry the size, so sliders read well."""
    peak_rows: npt.NDArray[Any] = np.abs(left).argmax(axis=0)
    peaks = left[peak_rows, np.arange(left.shape[1])]
    return left / peaks, right * peaks[:, None]
