"""The lip-sync report on real speech: recordings whose phones are known, and no face at all."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from backend import audio, motion
from backend.errors import SoliloquyError

from . import lipsync, lipsync_pool, metrics
from .corpus.phones import Phone
from .corpus.speech import SAMPLE_RATE_HZ
from .rig_file import Array
from .speaking import Speaker

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
SHOWN = ("auc", "auc_nah", "corr", "corr_sp", "lag_ms", "closure", "closure_ch", "contrast")


class SpeechError(SoliloquyError):
    """A recording or a motion that its alignment lacks."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__("evaluate_speech", message, hint)


class Take(NamedTuple):
    """One motion (T, V, 3) of a clip."""

    motion: Array
    fps: float


class Source(Protocol):
    """Where the motions of a clip come from."""

    def takes(self, name: str) -> list[Take]: ...


class Recordings(NamedTuple):
    """Recordings in a folder, spoken by a system."""

    speaker: Speaker
    folder: Path
    style: str
    seeds: int
    steps: int | None

    def takes(self, name: str) -> list[Take]:
        """The system's takes of NAME's recording; raises AudioError, SpeechError."""
        samples = audio.load(find_recording(self.folder, name), SAMPLE_RATE_HZ).samples
        return [Take(self.speaker.speak(samples, self.style, seed, self.steps), self.speaker.fps)
                for seed in range(self.seeds)]  # fmt: skip


class Motions(NamedTuple):
    """motion.npz files in a folder, made before."""

    folder: Path

    def takes(self, name: str) -> list[Take]:
        """NAME.npz; raises MotionError."""
        made = motion.load(self.folder / f"{name}.npz")
        return [Take(made.displacements, made.fps)]


class Clip(NamedTuple):
    """A recording's score in each take."""

    name: str
    takes: list[lipsync.Heard]


def find_recording(folder: Path, name: str) -> Path:
    """The sound file of a clip; raises SpeechError."""
    for suffix in SUFFIXES:
        if (folder / f"{name}{suffix}").is_file():
            return folder / f"{name}{suffix}"
    raise SpeechError(f"{folder} has no recording {name}", f"as one of {', '.join(SUFFIXES)}")


def find_alignments(folder: Path) -> list[Path]:
    """The alignments of a folder by name; raises SpeechError when there are none."""
    found = sorted(folder.glob("*.json"))
    if not found:
        raise SpeechError(f"{folder} has no alignments", "they are named RECORDING.json")
    return found


def score_all(source: Source, alignments: Path, lip_pairs: metrics.Pairs) -> list[Clip]:
    """Every aligned clip in every take; raises SpeechError, AlignmentError."""
    clips = []
    for path in find_alignments(alignments):
        phones = lipsync.read_alignment(path)
        takes = source.takes(path.stem)
        _check_pairs(takes[0], lip_pairs, path.stem)
        clips.append(score(path.stem, takes, phones, lip_pairs))
    return clips


def score(
    name: str, takes: Sequence[Take], phones: Sequence[Phone], lip_pairs: metrics.Pairs
) -> Clip:
    """One clip in every take."""
    apertures = [metrics.aperture_m(take.motion, lip_pairs) for take in takes]
    return Clip(name, [lipsync.score(aperture, take.fps, phones)
                       for aperture, take in zip(apertures, takes, strict=True)])  # fmt: skip


def _check_pairs(take: Take, lip_pairs: metrics.Pairs, name: str) -> None:
    count = take.motion.shape[1]
    if lip_pairs.max() >= count:
        message = f"{name} moves {count} vertices, the lips are vertex {lip_pairs.max()} and others"
        raise SpeechError(message, "give the pack that made it")


def rows(clips: Sequence[Clip]) -> dict[str, Mapping[str, float]]:
    """Each clip (mean over takes), all clips and takes pooled, and her clips apart from the rest.

    Recordings of one voice are named VOICE_NUMBER; a voice with more than one has its own row.
    """
    found = {clip.name: mean([dataclasses.asdict(h.score) for h in clip.takes]) for clip in clips}
    voices = [clip.name.split("_")[0] for clip in clips]
    for voice in sorted({voice for voice in voices if voices.count(voice) > 1}):
        for title, own in ((f"all {voice}", True), (f"all but {voice}", False)):
            chosen = [c for c, v in zip(clips, voices, strict=True) if (v == voice) == own]
            found |= {title: pooled(chosen)} if chosen else {}
    return {**found, "all": pooled(clips)}


def pooled(clips: Sequence[Clip]) -> dict[str, float]:
    """Clips pooled within each take; then the mean over takes."""
    takes = zip(*(clip.takes for clip in clips), strict=True)
    return mean([lipsync_pool.flat(lipsync_pool.pool(take)) for take in takes])


def mean(tables: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of each number over tables alike."""
    return {name: float(np.mean([table[name] for table in tables])) for name in tables[0]}


def plain(clips: Sequence[Clip]) -> dict[str, dict[str, Any]]:
    """Rows as JSON has them, NaN as null."""
    return {
        title: {name: value if math.isfinite(value) else None for name, value in row.items()}
        for title, row in rows(clips).items()
    }


def table(clips: Sequence[Clip]) -> str:
    """Rows as text; closure stands beside its chance level, without which it means nothing."""
    found = rows(clips)
    width = max(map(len, found)) + 2
    lines = [" " * width + "".join(name.rjust(11) for name in SHOWN)]
    for title, row in found.items():
        lines.append(title.ljust(width) + "".join(f"{row[name]:11.3f}" for name in SHOWN))
    return "\n".join(lines)
