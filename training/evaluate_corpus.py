"""Measure what speaks on the corpus' test split: every figure against the ground truth."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import masks, metrics
from .corpus.clips import Clip, CorpusError, read_clips, read_samples, read_track
from .corpus.emotions import Span
from .corpus.phones import BILABIALS, Phone
from .masks import Region
from .metrics import Figure
from .rig_file import Array, Rig
from .spaces import Latents
from .speaking import Speaker

# Lips count as closed below this share of how far the truth opens (its 95th percentile).
CLOSED_SHARE = 0.2


class Truth(NamedTuple):
    """A test clip's motion (T, V, 3) in metres, waveform, phones, and acted emotions."""

    clip: Clip
    motion: Array
    samples: Array
    phones: list[Phone]
    spans: Sequence[Span] = ()


class Regions(NamedTuple):
    """The masks that errors are measured on."""

    lips: Region
    eyes: Region
    upper: Region
    all: Region


def regions(rig: Rig, lips: str, eyes: str, upper: str) -> Regions:
    """Named masks of the rig or of files; raises MaskError."""
    count = len(rig.template)
    found = [masks.find(wanted, rig.masks, count) for wanted in (lips, eyes, upper)]
    return Regions(found[0], found[1], found[2], masks.everywhere(count))


def some(work: Path, most: int, split: str = "test", acted: bool = False) -> list[Clip]:
    """Clips spread evenly over a split, or over those of it that act an emotion.

    Raises CorpusError where it has none.
    """
    rows = [clip for clip in read_clips(work / "corpus", split) if not acted or clip.acted]
    if not rows:
        kind = "emotional clips" if acted else "clips"
        message = f"the corpus in {work} has no {kind} of the split {split}"
        raise CorpusError("split_empty", message, "make it with a recipe that keeps some apart")
    return rows[:: max(1, len(rows) // most)][:most]


def read_truth(work: Path, rig: Rig, clip: Clip) -> Truth:
    """A clip with all that the measures need."""
    corpus = work / "corpus"
    track = read_track(corpus, clip)
    motion = rig.displacements(track.weights)
    return Truth(clip, motion, read_samples(corpus, clip), track.phones, track.spans)


class Bench(NamedTuple):
    """The truths, the masks, and the rig's lip pairs that every system is held against."""

    truths: list[Truth]
    regions: Regions
    lip_pairs: metrics.Pairs
    fps: float


def reconstruction(space: Latents, bench: Bench) -> list[Figure]:
    """Stage 1 alone: the truth through the codebook and back, and the share of codes it uses."""
    figures, used = [], set()
    for truth in bench.truths:
        decoded = space.quantised(truth.motion)
        used |= decoded.codes
        figures.append(compare(decoded.motion, truth, bench))
    share = len(used) / len(space.first.model.quantizer.codes)
    return [*pool(figures), Figure("codes used", share, "share of codes", "")]


def generation(speaker: Speaker, bench: Bench, steps: int | None, seeds: int) -> list[Figure]:
    """From the waveform: the first take's errors, and how takes differ."""
    return pool([measured(speaker, truth, bench, steps, seeds) for truth in bench.truths])


def measured(
    speaker: Speaker, truth: Truth, bench: Bench, steps: int | None, seeds: int
) -> list[Figure]:
    """One clip from its waveform, figures not yet pooled."""
    takes = [speaker.speak(truth.samples, truth.clip.style, k, steps) for k in range(seeds)]
    closures = [_closing(take, truth, bench, seed) for seed, take in enumerate(takes)]
    return [*compare(takes[0], truth, bench), *spread(takes, bench.regions), *closures]


def _closing(take: Array, truth: Truth, bench: Bench, seed: int) -> Figure:
    """The closure rate of one take: another seed should change the face and not the words."""
    figures = _mouth(metrics.compared(take, truth.motion), truth.phones, bench)
    closure = next(figure for figure in figures if figure.name == "closure")
    return dataclasses.replace(closure, name=f"closure, seed {seed}")


def spread(takes: Sequence[Array], where: Regions) -> list[Figure]:
    """Diversity of the takes of one sound, on all of the face and on its upper part."""
    upper = metrics.diversity(takes, where.upper)
    return [metrics.diversity(takes, where.all),
            Figure("upper diversity", upper.value, upper.unit, upper.mask)]  # fmt: skip


def compare(predicted: Array, truth: Truth, bench: Bench) -> list[Figure]:
    """One predicted motion against the truth."""
    both, where = metrics.compared(predicted, truth.motion), bench.regions
    return [
        metrics.lve(both, where.lips),
        metrics.lve_unsquared(both, where.lips),
        *metrics.lip_error(both, where.lips),
        metrics.eve(both, where.eyes),
        *metrics.mve(both, where.all),
        *metrics.fdd(both, where.upper),
        *_mouth(both, truth.phones, bench),
        metrics.jitter(both.predicted, where.all),
        _of_truth(metrics.jitter(both.truth, where.all)),
    ]


def _mouth(both: metrics.Compared, phones: Sequence[Phone], bench: Bench) -> list[Figure]:
    """How the lips' opening follows the truth's."""
    given, meant = (metrics.aperture_m(motion, bench.lip_pairs) for motion in both)
    closed_m = CLOSED_SHARE * float(np.percentile(meant, 95))
    spans = [(phone.start_s, phone.end_s) for phone in phones if phone.name in BILABIALS]
    gain = float(given.std() / max(float(meant.std()), 1e-9))
    return [
        Figure("aperture r", metrics.correlation(given, meant), "", "lip_pairs"),
        Figure("aperture gain", gain, "", "lip_pairs"),
        metrics.closure(given, spans, bench.fps, closed_m),
        _of_truth(metrics.closure(meant, spans, bench.fps, closed_m)),
        metrics.onset_lag(given, meant, bench.fps),
    ]


def _of_truth(figure: Figure) -> Figure:
    return Figure(f"{figure.name}, truth", figure.value, figure.unit, figure.mask, figure.weight)


def pool(clips: Sequence[Sequence[Figure]]) -> list[Figure]:
    """Clips as one, each squared lip or eye error followed by its root."""
    figures = []
    for figure in metrics.pool(clips):
        figures += [figure, metrics.root(figure)] if figure.name in ("LVE", "EVE") else [figure]
    return figures
