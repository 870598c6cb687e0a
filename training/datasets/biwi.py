"""BIWI (B3D(AC)^2) as CodeTalker's scripts leave it: 14 subjects, emotional sentences, 25 fps.

Each frame was centred on its vertices' mean and divided by the square root of its area, so the
unit is none: it differs by subject (and a little by frame).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from . import flat
from .dataset import TOLERANCE_S, Clip, Dataset
from .flat import Part

FPS = 25.0
# The mean of what users fitted for the 14 subjects (0.174 to 0.201 m); nobody published it.
METRES_PER_UNIT = 0.186
TRAIN = ("F2", "F3", "F4", "M3", "M4", "M5")
UNSEEN = ("F1", "F5", "F6", "F7", "F8", "M1", "M2", "M6")
SPLITS: Mapping[str, Part] = {
    "train": Part(TRAIN, range(1, 33)),
    "val": Part(TRAIN, range(33, 37)),
    "test-a": Part(TRAIN, range(37, 41)),
    "test-b": Part(UNSEEN, range(37, 41)),
}
# The recordings are acted, but no label says which emotion.
LAYOUT = flat.Layout("biwi", "biwi", FPS, METRES_PER_UNIT, TRAIN, ("emotional",), dtype="<f8")


def clips() -> Iterator[Clip]:
    """Every clip of the published split, in order: 192, 24, 24 and 32."""
    for split, part in SPLITS.items():
        for subject in part.subjects:
            style = TRAIN.index(subject) if subject in TRAIN else None
            for number in part.sentences:
                name = f"e{number:02d}"
                yield Clip(f"{subject}_{name}", subject, name, split, "emotional", 0, style)


def read(folder: Path, tolerance_s: float = TOLERANCE_S) -> Dataset:
    """The processed set; raises DatasetError when templates.pkl cannot be read."""
    return flat.read(LAYOUT, folder, folder / LAYOUT.templates, clips(), tolerance_s)
