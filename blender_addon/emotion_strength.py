"""How much of its emotion a take plays, after it was made.

A take made with its neutral performance beside it keeps, on its Action, by how much each curve
differs from the neutral one's. At a strength s a curve is what was made plus (s - 1) times that: 0
is the neutral performance, 1 is what was made, and more exaggerates. Whether the lips are in time
at both ends, they are between.
"""

from collections.abc import Callable, Sequence
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from . import keyframes

_STORED = "soliloquy_emotion"
Floats = npt.NDArray[np.float32]


def store(action: bpy.types.Action, paths: Sequence[str], frames: npt.NDArray[Any],
          difference: Floats) -> None:
    """Keep by how much the curves with these data paths differ (N, K) from the neutral performance
    at frames (N,)."""
    # By number, for Blender cuts the names of properties at 63 bytes.
    action[_STORED] = {
        "frames": np.asarray(frames, "<f4").tobytes(),
        "curves": {str(number): {"path": path, "values": column.astype("<f4").tobytes()}
                   for number, (path, column) in enumerate(zip(paths, difference.T, strict=True))}}


def known(action: bpy.types.Action) -> bool:
    """Whether a take knows its neutral performance."""
    return _STORED in action


def differences(action: bpy.types.Action) -> dict[str, Floats]:
    """By data path, frames and differences (N, 2); nothing for a take that does not know them."""
    stored = action.get(_STORED)
    if stored is None:
        return {}
    frames = np.frombuffer(stored["frames"], "<f4")
    return {str(row["path"]): np.stack([frames, np.frombuffer(row["values"], "<f4")], axis=1)
            for row in stored["curves"].values()}


def forget(action: bpy.types.Action, share: Callable[[Floats], Floats]) -> None:
    """Know nothing of the neutral performance where a take was made again: `share` gives how much
    of it was, 0..1, at frames (N,)."""
    kept = differences(action)
    if kept:
        frames = next(iter(kept.values()))[:, 0]
        left = np.stack([points[:, 1] for points in kept.values()], axis=1)
        store(action, list(kept), frames, left * (1 - share(frames))[:, None])


def at(made: Floats, difference: Floats | None, strength: float) -> Floats:
    """Points (N, 2), frame and value, of what was made, played at a strength."""
    if difference is None or strength == 1.0:
        return made
    played = made.copy()
    frames = keyframes.frames_of(difference[:, 0], made[:, 0])
    played[:, 1] += (strength - 1.0) * np.interp(frames, difference[:, 0], difference[:, 1])
    return played
