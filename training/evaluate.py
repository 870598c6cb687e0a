"""Measure a trained model on the corpus' test split: a table, and WORK/evaluation.json."""

import argparse
import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from . import config, diffusion, encoder, latents, metrics, rig_file, stage1, stage2
from .config import Recipe
from .corpus.clips import Clip, read_clips, read_samples, read_track
from .corpus.phones import Phone
from .encoder import CompactEncoder
from .rig_file import Array, Rig

BILABIALS = ("P", "B", "M")
# Lips count as closed below this share of how far the truth opens (its 95th percentile).
CLOSED_SHARE = 0.2
Figures = dict[str, float]


class Truth(NamedTuple):
    """A test clip's motion (T, V, 3) in metres, waveform, and phones."""

    clip: Clip
    motion: Array
    samples: Array
    phones: list[Phone]


class Networks(NamedTuple):
    """Everything trained."""

    rig: Rig
    first: stage1.Trained
    second: stage2.Trained
    heard: CompactEncoder
    fps: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    parser.add_argument("--clips", type=int, default=12, help="at most this many test clips")
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 8, 12, 25], help="DDIM steps")
    parser.add_argument("--seeds", type=int, default=3, help="takes of each clip, at least 2")


def run(args: argparse.Namespace) -> None:
    """Print the figures of the networks in WORK and keep them in WORK/evaluation.json."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    networks = load(work, recipe)
    truths = [read_truth(work, networks.rig, clip) for clip in some(work, args.clips)]
    rows = {"quantised truth": reconstruction(networks, truths)}
    for steps in args.steps:
        rows[f"from speech, {steps} steps"] = generation(networks, truths, steps, args.seeds)
    (work / "evaluation.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


def load(work: Path, recipe: Recipe) -> Networks:
    """The trained networks of a working folder; raises CheckpointError, EncoderFileError."""
    rig = rig_file.read(work / "rig.npz")
    first, second = stage1.load(work, recipe, rig), stage2.load(work, recipe)
    return Networks(rig, first, second, encoder.load(work / "encoder.pt"), recipe.fps)


def some(work: Path, most: int) -> list[Clip]:
    """Test clips spread evenly over the split."""
    rows = read_clips(work / "corpus", "test")
    return rows[:: max(1, len(rows) // most)][:most]


def read_truth(work: Path, rig: Rig, clip: Clip) -> Truth:
    """A clip with all that the measures need."""
    corpus = work / "corpus"
    track = read_track(corpus, clip)
    motion = rig.displacements(track.weights)
    return Truth(clip, motion, read_samples(corpus, clip), track.phones)


def reconstruction(networks: Networks, truths: list[Truth]) -> Figures:
    """Stage 1 alone: the truth through the codebook and back, and the share of codes it uses."""
    figures, used = [], set()
    for truth in truths:
        codes = networks.first.model.codes_of(networks.first.normalised(truth.motion))
        used |= set(networks.first.model.quantizer.nearest(codes).reshape(-1).tolist())
        figures.append(compare(networks, networks.first.displacements(codes.flatten(1)), truth))
    return {**mean(figures), "codes used": len(used) / len(networks.first.model.quantizer.codes)}


def generation(networks: Networks, truths: list[Truth], steps: int, seeds: int) -> Figures:
    """Both stages from the waveform: the first take's errors, and how takes differ."""
    figures = []
    for truth in truths:
        takes = [imagine(networks, truth, steps, seed) for seed in range(seeds)]
        upper = networks.rig.masks["mask_upper_face"]
        differ = {
            "diversity mm": metrics.diversity_mm(takes),
            "upper diversity mm": metrics.diversity_mm(takes, upper),
        }
        figures.append({**compare(networks, takes[0], truth), **differ})
    return mean(figures)


def imagine(networks: Networks, truth: Truth, steps: int, seed: int) -> Array:
    """Displacements (T, V, 3) that the model gives for a clip's sound and style."""
    first, second = networks.first, networks.second
    heard = latents.features_of(networks.heard, truth.samples, len(truth.motion), networks.fps)
    style = np.zeros(len(second.styles), dtype=np.float32)
    style[second.styles.index(truth.clip.style)] = 1.0
    size = second.model.output.out_features
    condition = diffusion.Condition(heard, style)
    clean = torch.from_numpy(diffusion.sample(second.model, condition, size, steps, seed))
    vectors = (clean * second.scale).reshape(len(clean), *first.model.shape)
    codes = first.model.quantizer.codes[first.model.quantizer.nearest(vectors)]
    return first.displacements(codes.flatten(1))


def compare(networks: Networks, predicted: Array, truth: Truth) -> Figures:
    """One predicted motion against the truth."""
    rig, fps, meant = networks.rig, networks.fps, truth.motion
    lips, upper = rig.masks["mask_lips"], rig.masks["mask_upper_face"]
    opened, given = (metrics.aperture_m(m, rig.lip_pairs) for m in (meant, predicted))
    closed_m = CLOSED_SHARE * float(np.percentile(opened, 95))
    spans = [(p.start_s, p.end_s) for p in truth.phones if p.name in BILABIALS]
    return {
        "MVE mm": metrics.mean_vertex_error_mm(predicted, meant),
        "LVE mm": metrics.lip_vertex_error_mm(predicted, meant, lips),
        "LVE m2": metrics.lip_vertex_error_m2(predicted, meant, lips),
        "FDD m2": metrics.facial_dynamics_deviation_m2(predicted, meant, upper),
        "aperture r": metrics.correlation(given, opened),
        "aperture gain": float(given.std() / max(float(opened.std()), 1e-9)),
        "closures": metrics.closure_rate(given, spans, fps, closed_m),
        "closures, truth": metrics.closure_rate(opened, spans, fps, closed_m),
        "jitter": metrics.jitter_mm_per_frame3(predicted),
        "jitter, truth": metrics.jitter_mm_per_frame3(meant),
    }


def mean(figures: list[Figures]) -> Figures:
    """Mean of each figure over clips; a clip without bilabials does not count for closures."""
    return {name: _mean(row[name] for row in figures) for name in figures[0]}


def _mean(values: Iterable[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return statistics.fmean(finite) if finite else float("nan")


def table(rows: dict[str, Figures]) -> str:
    """Figures as text: one line a measure, one column a row."""
    names = list(dict.fromkeys(name for figures in rows.values() for name in figures))
    width = max(len(title) for title in rows) + 2
    lines = [" " * 20 + "".join(title.rjust(width) for title in rows)]
    for name in names:
        cells = (f"{figures[name]:.4g}" if name in figures else "" for figures in rows.values())
        lines.append(name.ljust(20) + "".join(cell.rjust(width) for cell in cells))
    return "\n".join(lines)
