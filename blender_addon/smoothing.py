"""A curve smoothed over time: pure numpy."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_REACH_SIGMAS = 3.0


def at(points: Floats, frames: npt.NDArray[Any], sigma_frames: float) -> Floats:
    """The line through points (N, 2), frame and value, convolved with a Gaussian and read at
    frames (M,). It ends where it began and ended, so that rest stays rest; with sigma 0 it is the
    line itself, exact at its points."""
    line = np.interp(frames, points[:, 0], points[:, 1])
    if sigma_frames <= 0 or len(points) < 3:
        return line.astype(np.float32)
    grid = np.arange(np.floor(points[0, 0]), np.ceil(points[-1, 0]) + 1)
    smooth = np.interp(frames, grid, _convolved(np.interp(grid, points[:, 0], points[:, 1]),
                                                sigma_frames))
    outside = (frames <= points[0, 0]) | (frames >= points[-1, 0])
    return np.where(outside, line, smooth).astype(np.float32)


def _convolved(values: npt.NDArray[np.float64], sigma: float) -> npt.NDArray[np.float64]:
    reach = max(1, int(np.ceil(_REACH_SIGMAS * sigma)))
    kernel = np.exp(-np.square(np.arange(-reach, reach + 1) / sigma) / 2)
    held = np.pad(values, reach, mode="edge")
    return np.convolve(held, kernel / kernel.sum(), mode="valid")
