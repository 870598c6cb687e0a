"""Learn the quantised space of face motion (paper stage 1): writes stage1.pt."""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from . import checkpoint, config, crops, loop, losses, rig_file
from .config import Recipe, Stage1Config
from .corpus.clips import read_clips, read_track
from .rig_file import Array, Rig
from .vqvae import VqVae

# Codes are revived only while the learning rate is high; then everything settles.
REVIVE_UNTIL = 0.7
REVIVE_EVERY = 20


class Normaliser(NamedTuple):
    """Displacements d (V, 3) in metres <-> (d - mean) / scale; lips vary by about 1."""

    mean: Array  # (V, 3), metres
    scale: float  # metres


class Trained(NamedTuple):
    """A trained stage 1, averaged weights, in evaluation mode."""

    model: VqVae
    normaliser: Normaliser

    def normalised(self, motion: Array) -> Tensor:
        """Displacements (T, V, 3) in metres as the model wants them."""
        return torch.from_numpy((motion - self.normaliser.mean) / self.normaliser.scale)

    def displacements(self, latents: Tensor) -> Array:
        """Quantised latents (T, H * C) -> displacements (T, V, 3), metres."""
        with torch.inference_mode():
            motion: Array = self.model.decode(latents[None])[0].numpy()
        return motion * np.float32(self.normaliser.scale) + self.normaliser.mean


class MotionCrops:
    """Random crops of the corpus' motion as normalised displacements."""

    def __init__(self, rig: Rig, motions: list[Array], normaliser: Normaliser) -> None:
        fields = rig.fields.reshape(len(rig.names), -1) / normaliser.scale
        self.normaliser = normaliser
        self.fields = torch.from_numpy(fields)
        self.mean = torch.from_numpy(normaliser.mean.reshape(-1) / normaliser.scale)
        self.motions = [torch.from_numpy(motion) for motion in motions]
        self.lengths = torch.tensor([float(len(motion)) for motion in motions])

    def draw(self, rng: torch.Generator, batch: int, frames: int) -> tuple[Tensor, Tensor]:
        """Motion (B, T, V, 3) and which frames are present (B, T); longer clips come oftener."""
        chosen = crops.draw(rng, self.lengths, batch, frames)
        pieces = [self.motions[crop.clip][crop.start : crop.stop] for crop in chosen]
        motion = self.vectors(crops.stack(pieces, frames))
        return motion.reshape(batch, frames, -1, 3), crops.present(chosen, frames)

    def vectors(self, weights: Tensor) -> Tensor:
        """Shape weights (..., K) -> normalised displacements (..., V * 3)."""
        return weights @ self.fields - self.mean


class Stage1Task:
    """Stage 1 as the training loop sees it."""

    def __init__(self, section: Stage1Config, rig: Rig, motion: MotionCrops) -> None:
        torch.manual_seed(section.optimiser.seed)
        self.config, self.motion = section, motion
        self.model = VqVae(section, rig.template.astype(np.float64), rig.faces)
        self.mouth, self.upper_face = mouth_of(rig), upper_face_of(rig, motion)

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        """One batch: paper eq. 6, then the codebook's upkeep."""
        options = self.config.optimiser
        motion, present = self.motion.draw(rng, options.batch, options.crop_frames)
        # An autoencoder first: from a random start the codes would pull all latents to one point.
        quantise = moment.progress >= self.config.quantise_from
        with loop.precision(options):
            result = self.model(motion, present, quantise)
        moved = result.motion.float()
        loss = losses.stage1(self.config, moved, motion, present, self.mouth, self.upper_face)
        quantizer = self.model.quantizer
        if quantise:
            quantizer.count(result.quantised.indices[present])
        if quantise and moment.step % REVIVE_EVERY == 0 and moment.progress < REVIVE_UNTIL:
            quantizer.revive(result.latents[present].detach().flatten(0, 1), rng)
        codebook = result.quantised.loss if quantise else torch.zeros(())
        figures = {
            "l1_mm": loss.reconstruction.item() * 1000 * self.motion.normaliser.scale,
            "codebook": codebook.item(),
            "used": (quantizer.usage > 0.1 / self.config.codes).float().mean().item(),
        }
        return loop.Step(loss.total + codebook, figures)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    loop.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Train, or continue, WORK/stage1.pt from WORK/rig.npz and WORK/corpus."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    rig = rig_file.read(work / "rig.npz")
    corpus = work / "corpus"
    motions = [read_track(corpus, clip).weights for clip in read_clips(corpus, "train")]
    normaliser = fit_normaliser(rig, motions)
    task = Stage1Task(recipe.stage1, rig, MotionCrops(rig, motions, normaliser))
    files = loop.Files(work / "stage1.pt", work / "stage1.jsonl")
    extra = {
        "recipe": config.to_dict(recipe),
        "network": network(recipe.stage1),
        "mean": torch.from_numpy(normaliser.mean),
        "scale": normaliser.scale,
    }
    loop.fit(task, recipe.stage1.optimiser, files, args, extra)


def network(section: Stage1Config) -> dict[str, object]:
    """The settings that a checkpoint's tensors depend on."""
    weights = ("lip_weight", "aperture_weight", "velocity_weight", "upper_weight", "beta")
    free = ("optimiser", "quantise_from", *weights)
    return checkpoint.identity(section, free, younger=("levels", "fusion"))


def load(work: Path, recipe: Recipe, rig: Rig) -> Trained:
    """Read WORK/stage1.pt with its averaged weights; raises CheckpointError."""
    path = work / "stage1.pt"
    state = checkpoint.load(path, "train-stage1")
    checkpoint.check_same(state, {"network": network(recipe.stage1)}, path)
    model = VqVae(recipe.stage1, rig.template.astype(np.float64), rig.faces)
    model.load_state_dict(state["ema"])
    return Trained(model.eval(), Normaliser(state["mean"].numpy(), state["scale"]))


def fit_normaliser(rig: Rig, motions: list[Array]) -> Normaliser:
    """Mean displacement of the corpus, and the lips' standard deviation as the scale."""
    weights = np.concatenate(motions)
    mean = np.tensordot(weights.mean(0), rig.fields, axes=1)
    lips = rig.fields[:, rig.masks["mask_lips"]]
    return Normaliser(mean.astype(np.float32), float(np.sqrt(_variance(lips, weights).mean())))


def _variance(fields: Array, weights: Array) -> Array:
    """Variance (V,) of a coordinate, mean over x, y, z, of fields (K, V, 3) by weights (T, K)."""
    covariance = np.cov(weights, rowvar=False)
    variance: Array = np.einsum("kvd,kl,lvd->v", fields, covariance, fields, optimize=True) / 3
    return variance


def mouth_of(rig: Rig) -> losses.Mouth:
    """The rig's lips and lip pairs as tensors."""
    lips = torch.from_numpy(rig.masks["mask_lips"].astype(np.float32))
    upper, lower = torch.from_numpy(rig.lip_pairs.T.astype(np.int64))
    return losses.Mouth(lips, upper, lower)


def upper_face_of(rig: Rig, motion: MotionCrops) -> losses.UpperFace:
    """Eyes and brows, each weighted by how much it moves in this motion; what never moves, by 0."""
    eyes = rig.masks["mask_eyes"]
    regions = [np.flatnonzero(mask) for mask in (eyes, rig.masks["mask_upper_face"] & ~eyes)]
    moved = torch.cat(motion.motions).numpy()
    fields = motion.fields.numpy().reshape(len(rig.names), -1, 3)
    spread = [float(_variance(fields[:, region], moved).sum()) for region in regions]
    weights = [np.full(len(region), 1 / of if of > 0 else 0.0)
               for region, of in zip(regions, spread, strict=True)]  # fmt: skip
    return losses.UpperFace(
        torch.from_numpy(np.concatenate(regions)),
        torch.from_numpy(np.concatenate(weights).astype(np.float32)),
    )
