"""Own captures as they come from an animation program, before they are a plain folder.

motion/     ID.npy, ID.pc2, ID.mdd, ID.abc, or a folder ID of .obj files
wav/        ID.wav (or .flac, .ogg, .mp3)
templates/  SUBJECT.obj or SUBJECT.npy: the neutral face, vertices in the motion's order
clips.csv   optional, as in a plain folder; without it, ID is SUBJECT_SENTENCE or
            SUBJECT_SENTENCE_EMOTION_INTENSITY, and each subject's last sentences are held out
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import meshes, plain
from .dataset import TOLERANCE_S, Clip, Dataset, Entry, Templates, sort_out
from .errors import DatasetError
from .files import Voice, open_sound
from .resample import Floats, Track

_ID = re.compile(
    r"(?P<subject>.+?)_(?P<sentence>[A-Za-z]*\d+)(_(?P<emotion>[A-Za-z]+)_(?P<intensity>\d))?"
)
_MOTION = (".npy", ".pc2", ".mdd", ".abc")
_SOUND = (".wav", ".flac", ".ogg", ".mp3")
# Of each subject's clips, in the order of their names: one in ten for each, the last ones.
HELD_OUT = 10
FARTHEST = 0.3


class Source(NamedTuple):
    """What the files do not say."""

    fps: float | None = None  # of all but Alembic
    z_up: bool = False
    topology: str = "own"
    metres_per_unit: float = 1.0


def read(folder: Path, source: Source, tolerance_s: float = TOLERANCE_S) -> Dataset:
    """Captures as a data set; raises DatasetError when there are none, or names mean nothing."""
    motions = _by_stem(folder / "motion", _MOTION)
    sounds = _by_stem(folder / "wav", _SOUND)
    table = folder / "clips.csv"
    rows = plain.read_rows(table) if table.exists() else None
    clips = [row.clip for row in rows] if rows else _clips(folder, sorted({*motions, *sounds}))
    rates = {row.clip.id: row.fps for row in rows or ()}
    faces = _templates(folder / "templates", source.z_up)

    def entry(clip: Clip) -> Entry:
        motion = motions.get(clip.id, folder / "motion" / clip.id)
        sound = sounds.get(clip.id, folder / "wav" / f"{clip.id}.wav")

        def open_both() -> tuple[Track, Voice]:
            face = faces.of(clip.subject)
            track = meshes.open_motion(motion, len(face), rates.get(clip.id, source.fps))
            track = meshes.UprightTrack(track) if source.z_up else track
            _check_fit(motion, track, face)
            return track, open_sound(sound)

        return Entry(clip, (motion, sound), open_both)

    order = plain.styles([plain.Row(clip, 0.0) for clip in clips])
    emotions = tuple(dict.fromkeys(clip.emotion for clip in clips))
    found = sort_out(folder, map(entry, clips), tolerance_s)
    return Dataset(
        folder.name, source.topology, source.metres_per_unit, order, emotions, faces.of, *found
    )


def _check_fit(path: Path, track: Track, face: Floats) -> None:
    """Refuse motion that does not begin near its neutral face: exported in another place, size,
    direction or vertex order. Speech moves a face by a few hundredths of its size."""
    size = np.sqrt(np.square(face - face.mean(axis=0)).sum(axis=1).mean())
    away = np.sqrt(np.square(track.read(np.array([0]))[0] - face).sum(axis=1).mean())
    if away > FARTHEST * size:
        problem = f"begins {away / size:.2f} of the face's size away from its neutral face"
        hint = "Export both in the same place, axes, unit and vertex order."
        raise DatasetError(path, problem, hint)


def _by_stem(folder: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Files of these kinds, and folders, by name without its ending."""
    if not folder.is_dir():
        raise DatasetError(folder, "does not exist", "See docs/datasets.md for what goes where.")
    paths = sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix in suffixes)
    return {path.stem: path for path in paths}


def _templates(folder: Path, z_up: bool) -> Templates:
    """The neutral faces by subject."""
    paths = _by_stem(folder, (".obj", ".npy"))
    faces = {subject: meshes.read_face(path) for subject, path in paths.items()}
    if z_up:
        faces = {subject: meshes.upright(face) for subject, face in faces.items()}
    templates = Templates(folder, faces)
    assert templates.vertices  # raises where the faces differ
    return templates


def _clips(folder: Path, ids: list[str]) -> list[Clip]:
    """Clips from their names, and a split of each subject's sentences."""
    by_subject: dict[str, list[re.Match[str]]] = defaultdict(list)
    for name in ids:
        match = _ID.fullmatch(name)
        if match is None:
            hint = "Name it SUBJECT_SENTENCE, such as anna_001, or write clips.csv."
            raise DatasetError(folder / "motion" / name, "its name does not say who speaks", hint)
        by_subject[match["subject"]].append(match)
    rows = []
    for matches in by_subject.values():
        held = len(matches) // HELD_OUT
        for place, match in enumerate(matches, start=1):
            behind = len(matches) - place
            split = "test" if behind < held else "val" if behind < 2 * held else "train"
            rows.append(plain.Row(_clip(match, split), 0.0))
    return [row.clip for row in plain.with_styles(rows)]


def _clip(match: re.Match[str], split: str) -> Clip:
    emotion, intensity = match["emotion"] or "neutral", int(match["intensity"] or 0)
    return Clip(match[0], match["subject"], match["sentence"], split, emotion, intensity, None)
