"""How well stage 1 tells emotion from speech: linear probes of its encodings, and a swap test.

    python -m training probe-emotion --recipe exptalk-flame

A probe is a linear classifier on one frame's quantised encodings, fitted on clips of the train
split and scored on another: emotion should be read from z_e and hardly from z_m. The swap test
decodes a clip's motion encodings with another clip's emotion encodings: the upper face should
change and the lips close as before.
"""

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .. import config, evaluate, evaluate_corpus, metrics, positive, rig_file, stage1
from ..config import Recipe, RecipeError
from ..corpus import emotions
from ..corpus.clips import Track, read_track
from ..corpus.phones import BILABIALS
from ..metrics import Figure
from ..rig_file import Rig

Ints = NDArray[np.int64]

NAMES = tuple(emotions.EMOTIONS)
# Faces take this long to show another emotion: frames before it are of neither.
SETTLED_S = 1.2
EVERY = 3  # neighbouring frames say the same
STEPS = 60
UNKNOWN = -1


class Encoded(NamedTuple):
    """A clip's encodings (T, H * C) of motion and of emotion, its track, and emotions (T,).

    Where nothing is disentangled there is one part.
    """

    parts: tuple[Tensor, ...]
    track: Track
    emotion: Ints


class Probed(NamedTuple):
    """What a probe said of the test frames, and what was acted."""

    said: Ints
    meant: Ints


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    parser.add_argument("--clips", type=positive.count("--clips"), default=200,
                        help="at most this many train clips")
    parser.add_argument("--split", default="test", help="the split that is scored")


def run(args: argparse.Namespace) -> None:
    """Print a table and write WORK/disentanglement.json."""
    recipe = config.load(args.recipe)
    if recipe.method != "exptalk" or not recipe.exptalk.disentangle:
        raise RecipeError(f"{recipe.name} has no emotion branch", "name a recipe of ExpTalk's")
    work = config.work_folder(args, recipe)
    rig = rig_file.read(work / "rig.npz")
    first = stage1.load(work, recipe, rig)
    known = encoded(work, recipe, rig, first, args.clips, "train")
    tested = encoded(work, recipe, rig, first, args.clips, args.split)
    rows = {
        "motion z_m": figures(probe(known, tested, 0)),
        "emotion z_e": figures(probe(known, tested, 1)),
        "swapped z_e": swap(first, rig, tested, recipe.fps),
    }
    evaluate.write(work / "disentanglement.json", evaluate.plain(rows))
    print(evaluate.table(rows))


def encoded(
    work: Path, recipe: Recipe, rig: Rig, first: stage1.Trained, most: int, split: str
) -> list[Encoded]:
    """A split's acted clips through the frozen encoders; raises CorpusError."""
    found = []
    for clip in evaluate_corpus.some(work, most, split):
        track = read_track(work / "corpus", clip)
        if track.spans:
            codes = first.model.codes_of(first.normalised(rig.displacements(track.weights)))
            branches = len(first.model.quantizers)
            parts = tuple(part.flatten(1) for part in codes.chunk(branches, dim=1))
            found.append(Encoded(parts, track, labels(track, recipe.fps)))
    return found


def labels(track: Track, fps: float) -> Ints:
    """The number in NAMES of each frame's emotion (T,); UNKNOWN where a face goes over."""
    times_s = np.arange(len(track.weights)) / fps
    found = np.full(len(times_s), UNKNOWN)
    for span in track.spans:
        shown = span.start_s if span.start_s == 0 else span.start_s + SETTLED_S
        inside = (times_s >= shown) & (times_s < span.end_s)
        found[inside] = NAMES.index(span.emotion)
    return found


def probe(known: Sequence[Encoded], tested: Sequence[Encoded], part: int) -> Probed:
    """A linear probe of one part of the encodings, every emotion weighing alike."""
    train, emotion = _frames(known, part)
    test, meant = _frames(tested, part)
    mean, spread = train.mean(dim=0), train.std(dim=0) + 1e-6
    seen = torch.bincount(emotion, minlength=len(NAMES)).clamp(min=1)
    linear = torch.nn.Linear(train.shape[1], len(NAMES))
    torch.nn.init.zeros_(linear.weight)
    search = torch.optim.LBFGS(linear.parameters(), max_iter=STEPS)

    def loss() -> Tensor:
        search.zero_grad()
        said = linear((train - mean) / spread)
        error = functional.cross_entropy(said, emotion, len(emotion) / seen / len(NAMES))
        total = error + 1e-3 * linear.weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    search.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        said = linear((test - mean) / spread).argmax(dim=1)
    return Probed(said.numpy(), meant.numpy())


def _frames(clips: Sequence[Encoded], part: int) -> tuple[Tensor, Tensor]:
    """Every third frame's encodings (N, H * C) and emotion (N,) where there is one."""
    vectors = torch.cat([clip.parts[part][::EVERY] for clip in clips])
    emotion = torch.from_numpy(np.concatenate([clip.emotion[::EVERY] for clip in clips]))
    return vectors[emotion >= 0], emotion[emotion >= 0]


def figures(probed: Probed) -> list[Figure]:
    """Share of frames read rightly, and its mean over emotions, whose chance is one in eight."""
    right = probed.said == probed.meant
    each = [right[probed.meant == number].mean() for number in np.unique(probed.meant)]
    count = len(right)
    return [
        Figure("frames read rightly", float(right.mean()), "share of frames", "", count),
        Figure("emotions read rightly", float(np.mean(each)), "mean of shares", "", len(each)),
    ]


def swap(
    first: stage1.Trained, rig: Rig, tested: Sequence[Encoded], fps: float
) -> list[Figure]:
    """Neighbouring clips of different emotions swap their emotion encodings, pooled over pairs."""
    pairs = [(a, b) for a, b in pairwise(tested) if a.emotion[0] != b.emotion[0]]
    return metrics.pool([_swapped(first, rig, a, b, fps) for a, b in pairs])


def _swapped(
    first: stage1.Trained, rig: Rig, own: Encoded, other: Encoded, fps: float
) -> list[Figure]:
    """What changes when a clip takes another one's emotion, its last frame held where it ends."""
    frames = len(own.parts[0])
    held = other.parts[1][torch.arange(frames).clamp(max=len(other.parts[1]) - 1)]
    before, after = (first.displacements(torch.cat([own.parts[0], emotion], dim=1))
                     for emotion in (own.parts[1], held))  # fmt: skip
    upper = np.linalg.norm(after - before, axis=-1)[:, rig.masks["mask_upper_face"]]
    openings = [metrics.aperture_m(motion, rig.lip_pairs) for motion in (before, after)]
    spans = [(p.start_s, p.end_s) for p in own.track.phones if p.name in BILABIALS]
    closed_m = evaluate_corpus.CLOSED_SHARE * float(np.percentile(openings[0], 95))
    closed = [metrics.closure(opening, spans, fps, closed_m) for opening in openings]
    return [
        Figure("upper face moved", 1000 * float(upper.mean()), "mm", "mask_upper_face", frames),
        _named(closed[0], "closure before"),
        _named(closed[1], "closure after"),
        Figure("aperture r", metrics.correlation(*openings), "", "lip_pairs"),
    ]


def _named(figure: Figure, name: str) -> Figure:
    return Figure(name, figure.value, figure.unit, figure.mask, figure.weight)

