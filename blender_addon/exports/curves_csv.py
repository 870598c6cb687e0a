"""The curves of what plays as a table: a row per frame, a column per shape key."""

import csv
import io
from pathlib import Path

import bpy
import numpy as np

from .. import baking, placing
from .whole_file import replacing


def write(path: Path, keys: bpy.types.Key, fps: float) -> None:
    """Columns frame, seconds (from the first frame), then the value of each shape key of ours,
    sliders and layers included."""
    playing = list(placing.playing(keys))
    first, last = baking.frame_range(playing)
    frames = np.arange(first, last + 1)
    values = baking.sampled(playing, frames)
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["frame", "seconds", *(name for name, _group in values)])
    for row, frame in enumerate(frames.tolist()):
        table.writerow([frame, f"{(frame - first) / fps:.6g}",
                        *(f"{column[row]:.6g}" for column in values.values())])
    with replacing(path) as file:
        file.write(text.getvalue().encode("utf-8"))
