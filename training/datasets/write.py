"""Writing clips in the published layouts, so that what reads those sets reads our own.

    write.clip(vocaset.LAYOUT, folder, write.Take("FaceTalk_..._sentence01", ...))
    write.templates(vocaset.LAYOUT, folder, {"FaceTalk_...": face})

Published splits are by name: `vocaset.clips()`, `biwi.clips()` and `mead.clips()` list the ids.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from . import resample, restricted_pickle
from .dataset import Array
from .flat import Layout
from .resample import Floats


class Take(NamedTuple):
    """A clip in memory."""

    id: str  # the file names' stem
    positions: Floats  # (T, V, 3), metres
    fps: float
    samples: Array  # (N,), in [-1, 1]
    rate_hz: int


def clip(layout: Layout, folder: Path, take: Take) -> None:
    """Write a clip's motion, at the layout's frame rate, unit, shape and type, and its sound."""
    positions = resample.at_fps(take.positions, take.fps, layout.fps) / layout.metres_per_unit
    if layout.flat:
        positions = positions.reshape(len(positions), -1)
    for name in (layout.motion, "wav"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    np.save(folder / layout.motion / f"{take.id}.npy", positions.astype(layout.dtype))
    sound(folder / "wav" / f"{take.id}.wav", take.samples, take.rate_hz)


def templates(layout: Layout, folder: Path, faces: Mapping[str, Floats]) -> None:
    """Write the subjects' neutral faces (V, 3), metres, as the layout's pickle (protocol 2)."""
    folder.mkdir(parents=True, exist_ok=True)
    scaled = {name: (f / layout.metres_per_unit).astype(layout.dtype) for name, f in faces.items()}
    restricted_pickle.dump(scaled, folder / layout.templates)


def sound(path: Path, samples: Array, rate_hz: int) -> None:
    """Write samples (N,) in [-1, 1] as 16-bit WAV."""
    soundfile.write(path, samples, rate_hz, subtype="PCM_16", format="WAV")
