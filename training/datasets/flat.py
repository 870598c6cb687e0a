"""The layout most sets share: a folder of .npy motion, a folder of .wav, templates.pkl."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from . import restricted_pickle
from .dataset import TOLERANCE_S, Clip, Dataset, Entry, Templates, sort_out
from .files import Voice, open_npy, open_sound
from .resample import Track


class Part(NamedTuple):
    """Which subjects and which sentences a split takes."""

    subjects: tuple[str, ...]
    sentences: Sequence[int]


@dataclass(frozen=True)
class Layout:
    """What is fixed by the set; files are MOTION/ID.npy and wav/ID.wav."""

    name: str
    topology: str
    fps: float
    metres_per_unit: float
    styles: tuple[str, ...]
    emotions: tuple[str, ...]
    motion: str = "vertices_npy"
    templates: str = "templates.pkl"
    dtype: str = "<f4"  # what write.py writes; both widths are read
    flat: bool = True  # (T, 3 V) rather than (T, V, 3); both are read


def read(
    layout: Layout, folder: Path, templates: Path, clips: Iterable[Clip],
    tolerance_s: float = TOLERANCE_S,
) -> Dataset:
    """Read a set of this layout; raises DatasetError when the templates cannot be read."""
    faces = Templates(templates, restricted_pickle.arrays_by_name(templates))
    entries = (entry(layout, folder, faces, clip) for clip in clips)
    found = sort_out(folder, entries, tolerance_s)
    return Dataset(
        layout.name, layout.topology, layout.metres_per_unit, layout.styles, layout.emotions,
        faces.of, *found,
    )


def entry(layout: Layout, folder: Path, faces: Templates, clip: Clip) -> Entry:
    """One expected clip and how to open it."""
    motion = folder / layout.motion / f"{clip.id}.npy"
    sound = folder / "wav" / f"{clip.id}.wav"

    def open_both() -> tuple[Track, Voice]:
        faces.of(clip.subject)
        return open_npy(motion, faces.vertices, layout.fps), open_sound(sound)

    return Entry(clip, (motion, sound), open_both)
