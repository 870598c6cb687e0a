"""Point caches, the vertices of every frame: PC2 (3ds Max, Blender) and MDD (LightWave, Maya).

Both hold places (F, V, 3) of one mesh in its own vertex order and local space. Pure numpy.
"""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .whole_file import replacing

Places = npt.NDArray[np.float32]


def write_pc2(path: Path, frame_count: int, vertex_count: int, places: Iterable[Places]) -> None:
    """A PC2 file of one sample per frame: 'POINTCACHE2', version 1, V, start, rate, F, then
    little-endian float32."""
    with replacing(path) as file:
        file.write(struct.pack("<12siiffi", b"POINTCACHE2\0", 1, vertex_count, 0.0, 1.0,
                               frame_count))
        for frame in places:
            file.write(np.ascontiguousarray(frame, dtype="<f4").tobytes())


def write_mdd(path: Path, fps: float, frame_count: int, vertex_count: int,
              places: Iterable[Places]) -> None:
    """An MDD file: F, V, the F times in seconds, then places, all big-endian."""
    with replacing(path) as file:
        file.write(struct.pack(">2i", frame_count, vertex_count))
        file.write((np.arange(frame_count) / fps).astype(">f4").tobytes())
        for frame in places:
            file.write(np.ascontiguousarray(frame, dtype=">f4").tobytes())
