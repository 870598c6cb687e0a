"""Motion at another frame rate: linear interpolation at the new frames' times.

Frame 0 is at time 0 in both. Where a new frame falls on an old one, it is the old one unchanged;
so 60 -> 30 fps is every second frame, as FaceFormer and its successors do it.
"""

from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]


class Track(Protocol):
    """Vertex positions that lie on disk and are read frame by frame."""

    @property
    def frames(self) -> int:
        """How many frames there are."""

    @property
    def fps(self) -> float:
        """Frames per second."""

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3) of these frames only."""


class Picks(NamedTuple):
    """New frame i lies between old frames low[i] and high[i], `weight[i]` of the way."""

    low: Ints
    high: Ints
    weight: npt.NDArray[np.float64]


def picks(frames: int, from_fps: float, to_fps: float, start: int = 0,
          stop: int | None = None) -> Picks:
    """Where the new frames start..stop (of all, like a slice) lie among `frames` old ones."""
    step = _exact(from_fps) / _exact(to_fps)
    count = int((frames - 1) / step) + 1
    times = np.arange(*slice(start, stop).indices(count), dtype=np.int64) * step.numerator
    low, rest = np.divmod(times, step.denominator)
    return Picks(low, np.minimum(low + 1, frames - 1), rest / step.denominator)


def frame_count(frames: int, from_fps: float, to_fps: float) -> int:
    """How many frames `frames` old ones become: those whose time is not past the last."""
    return len(picks(frames, from_fps, to_fps).low)


def read(track: Track, where: Picks) -> Floats:
    """Positions (T, V, 3) at the picks; reads from the track only what they need."""
    between = where.weight > 0
    high = np.where(between, where.high, where.low)
    needed = np.union1d(where.low, high)
    found = track.read(needed)
    before = found[np.searchsorted(needed, where.low)]
    if not between.any():
        return before
    after = found[np.searchsorted(needed, high)]
    return before + where.weight.astype(before.dtype)[:, None, None] * (after - before)


class ArrayTrack(NamedTuple):
    """A track in memory."""

    positions: Floats  # (T, V, 3)
    fps: float

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.positions)

    def read(self, which: Ints) -> Floats:
        """Positions (len(which), V, 3)."""
        return self.positions[which]


def at_fps(positions: Floats, from_fps: float, to_fps: float) -> Floats:
    """Positions (or displacements) (T, V, 3) in memory at another frame rate."""
    track = ArrayTrack(positions, from_fps)
    return read(track, picks(track.frames, from_fps, to_fps))


def _exact(fps: float) -> Fraction:
    """The rate as a fraction, 29.97 being 30000 / 1001, so that long clips do not drift."""
    return Fraction(fps).limit_denominator(1001)
