"""Emotions forced on real speech: lips still in time, the face moved, and no jump between two.

    python -m training evaluate --pack PACK --audio DIR --alignments DIR --emotion all

A lane is what `python -m backend animate --emotion` takes; ``all`` means each of the pack's
emotions over whole recordings, and each going over to the next one in their middle.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend import audio, emotions
from backend.messages import EmotionSpan

from .. import evaluate_speech, lipsync, metrics
from ..corpus.emotions import NEUTRAL
from ..corpus.speech import SAMPLE_RATE_HZ
from ..evaluate_speech import Clip, Take
from ..metrics import Figure
from ..rig_file import Array, Rig
from ..speaking import PackSpeaker
from . import key_regions
from .key_regions import KeyRegions

Floats = NDArray[np.float64]
Lane = tuple[EmotionSpan, ...]
Takes = Mapping[str, Sequence[Take]]

ALL, VOICE = "all", "voice"
ALL_VERTICES, SEAM = "all vertices", "seam speed"
# What each score of the lip-sync report is called here, and its unit.
SYNC = {"auc": "", "corr": "", "lag_ms": "ms", "closure": "share of p b m",
        "closure_ch": "share by chance"}  # fmt: skip


class Studio(NamedTuple):
    """A pack that speaks recordings in a folder, seeds times each."""

    speaker: PackSpeaker
    folder: Path
    style: str
    seeds: int
    steps: int | None

    def takes(self, samples: Array, lane: Lane) -> list[Take]:
        """A recording's motion under a lane."""
        speak, fps = self.speaker.speak, self.speaker.fps
        return [Take(speak(samples, self.style, seed, self.steps, lane), fps)
                for seed in range(self.seeds)]  # fmt: skip


class Bench(NamedTuple):
    """What a face is measured on: its lip pairs, and each emotion's key regions."""

    lip_pairs: metrics.Pairs
    regions: Mapping[str, KeyRegions]


class Measured(NamedTuple):
    """One recording under one lane: its lip sync, and figures of its face."""

    clip: Clip
    figures: list[Figure]


def rows(
    studio: Studio, alignments: Path, rig: Rig, asked: Sequence[str]
) -> dict[str, list[Figure]]:
    """Figures of every lane over all aligned recordings; the voice's own emotion is the first.

    Raises RequestError, SpeechError, AlignmentError, AudioError.
    """
    names = studio.speaker.pack.manifest.emotions
    regions = {name: key_regions.of(rig, name) for name in names}
    bench = Bench(studio.speaker.lip_pairs, regions)
    measured = [
        _measured(studio, path, bench, asked)
        for path in evaluate_speech.find_alignments(alignments)
    ]
    return {title: _pooled([clip[title] for clip in measured]) for title in measured[0]}


def apart(rows: Mapping[str, Sequence[Figure]]) -> list[dict[str, Sequence[Figure]]]:
    """The rows of still lanes and those of lanes with seams, which have other figures."""
    seamed = {title for title, row in rows.items() if any(f.name == SEAM for f in row)}
    parts = ({title: row for title, row in rows.items() if (title in seamed) == wanted}
             for wanted in (False, True))  # fmt: skip
    return [part for part in parts if part]


def lanes(asked: Sequence[str], names: Sequence[str], seconds: float) -> dict[str, Lane]:
    """The lanes by title; neutral is among them, for distances. Raises RequestError."""
    if list(asked) != [ALL]:
        lane = tuple(map(emotions.parse, asked))
        emotions.check(lane, names)
        return {VOICE: (), NEUTRAL: (EmotionSpan(NEUTRAL),), " ".join(asked): lane}
    alone = {name: (EmotionSpan(name),) for name in names}
    after = pairwise([*names, names[0]])
    return {VOICE: (), **alone} | {f"{a} to {b}": turning(a, b, seconds / 2) for a, b in after}


def turning(first: str, second: str, at_s: float, fade_s: float | None = None) -> Lane:
    """One emotion up to a moment, another one from there on."""
    return (EmotionSpan(first, 1.0, None, at_s, fade_s),
            EmotionSpan(second, 1.0, at_s, None, fade_s))  # fmt: skip


def _measured(
    studio: Studio, alignment: Path, bench: Bench, asked: Sequence[str]
) -> dict[str, Measured]:
    """One recording under every lane."""
    phones, name = lipsync.read_alignment(alignment), alignment.stem
    sound = audio.load(evaluate_speech.find_recording(studio.folder, name), SAMPLE_RATE_HZ)
    wanted = lanes(asked, studio.speaker.pack.manifest.emotions, sound.seconds)
    made = {title: studio.takes(sound.samples, lane) for title, lane in wanted.items()}
    return {
        title: Measured(
            evaluate_speech.score(name, made[title], phones, bench.lip_pairs),
            _face(title, lane, made, bench),
        )
        for title, lane in wanted.items()
    }


def _face(title: str, lane: Lane, made: Takes, bench: Bench) -> list[Figure]:
    """How far a lane of one emotion moves the face, or how fast its seams are."""
    if seams_s(lane):
        alone = [made[span.name] for span in lane if span.name in made]
        still = alone if len(alone) == len(lane) else []
        return metrics.pool([
            seam_figures(take, lane, [takes[k] for takes in still])
            for k, take in enumerate(made[title])
        ])  # fmt: skip
    if not lane or lane[0].name == NEUTRAL:
        return []
    pairs = zip(made[title], made[NEUTRAL], strict=True)
    regions = bench.regions[lane[0].name]
    return metrics.pool([moved_figures(a.motion, b.motion, regions) for a, b in pairs])


def moved_figures(motion: Array, neutral: Array, regions: KeyRegions) -> list[Figure]:
    """How far an emotion moves its key regions from forced neutral, and how far its rule does."""
    upper = key_regions.moved_mm(motion, neutral, regions.upper)
    sides = [key_regions.moved_mm(motion, neutral, corner) for corner in regions.corners]
    corner = regions.corners[int(np.argmax(sides))].name
    return [
        Figure("upper face moved", upper, "mm", regions.upper.name),
        Figure("upper face, rule", regions.upper_meant_mm, "mm", regions.upper.name),
        Figure("mouth corner moved", max(sides), "mm", corner),
        Figure("mouth corner, rule in silence", regions.corners_meant_mm, "mm", corner),
    ]


def seams_s(lane: Lane) -> list[float]:
    """The seconds at which a lane's spans come and go, the sound's own edges left out."""
    edges = {edge for span in lane for edge in (span.start_s, span.end_s)}
    return sorted(edge for edge in edges if edge)


def seam_figures(take: Take, lane: Lane, still: Sequence[Take]) -> list[Figure]:
    """The largest speed within a lane's fades beside the 99th percentile of the clip's.

    A speed is the mean over vertices, mm/s. Words move a face there, too: the same frames without
    a seam are those of ``still``, takes of either emotion alone.
    """
    speed = speeds_mm_s(take)
    fast = float(np.percentile(speed, 99))
    frames = _fading(lane, len(speed), take.fps)
    weight = float(frames.any())  # a lane's seams may lie beyond a short recording
    largest = float(speed[frames].max(initial=0.0))
    figures = [
        Figure(SEAM, largest, "mm/s", ALL_VERTICES, weight),
        Figure("speed, 99 % of frames", fast, "mm/s", ALL_VERTICES, weight),
        Figure("seams above it", float(largest > fast), "share of takes", ALL_VERTICES, weight),
    ]
    if still:
        others = [float(speeds_mm_s(other)[frames].max(initial=0.0)) for other in still]
        figures += [
            Figure("speed there, no seam", max(others), "mm/s", ALL_VERTICES, weight),
            Figure("above it, no seam", float(max(others) > fast), "share of takes", ALL_VERTICES,
                   weight),
        ]  # fmt: skip
    return figures


def speeds_mm_s(take: Take) -> Floats:
    """How fast the face moves from frame to frame (T - 1,), mean over vertices."""
    steps = np.linalg.norm(np.diff(take.motion, axis=0), axis=-1).mean(axis=1)
    return np.asarray(1e3 * take.fps * steps, np.float64)


def _fading(lane: Lane, count: int, fps: float) -> NDArray[np.bool_]:
    """The steps (count,) within half a fade of a seam."""
    reach_s = max(emotions.FADE_S if span.fade_s is None else span.fade_s for span in lane) / 2
    times_s = (np.arange(count) + 0.5) / fps
    near = [np.abs(times_s - seam_s) <= max(reach_s, 1 / fps) for seam_s in seams_s(lane)]
    return np.asarray(np.any(near, axis=0))


def _pooled(measured: Sequence[Measured]) -> list[Figure]:
    """Recordings as one row: lip sync pooled over all, the face's figures as means."""
    sync = evaluate_speech.pooled([each.clip for each in measured])
    named = [Figure(name, sync[name], unit, "lip_pairs") for name, unit in SYNC.items()]
    face = [each.figures for each in measured]
    return [*named, *(metrics.pool(face) if face[0] else [])]
