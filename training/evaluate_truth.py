"""Is the corpus itself fit to learn from: do its lips meet, and does nothing pass through?"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import contact, lip_gap, lipsync, lipsync_pool, metrics, rig_file
from .contact import Rims
from .corpus.clips import read_track
from .corpus.phones import BILABIALS, Phone
from .evaluate_corpus import some
from .lip_gap import Lips
from .metrics import Figure
from .rig_file import Rig, RigFileError

Floats = NDArray[np.float64]

CONTACT_M = 0.5e-3
EYES = (1, 2)  # as `contact.rims_of` counts openings
UP = 1


class Face(NamedTuple):
    """A rig, the surfaces of its lips, how deep they lie at rest, and the rims of its lids."""

    rig: Rig
    lips: Lips
    overlap_m: Floats  # (columns,), 0 or less: scanned lips overlap a little
    lids: list[Rims]

    def lip_gaps(self, pose: Floats) -> Floats:
        """Gap in each column beyond the overlap at rest, metres; NaN where nothing is above."""
        return self.lips.gaps(pose) - self.overlap_m

    def lid_overlap_m(self, pose: Floats) -> float:
        """How far an upper lid's rim is below the lower one's, corners left out, metres."""
        gaps = [pose[rims.upper[1:-1], UP] - _under(rims, pose) for rims in self.lids]
        return max(0.0, -float(np.concatenate(gaps).min()))


def _under(rims: Rims, pose: Floats) -> Floats:
    """Heights of the lower rim below the upper one's inner vertices."""
    order = rims.lower[np.argsort(pose[rims.lower, 0])]
    return np.interp(pose[rims.upper[1:-1], 0], pose[order, 0], pose[order, UP])


class Clip(NamedTuple):
    """What one clip shows, in metres."""

    closings_m: list[float]  # the widest gap between the lips in the best frame of each p b m
    lip_overlap_m: float
    lid_overlap_m: float
    heard: lipsync.Heard


def rows(work: Path, rig: Path, fps: float, clips: int) -> dict[str, list[Figure]]:
    """The figures of the test split's motion played on a rig; raises RigFileError."""
    face = read_face(rig)
    found = []
    for clip in some(work, clips):
        track = read_track(work / "corpus", clip)
        if track.weights.shape[1] != len(face.rig.names):
            message = f"{rig} has {len(face.rig.names)} shapes, the corpus {track.weights.shape[1]}"
            raise RigFileError(message, "give a rig of the same shapes")
        found.append(measure(face, track.weights, track.phones, fps))
    return {"ground truth": figures(found)}


def read_face(path: Path) -> Face:
    """A rig file's face; raises RigFileError."""
    rig = rig_file.read(path)
    if not len(rig.landmarks):
        raise RigFileError(f"{path} has no landmarks", "make it again: python -m training rig")
    return face_of(rig)


def face_of(rig: Rig) -> Face:
    """A rig that has landmarks, with its lips and lids."""
    lips = lip_gap.lips_of(rig.rest, rig.faces, rig.landmarks)
    lids = [contact.rims_of(rig.rest, rig.faces, rig.landmarks, eye) for eye in EYES]
    return Face(rig, lips, np.minimum(np.nan_to_num(lips.gaps(rig.rest)), 0.0), lids)


def measure(face: Face, weights: rig_file.Array, phones: Sequence[Phone], fps: float) -> Clip:
    """One clip's closings, overlaps and lip sync; weights (T, S) in the rig's order."""
    motion = face.rig.displacements(weights)
    lips = [face.lip_gaps(face.rig.rest + frame) for frame in motion]
    lids = [face.lid_overlap_m(face.rig.rest + frame) for frame in motion]
    widest = np.array([_widest(gaps) for gaps in lips])
    return Clip(
        [_closing(widest, p, fps) for p in phones if p.name in BILABIALS],
        max(_overlap(gaps) for gaps in lips),
        max(lids),
        lipsync.score(metrics.aperture_m(motion, face.rig.lip_pairs), fps, phones),
    )


def _widest(gaps: Floats) -> float:
    """The widest gap; lips that are nowhere above one another are not closed."""
    return float(np.nanmax(gaps)) if np.isfinite(gaps).any() else float("inf")


def _overlap(gaps: Floats) -> float:
    return max(0.0, -float(np.nanmin(gaps))) if np.isfinite(gaps).any() else 0.0


def _closing(widest: Floats, phone: Phone, fps: float) -> float:
    """The widest gap where it is least, within a phone and a frame to each side."""
    first, last = int(np.floor(phone.start_s * fps)) - 1, int(np.ceil(phone.end_s * fps)) + 1
    return float(widest[max(0, first) : last + 1].min(initial=np.inf))


def figures(clips: Sequence[Clip]) -> list[Figure]:
    """All clips together, each figure beside what it was measured on."""
    closings = np.array([gap for clip in clips for gap in clip.closings_m])
    spoken = lipsync_pool.pool([clip.heard for clip in clips]).score
    share, deepest = float((closings < CONTACT_M).mean()), [clip.lip_overlap_m for clip in clips]
    surfaces = f"lip surfaces, {len(closings)} p b m"
    return [
        Figure("p b m in contact", share, "share under 0.5 mm", surfaces, len(closings)),
        Figure("gap on p b m, 98 %", 1e3 * float(np.percentile(closings, 98)), "mm", surfaces),
        Figure("lips overlap", 1e3 * max(deepest), "mm at most", "lip surfaces, all frames"),
        Figure("lids overlap", 1e3 * max(clip.lid_overlap_m for clip in clips), "mm at most",
               "lid rims, all frames"),
        *(Figure(name, value, "", "lip_pairs") for name, value in _sync(spoken).items()),
    ]  # fmt: skip


def _sync(score: lipsync.Score) -> dict[str, float]:
    kept = ("auc", "auc_nah", "corr", "lag_ms", "closure", "closure_ch")
    values = dataclasses.asdict(score)
    return {name: float(values[name]) for name in kept}
