"""Make a data set trainable: its motion as a rig of principal shapes, its clips as a corpus.

Every stage trains on weights of shapes, which is a few hundred numbers a frame where vertices are
fifteen thousand and more. Captured motion becomes such weights by its own principal components;
the command says what they leave out. Masks and lip pairs are those of a rig of the same mesh.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backend.errors import RequestError

from . import config, positive, prepare, rig_file
from .corpus import clips
from .corpus.speech import SAMPLE_RATE_HZ, Speech
from .datasets.dataset import Clip, Dataset
from .rig_file import Array, Rig

# Frames that the shapes are found in, spread evenly over the training clips.
FRAMES = 2000
# Shapes that move less than this share of the first one's way are noise of the arithmetic.
LEAST = 1e-5


class Shapes(NamedTuple):
    """Fields (K, V, 3) in metres, each as large as it is common, and what turns motion to weights.

    Weights (T, K) of displacements (T, V, 3) have about unit mean square.
    """

    fields: Array
    readers: Array  # (V * 3, K)

    def weights(self, motion: Array) -> Array:
        """Displacements (T, V, 3) in metres -> weights (T, K)."""
        found: Array = motion.reshape(len(motion), -1) @ self.readers
        return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    prepare.add_dataset_arguments(parser)
    config.add_recipe_arguments(parser)
    parser.add_argument("--rig", type=Path, required=True, help="a rig of the same mesh: its masks "
                        "and its scale (see docs/rig.md)")
    parser.add_argument("--shapes", type=positive.count("--shapes"), default=200,
                        help="at most this many shapes")


def run(args: argparse.Namespace) -> None:
    """Write WORK/rig.npz and WORK/corpus at the recipe's fps; raises RequestError, DatasetError."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    dataset, like = prepare.read(args), rig_file.read(args.rig)
    shapes = principal(sample(dataset, like, recipe.fps), args.shapes)
    corpus = work / "corpus"
    if (corpus / "clips.jsonl").exists():
        raise RequestError("corpus_there", f"{corpus} holds a corpus.", "Give another --work.")
    corpus.mkdir(parents=True, exist_ok=True)
    write_rig(work / "rig.npz", like, shapes)
    worst_mm = max(_write_clips(dataset, shapes, corpus, recipe.fps))
    print(f"{work}: {len(shapes.fields)} shapes; at most {worst_mm:.3f} mm are left out")


def sample(dataset: Dataset, like: Rig, fps: float) -> Array:
    """Training frames (N, V, 3) in metres, about FRAMES of them; raises RequestError."""
    own = dataset.split("train")
    if not own:
        raise RequestError("no_training", "There is no training clip.", "The summary says why.")
    every = max(1, sum(dataset.frames(clip, fps) for clip in own) // FRAMES)
    frames = [_motion(dataset, clip, fps)[::every] for clip in own]
    found: Array = np.concatenate(frames)
    _same_mesh(found, like)
    return found


def _same_mesh(motion: Array, like: Rig) -> None:
    if motion.shape[1:] != like.template.shape:
        message = f"The clips have {motion.shape[1]} vertices, the rig {len(like.template)}."
        raise RequestError("other_mesh", message, "Give --rig of the same mesh.")


def principal(motion: Array, most: int) -> Shapes:
    """The ``most`` largest principal shapes of frames (N, V, 3), from the N x N products."""
    rows = motion.reshape(len(motion), -1).astype(np.float64)
    squares, mixes = np.linalg.eigh(rows @ rows.T / len(rows))
    kept = np.argsort(squares)[::-1][:most]
    kept = kept[squares[kept] > LEAST**2 * squares[kept[0]]]
    sizes = np.sqrt(squares[kept])
    directions = rows.T @ mixes[:, kept] / (sizes * np.sqrt(len(rows)))
    fields = (directions * sizes).T.reshape(-1, *motion.shape[1:])
    return Shapes(fields.astype(np.float32), (directions / sizes).astype(np.float32))


def write_rig(path: Path, like: Rig, shapes: Shapes) -> None:
    """A rig file of these shapes on another rig's mesh."""
    names = np.array([f"principal{number}" for number in range(len(shapes.fields))])
    still = np.zeros((len(names), 6), np.float32)
    rig_file.write(path, {
        "names": names, "fields": shapes.fields, "template": like.template, "faces": like.faces,
        "lip_pairs": like.lip_pairs, "landmarks": like.landmarks, "jaw_motion": still,
        "jaw_pivot": like.jaw_pivot, "metres_per_unit": like.metres_per_unit, **like.masks,
    })  # fmt: skip


def _write_clips(dataset: Dataset, shapes: Shapes, corpus: Path, fps: float) -> Iterator[float]:
    """Write every clip and its line, the index last; gives the largest error of each, mm."""
    part = corpus / "clips.jsonl.part"
    with part.open("w", encoding="utf-8") as index:
        for clip in dataset.clips:
            motion, samples = _motion(dataset, clip, fps), dataset.waveform(clip)
            weights = shapes.weights(motion)
            entry = _entry(dataset, clip, len(samples) / SAMPLE_RATE_HZ)
            clips.write_clip(corpus, entry, Speech(samples, []), weights, [])
            index.write(clips.line(entry))
            print(f"adopted {clip.id}", file=sys.stderr)
            left = motion - np.tensordot(weights, shapes.fields, axes=1)
            yield 1e3 * float(np.linalg.norm(left, axis=-1).max())
    os.replace(part, corpus / "clips.jsonl")


def _motion(dataset: Dataset, clip: Clip, fps: float) -> Array:
    moved: Array = dataset.displacements(clip, fps) * np.float32(dataset.metres_per_unit)
    return moved


def _entry(dataset: Dataset, clip: Clip, seconds: float) -> clips.Clip:
    """A subject is a style; one whom the training does not know speaks as the first who trains."""
    known = clip.subject in dataset.styles
    split = clip.split.partition("-")[0]
    return clips.Clip(
        id=clip.id, wav=f"{clip.id}.wav", track=f"{clip.id}.npz",
        split="test-voices" if split == "test" and not known else split,
        style=clip.subject if known else dataset.styles[0],
        emotion=clip.emotion, text=clip.sentence, synthesiser=dataset.name, voice=clip.subject,
        seconds=seconds, language="", intensity=clip.intensity,
    )  # fmt: skip
