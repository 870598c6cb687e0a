"""Lines to learn from: clips, and clips that go on in another emotion (ExpTalk section 4.1)."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backend.motion import frame_count

from ..config import Recipe
from ..corpus import clips
from ..corpus.clips import Clip, Track
from ..corpus.speech import SAMPLE_RATE_HZ
from ..rig_file import Array


class Line(NamedTuple):
    """One clip, or two of one speaker's manner, the second in another emotion."""

    clips: tuple[Clip, ...]

    @property
    def name(self) -> str:
        return "+".join(clip.id for clip in self.clips)

    @property
    def style(self) -> str:
        return self.clips[0].style


def of(corpus: Path, recipe: Recipe) -> list[Line]:
    """A line beginning with each train clip; of ExpTalk's ``joined_share`` go on in another one.

    Which ones and how is drawn by the clip's name, so that every stage has the same lines. Raises
    CorpusError.
    """
    rows = clips.read_clips(corpus, "train")
    if recipe.method != "exptalk":
        return [Line((clip,)) for clip in rows]
    return [_line(clip, rows, recipe.exptalk.joined_share) for clip in rows]


def mark(recipe: Recipe) -> str:
    """What the lines of a recipe depend on beside the clips."""
    section = recipe.exptalk
    joins = f" joined {section.joined_share} {section.join_s}"
    return joins if recipe.method == "exptalk" else ""


def _line(clip: Clip, rows: Sequence[Clip], share: float) -> Line:
    rng = np.random.default_rng(zlib.crc32(clip.id.encode()))
    last = clip.shift_to or clip.emotion
    others = [row for row in rows if row.style == clip.style and row.emotion != last]
    if not others or rng.random() >= share:
        return Line((clip,))
    return Line((clip, others[int(rng.integers(len(others)))]))


def read_track(corpus: Path, line: Line, recipe: Recipe) -> Track:
    """A line's motion, phones and emotions; raises CorpusError."""
    track = clips.read_track(corpus, line.clips[0])
    for clip in line.clips[1:]:
        seam = round(recipe.exptalk.join_s * recipe.fps)
        track = joined(track, clips.read_track(corpus, clip), recipe.fps, seam)
    return track


def read_samples(corpus: Path, line: Line, recipe: Recipe) -> Array:
    """A line's waveform (N,) at 16 kHz, a clip's first sample on its first frame."""
    parts = [clips.read_samples(corpus, clip) for clip in line.clips]
    for number, part in enumerate(parts[:-1]):
        frames = frame_count(line.clips[number].seconds, recipe.fps)
        whole = round(frames / recipe.fps * SAMPLE_RATE_HZ)
        parts[number] = np.pad(part, (0, max(0, whole - len(part))))
    return np.concatenate(parts)


def joined(first: Track, second: Track, fps: int, seam: int) -> Track:
    """One after the other; the face goes over within ``seam`` frames around where they meet."""
    start_s = len(first.weights) / fps
    phones = [
        replace(phone, start_s=phone.start_s + start_s, end_s=phone.end_s + start_s)
        for phone in second.phones
    ]
    spans = [
        span._replace(start_s=span.start_s + start_s, end_s=span.end_s + start_s)
        for span in second.spans
    ]
    weights = gone_over(first.weights, second.weights, seam)
    return Track(weights, [*first.phones, *phones], [*first.spans, *spans])


def gone_over(first: Array, second: Array, frames: int) -> Array:
    """Rows (S, K) and then (T, K), going over smoothly within ``frames`` around the seam.

    Beyond its own end each holds its last row, so nothing jumps and nothing is lost.
    """
    time = np.arange(len(first) + len(second)) - len(first)
    share = np.clip((time + 0.5) / max(frames, 1) + 0.5, 0.0, 1.0)
    share = (share**2 * (3 - 2 * share))[:, None]
    before = first[np.minimum(time + len(first), len(first) - 1)]
    after = second[np.maximum(time, 0)]
    return np.asarray((1 - share) * before + share * after, np.float32)
