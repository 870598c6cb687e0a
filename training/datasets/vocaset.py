"""VOCASET: 12 subjects x 40 sentences on FLAME topology, metres, 60 fps.

Raw, as VOCA released it (data_verts.npy and three pickles); or processed by FaceFormer's script
(vertices_npy/, wav/, templates.pkl), which CodeTalker and others share. Splits are VOCA's.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import flat, restricted_pickle
from .dataset import TOLERANCE_S, Clip, Dataset, Entry, Templates, sort_out
from .errors import DatasetError
from .files import NpyTrack, RowsTrack, Samples, Voice, open_npy
from .flat import Part
from .resample import Track

FPS = 60.0
# Sentence 1 is sentence01. The training subjects' order is that of the one-hot style vector.
TRAIN = (
    "FaceTalk_170728_03272_TA",
    "FaceTalk_170904_00128_TA",
    "FaceTalk_170725_00137_TA",
    "FaceTalk_170915_00223_TA",
    "FaceTalk_170811_03274_TA",
    "FaceTalk_170913_03279_TA",
    "FaceTalk_170904_03276_TA",
    "FaceTalk_170912_03278_TA",
)
VAL = ("FaceTalk_170811_03275_TA", "FaceTalk_170908_03277_TA")
TEST = ("FaceTalk_170809_00138_TA", "FaceTalk_170731_00024_TA")
SPLITS: Mapping[str, Part] = {
    "train": Part(TRAIN, range(1, 41)),
    "val": Part(VAL, range(21, 41)),
    "test": Part(TEST, range(21, 41)),
}
LAYOUT = flat.Layout("vocaset", "flame", FPS, 1.0, TRAIN, ("neutral",))


def clips() -> Iterator[Clip]:
    """Every clip of the published split, in order."""
    for split, part in SPLITS.items():
        for subject in part.subjects:
            style = TRAIN.index(subject) if subject in TRAIN else None
            for number in part.sentences:
                name = f"sentence{number:02d}"
                yield Clip(f"{subject}_{name}", subject, name, split, "neutral", 0, style)


def read(folder: Path, tolerance_s: float = TOLERANCE_S) -> Dataset:
    """The processed set; raises DatasetError when templates.pkl cannot be read."""
    return flat.read(LAYOUT, folder, folder / LAYOUT.templates, clips(), tolerance_s)


def read_raw(folder: Path, tolerance_s: float = TOLERANCE_S) -> Dataset:
    """VOCA's release; raises DatasetError when one of its four files cannot be read.

    All sound lies in one pickle and is held in memory (29 minutes); motion is memory-mapped.
    """
    path = folder / "templates.pkl"
    faces = Templates(path, restricted_pickle.arrays_by_name(path))
    motion = open_npy(folder / "data_verts.npy", faces.vertices, FPS)
    release = _Release(
        folder,
        motion,
        _by_subject(folder / "subj_seq_to_idx.pkl"),
        _by_subject(folder / "raw_audio_fixed.pkl"),
    )
    expected = list(clips())
    entries = (release.entry(clip, faces) for clip in expected if release.has(clip))
    found = sort_out(folder, entries, tolerance_s)
    missing = tuple(release.lacks(clip) for clip in expected if not release.has(clip))
    return Dataset(
        "vocaset-raw", LAYOUT.topology, LAYOUT.metres_per_unit, TRAIN, LAYOUT.emotions,
        faces.of, found.recordings, missing, found.faults,
    )


class _Release:
    """The raw release's index and sound, both by subject and sentence."""

    def __init__(self, folder: Path, motion: NpyTrack, rows: Any, sound: Any) -> None:
        self.folder, self.motion, self.rows, self.sound = folder, motion, rows, sound

    def has(self, clip: Clip) -> bool:
        return all(clip.sentence in part.get(clip.subject, {}) for part in (self.rows, self.sound))

    def lacks(self, clip: Clip) -> str:
        where = "motion" if clip.sentence not in self.rows.get(clip.subject, {}) else "sound"
        return f"{clip.id} ({where})"

    def entry(self, clip: Clip, faces: Templates) -> Entry:
        sound = self.folder / "raw_audio_fixed.pkl"

        def open_both() -> tuple[Track, Voice]:
            faces.of(clip.subject)
            return self._track(clip), _voice(sound, clip, self.sound[clip.subject][clip.sentence])

        return Entry(clip, (sound,), open_both)

    def _track(self, clip: Clip) -> RowsTrack:
        path, frames = self.folder / "subj_seq_to_idx.pkl", self.rows[clip.subject][clip.sentence]
        try:
            rows = np.array([frames[frame] for frame in range(len(frames))], np.int64)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DatasetError(path, f"{clip.id}: its frames are not numbered 0, 1, ...") from error
        if not len(rows) or rows.min() < 0 or rows.max() >= self.motion.frames:
            problem = f"{clip.id} names frames that data_verts.npy has not"
            raise DatasetError(path, problem, "One of the two is truncated: copy it again.")
        return RowsTrack(self.motion, rows, FPS)


def _voice(path: Path, clip: Clip, found: Any) -> Samples:
    """One sentence's sound: {"audio": samples (N,), "sample_rate": Hz}."""
    try:
        samples, rate_hz = np.asarray(found["audio"]), float(found["sample_rate"])
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(path, f"{clip.id} has no audio and sample_rate") from error
    if samples.ndim != 1 or samples.dtype.kind not in "if" or not len(samples) or rate_hz <= 0:
        raise DatasetError(path, f"{clip.id} is {samples.dtype} {samples.shape} at {rate_hz:g} Hz")
    return Samples(samples, rate_hz)


def _by_subject(path: Path) -> Any:
    """A pickle of dicts in a dict."""
    found = restricted_pickle.load(path)
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise DatasetError(path, "does not hold sentences by subject")
    return found
