"""What every layout is read into: an ordered list of clips, loaded lazily."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import resample
from .errors import DatasetError
from .files import Voice
from .resample import Floats, Track

# How much longer or shorter than its motion a clip's sound may be before the clip is refused.
TOLERANCE_S = 0.5

Array = npt.NDArray[np.float32]
TemplateOf = Callable[[str], Floats]


@dataclass(frozen=True)
class Clip:
    """One sentence by one subject.

    `style` is the subject's place in the one-hot vector, None for subjects without one (the
    papers then try every training style); `intensity` is 1..3, 0 where the set has no levels.
    """

    id: str
    subject: str
    sentence: str
    split: str
    emotion: str
    intensity: int
    style: int | None


class Entry(NamedTuple):
    """A clip that a layout expects, its files, and how to open them (raises DatasetError)."""

    clip: Clip
    files: tuple[Path, ...]
    open: Callable[[], tuple[Track, Voice]]


class Recording(NamedTuple):
    """A clip whose files are there and sound."""

    clip: Clip
    track: Track
    voice: Voice


@dataclass(frozen=True)
class Dataset:
    """Clips of one topology; positions are in the files' own unit, of `metres_per_unit`.

    `missing` names what the layout expects and the folder lacks; `faults` are the files that are
    there and cannot be used, one error each. Neither stops the other clips.
    """

    name: str
    topology: str
    metres_per_unit: float
    styles: tuple[str, ...]
    emotions: tuple[str, ...]
    template: TemplateOf
    recordings: Mapping[str, Recording]
    missing: tuple[str, ...]
    faults: tuple[DatasetError, ...]

    @property
    def clips(self) -> list[Clip]:
        """All usable clips, in the layout's order."""
        return [recording.clip for recording in self.recordings.values()]

    def split(self, name: str) -> list[Clip]:
        """The usable clips of one split."""
        return [clip for clip in self.clips if clip.split == name]

    def native_fps(self, clip: Clip) -> float:
        """The frame rate on disk."""
        return self.recordings[clip.id].track.fps

    def frames(self, clip: Clip, fps: float) -> int:
        """How many frames the clip has at a frame rate."""
        track = self.recordings[clip.id].track
        return resample.frame_count(track.frames, track.fps, fps)

    def positions(
        self, clip: Clip, fps: float, start: int = 0, stop: int | None = None
    ) -> Floats:
        """Positions (T, V, 3) at a frame rate; reads only frames start..stop. DatasetError."""
        track = self.recordings[clip.id].track
        where = resample.picks(track.frames, track.fps, fps, start, stop)
        return resample.read(track, where)

    def displacements(
        self, clip: Clip, fps: float, start: int = 0, stop: int | None = None
    ) -> Array:
        """Positions less the subject's template (T, V, 3), as `positions`."""
        moved = self.positions(clip, fps, start, stop) - self.template(clip.subject)
        return moved.astype(np.float32, copy=False)

    def waveform(self, clip: Clip) -> Array:
        """Samples (N,) at 16 kHz, mono, in [-1, 1]; raises AudioError or DatasetError."""
        return self.recordings[clip.id].voice.read()

    def summary(self) -> list[str]:
        """Lines for people: clips per split, then each missing and each faulty file."""
        splits = dict.fromkeys(clip.split for clip in self.clips)
        counts = ", ".join(f"{name} {len(self.split(name))}" for name in splits)
        first = f"{self.name}: {len(self.recordings)} clips" + (f" ({counts})" if counts else "")
        return [
            first,
            *(f"missing: {name}" for name in self.missing),
            *(f"cannot be used: {fault}" for fault in self.faults),
        ]


class Sorted(NamedTuple):
    """Entries, sorted into those that can be used and those that cannot."""

    recordings: dict[str, Recording]
    missing: tuple[str, ...]
    faults: tuple[DatasetError, ...]


def sort_out(folder: Path, entries: Iterable[Entry], tolerance_s: float = TOLERANCE_S) -> Sorted:
    """Open every entry's files; note what is missing or faulty, and go on."""
    recordings: dict[str, Recording] = {}
    lacking: list[tuple[Clip, list[Path]]] = []
    faults: dict[str, DatasetError] = {}
    subjects = set()
    for entry in entries:
        absent = [path for path in entry.files if not path.exists()]
        if len(absent) < len(entry.files):
            subjects.add(entry.clip.subject)
        if absent:
            lacking.append((entry.clip, absent))
            continue
        try:
            recordings[entry.clip.id] = _opened(entry, tolerance_s)
        except DatasetError as fault:
            faults[str(fault)] = fault
    return Sorted(recordings, _missing(folder, lacking, subjects), tuple(faults.values()))


def _opened(entry: Entry, tolerance_s: float) -> Recording:
    track, voice = entry.open()
    motion_s = track.frames / track.fps
    if abs(motion_s - voice.seconds) > tolerance_s:
        problem = f"lasts {voice.seconds:.2f} s, but its motion {motion_s:.2f} s"
        raise DatasetError(entry.files[-1], problem, f"They may differ by {tolerance_s:g} s.")
    return Recording(entry.clip, track, voice)


def _missing(
    folder: Path, lacking: Sequence[tuple[Clip, list[Path]]], subjects: set[str]
) -> tuple[str, ...]:
    """Missing files by name; a subject of whom there is nothing is one line."""
    lines: dict[str, None] = {}
    for clip, absent in lacking:
        if clip.subject not in subjects:
            lines[f"{clip.subject} (every sentence)"] = None
        else:
            lines.update(dict.fromkeys(_inside(folder, path) for path in absent))
    return tuple(lines)


def _inside(folder: Path, path: Path) -> str:
    """A path as seen from the folder, unless it lies elsewhere."""
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


class Templates(NamedTuple):
    """The subjects' neutral faces, all of one vertex count, from a pickle or archive."""

    path: Path
    faces: Mapping[str, Floats]

    @property
    def vertices(self) -> int:
        """The vertex count; raises DatasetError where the faces are not (V, 3) alike."""
        shapes = {face.shape for face in self.faces.values()}
        if len(shapes) != 1 or next(iter(shapes))[1:] != (3,):
            raise DatasetError(self.path, f"its templates are not alike (V, 3): {shapes or 'none'}")
        return int(next(iter(shapes))[0])

    def of(self, subject: str) -> Floats:
        """One subject's neutral face (V, 3); raises DatasetError."""
        if subject not in self.faces:
            raise DatasetError(self.path, f"has no template of {subject}")
        return self.faces[subject]
