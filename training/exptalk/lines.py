"""Lines to learn from: clips, and clips that go on in another emotion (ExpTalk section 4.1)."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

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


class Spoken(NamedTuple):
    """A line's waveform (N,) at 16 kHz, and its track."""

    samples: Array
    track: Track


def lines(rows: Sequence[Clip], recipe: Recipe) -> list[Line]:
    """A line beginning with each clip; ExpTalk's go on, ``joined_share`` of them, in another one.

    Which ones and how is drawn by the clip's name, so that every stage has the same lines.
    """
    if recipe.method != "exptalk":
        return [Line((clip,)) for clip in rows]
    return [_line(clip, rows, recipe.exptalk.joined_share) for clip in rows]


def _line(clip: Clip, rows: Sequence[Clip], share: float) -> Line:
    rng = np.random.default_rng(zlib.crc32(clip.id.encode()))
    last = clip.shift_to or clip.emotion
    others = [row for row in rows if row.style == clip.style and row.emotion != last]
    if not others or rng.random() >= share:
        return Line((clip,))
    return Line((clip, others[int(rng.integers(len(others)))]))


def read(corpus: Path, line: Line, recipe: Recipe) -> Spoken:
    """A line's sound and motion; raises CorpusError."""
    parts = [Spoken(clips.read_samples(corpus, clip), clips.read_track(corpus, clip))
             for clip in line.clips]  # fmt: skip
    spoken = parts[0]
    for part in parts[1:]:
        spoken = joined(spoken, part, recipe.fps, recipe.exptalk.join_s)
    return spoken


def joined(first: Spoken, second: Spoken, fps: int, join_s: float) -> Spoken:
    """One after the other; the face goes over within ``join_s`` around the seam."""
    frames = len(first.track.weights)
    start_s = frames / fps
    lacking = round(start_s * SAMPLE_RATE_HZ) - len(first.samples)
    samples = np.concatenate([np.pad(first.samples, (0, max(0, lacking))), second.samples])
    weights = gone_over(first.track.weights, second.track.weights, round(join_s * fps))
    phones = [
        replace(phone, start_s=phone.start_s + start_s, end_s=phone.end_s + start_s)
        for phone in second.track.phones
    ]
    spans = [
        span._replace(start_s=span.start_s + start_s, end_s=span.end_s + start_s)
        for span in second.track.spans
    ]
    both = Track(weights, [*first.track.phones, *phones], [*first.track.spans, *spans])
    return Spoken(samples, both)


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
