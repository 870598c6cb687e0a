"""ExpTalk's figures of a trained model: encodings by t-SNE, heat maps, strips of emotions.

    python -m training figures --recipe exptalk-flame --pack PACK [--plain WORK] [--audio FILE]

Writes PNGs into OUT: tsne (Figure 5), heat (Figure 4), emotions (one line in every emotion), shift
(a line that goes from one emotion to another) and joined (Figure 3: two lines of different emotion
in one, with a transition of one second).
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sklearn.manifold import TSNE

from backend import audio
from backend.messages import EmotionSpan

from .. import config, evaluate, evaluate_corpus, positive, rig_file, stage1
from ..config import Recipe
from ..corpus.clips import Clip, CorpusError
from ..corpus.speech import SAMPLE_RATE_HZ
from ..report import pictures
from ..report.command import Travel, distance_mm, model_of
from ..report.pictures import Moment
from ..report.raster import Floats, Ints
from ..rig_file import Array, Rig
from ..speaking import PackSpeaker
from . import lines, probe
from .forced import VOICE, Lane, turning
from .lines import Line
from .told import lane_of

TRANSITION_S = 1.0  # section 4.3
MOST_POINTS = 3000
PERPLEXITY = 30.0
COLUMNS = 9
# Around a seam: the second half of one emotion's words, the transition, the first half of the next.
AROUND_S = (-2.0, -1.2, -0.6, -0.3, 0.0, 0.3, 0.6, 1.2, 2.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    parser.add_argument("--pack", required=True, help="the pack that speaks")
    parser.add_argument("--beside", nargs="+", default=[], metavar="PACK",
                        help="packs beside it in the heat maps")
    parser.add_argument("--plain", type=Path, metavar="WORK", help="a working folder trained "
                        "with +no-disentanglement, for t-SNE without it")
    parser.add_argument("--audio", type=Path, help="the line that is said in every emotion "
                        "(default: a test clip)")
    parser.add_argument("--shift", nargs=2, default=("happy", "angry"), metavar="EMOTION",
                        help="what the line goes over from and to in its middle (happy angry)")
    parser.add_argument("--style", default="", help="style of --audio (default: the first)")
    parser.add_argument("--split", choices=evaluate.SPLITS, default="test")
    parser.add_argument("--clips", type=positive.count("--clips"), default=40,
                        help="at most this many emotional clips")
    parser.add_argument("--out", type=Path, help="folder (default WORK/figures)")


class Scene(NamedTuple):
    """What every figure is drawn from."""

    recipe: Recipe
    work: Path
    rig: Rig
    speaker: PackSpeaker
    model: pictures.Model
    out: Path


class Spoken(NamedTuple):
    """A line to draw: its waveform (N,) at 16 kHz and its style."""

    samples: Array
    style: str

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


def run(args: argparse.Namespace) -> None:
    """Write the figures and print where they are."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    rig = rig_file.read(work / "rig.npz")
    speaker = evaluate.with_emotions(PackSpeaker(args.pack))
    out = args.out or work / "figures"
    out.mkdir(parents=True, exist_ok=True)
    scene = Scene(recipe, work, rig, speaker, model_of(speaker.rest, rig), out)
    for path in draw(scene, args):
        print(path, flush=True)


def draw(scene: Scene, args: argparse.Namespace) -> Iterator[Path]:
    """Each figure, drawn when it is asked for; raises CheckpointError, CorpusError, AudioError."""
    clips = evaluate_corpus.some(scene.work, args.clips, args.split, acted=True)
    yield draw_clouds(scene, args)
    yield draw_heat(scene, clips, [scene.speaker, *map(PackSpeaker, args.beside)])
    line = _line(scene, args, clips)
    yield draw_emotions(scene, line)
    yield draw_shift(scene, line, *args.shift)
    everything = evaluate_corpus.some(scene.work, sys.maxsize, args.split, acted=True)
    yield draw_joined(scene, pair_of(everything, args.shift))


def draw_clouds(scene: Scene, args: argparse.Namespace) -> Path:
    """t-SNE of one codebook's encodings without disentanglement, of motion's and of emotion's."""
    clouds = {}
    if args.plain:
        recipe = config.load(f"{args.recipe}+no-disentanglement")
        parts, kinds = encodings(scene, args, recipe, args.plain)
        clouds["without disentanglement"] = parts[0]
    parts, kinds = encodings(scene, args, scene.recipe, scene.work)
    clouds |= dict(zip(("motion encodings", "emotion encodings"), parts, strict=True))
    flat = {title: flattened(vectors) for title, vectors in clouds.items()}
    path = scene.out / "tsne.png"
    pictures.save_clouds(path, flat, kinds, probe.NAMES)
    return path


def encodings(
    scene: Scene, args: argparse.Namespace, recipe: Recipe, work: Path
) -> tuple[list[Array], Ints]:
    """A stage 1's encodings (N, H * C) of each part, and each frame's emotion (N,)."""
    first = stage1.load(work, recipe, scene.rig)
    clips = probe.encoded(scene.work, recipe, scene.rig, first, args.clips, args.split)
    kinds = np.concatenate([clip.emotion for clip in clips])
    settled = np.flatnonzero(kinds != probe.UNKNOWN)
    kept = settled[:: -(-len(settled) // MOST_POINTS)]
    parts = [torch.cat(part).numpy()[kept]
             for part in zip(*(clip.parts for clip in clips), strict=True)]  # fmt: skip
    return parts, kinds[kept]


def flattened(vectors: Array) -> Floats:
    """Vectors (N, D) as points (N, 2) by t-SNE."""
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    points: Floats = TSNE(perplexity=perplexity, init="random", random_state=0).fit_transform(
        vectors - vectors.mean(axis=0)
    )
    return points


def draw_heat(scene: Scene, clips: Sequence[Clip], speakers: Sequence[PackSpeaker]) -> Path:
    """Mean and standard deviation of motion over emotional clips: the truth's and each pack's."""
    truths = [evaluate_corpus.read_truth(scene.work, scene.rig, clip) for clip in clips]
    found = {"ground truth": Travel.of([distance_mm(truth.motion) for truth in truths])}
    for speaker in speakers:
        takes = [speaker.speak(truth.samples, truth.clip.style, 0, None) for truth in truths]
        found[speaker.pack.manifest.name] = Travel.of([distance_mm(take) for take in takes])
    path = scene.out / "heat.png"
    pictures.save_heat(path, scene.model, {
        "mean": {title: travel.mean for title, travel in found.items()},
        "standard deviation": {title: travel.deviation for title, travel in found.items()},
    })  # fmt: skip
    return path


def draw_emotions(scene: Scene, line: Spoken) -> Path:
    """One line in every emotion: a row each, at moments spread over it."""
    lanes: dict[str, Lane] = {VOICE: ()}
    lanes |= {name: (EmotionSpan(name),) for name in scene.speaker.pack.manifest.emotions}
    at_s = line.seconds * (np.arange(COLUMNS) + 0.5) / COLUMNS
    path = scene.out / "emotions.png"
    moments = [Moment(f"{second:.2f} s", float(second)) for second in at_s]
    pictures.save_moments(path, scene.model, moments, _takes(scene, line, lanes), scene.speaker.fps)
    return path


def draw_shift(scene: Scene, line: Spoken, first: str, second: str) -> Path:
    """A line that goes from one emotion to another in its middle, between either alone."""
    middle_s = line.seconds / 2
    lanes = {
        first: (EmotionSpan(first),),
        f"{first} to {second}": turning(first, second, middle_s, TRANSITION_S),
        second: (EmotionSpan(second),),
    }
    path = scene.out / "shift.png"
    moments = around(middle_s, line.seconds)
    pictures.save_moments(path, scene.model, moments, _takes(scene, line, lanes), scene.speaker.fps)
    return path


def draw_joined(scene: Scene, pair: Line) -> Path:
    """Two lines in one: the truth, what the pack hears, and what it is told."""
    recipe = replace(scene.recipe, exptalk=replace(scene.recipe.exptalk, join_s=TRANSITION_S))
    corpus = scene.work / "corpus"
    track = lines.read_track(corpus, pair, recipe)
    line = Spoken(lines.read_samples(corpus, pair, recipe), pair.style)
    seam_s = track.spans[-1].start_s
    told = tuple(replace(span, fade_s=TRANSITION_S) for span in lane_of(track.spans))
    lanes: dict[str, Lane] = {"voice's emotion": (), "true emotion": told}
    motions = {"ground truth": scene.rig.displacements(track.weights)}
    path = scene.out / "joined.png"
    pictures.save_moments(path, scene.model, around(seam_s, line.seconds),
                          motions | _takes(scene, line, lanes), scene.speaker.fps)  # fmt: skip
    return path


def around(seam_s: float, seconds: float) -> list[Moment]:
    """Moments of a line on both sides of a seam, titled by their distance from it."""
    inside = [apart_s for apart_s in AROUND_S if 0 <= seam_s + apart_s < seconds]
    return [Moment(f"{apart_s:+.1f} s", seam_s + apart_s) for apart_s in inside]


def _takes(scene: Scene, line: Spoken, lanes: Mapping[str, Lane]) -> dict[str, Array]:
    """A line under each lane."""
    speak = scene.speaker.speak
    return {title: speak(line.samples, line.style, 0, None, lane) for title, lane in lanes.items()}


def _line(scene: Scene, args: argparse.Namespace, clips: Sequence[Clip]) -> Spoken:
    """The recording that was given, or the longest of the clips."""
    if args.audio:
        return Spoken(audio.load(args.audio, SAMPLE_RATE_HZ).samples, args.style)
    longest = max(clips, key=lambda clip: clip.seconds)
    truth = evaluate_corpus.read_truth(scene.work, scene.rig, longest)
    return Spoken(truth.samples, longest.style)


def pair_of(clips: Sequence[Clip], wished: Sequence[str]) -> Line:
    """Two clips of one emotion each and of different ones: of one voice, of the wished emotions,
    and strongly acted, in this order of importance, as far as there are such.

    Raises CorpusError.
    """
    plain = [clip for clip in clips if not clip.shift_to]
    pairs = [(a, b) for a, b in permutations(plain, 2) if a.emotion != b.emotion]
    if not pairs:
        message = "no two of the clips act different emotions"
        raise CorpusError("split_empty", message, "choose another --split")

    def worth(pair: tuple[Clip, Clip]) -> tuple[bool, bool, int]:
        first, second = pair
        wanted = (first.emotion, second.emotion) == tuple(wished)
        return first.voice == second.voice, wanted, first.intensity + second.intensity

    best = max(pairs, key=worth)
    return Line(best)
