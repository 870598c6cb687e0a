"""Learn the quantised space of face motion (paper stage 1): writes stage1.pt."""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from . import checkpoint, config, crops, loop, losses, processes, rig_file
from .config import Recipe, Stage1Config
from .exptalk import advae, lines
from .exptalk.advae import AdVae
from .processes import ALONE, Processes
from .rig_file import Array, Rig
from .vqvae import Reconstruction, VqVae

# Codes are revived only while the learning rate is high; then everything settles.
REVIVE_UNTIL = 0.7
REVIVE_EVERY = 20


class Normaliser(NamedTuple):
    """Displacements d (V, 3) in metres <-> (d - mean) / scale; lips vary by about 1."""

    mean: Array  # (V, 3), metres
    scale: float  # metres


class Trained(NamedTuple):
    """A trained stage 1, averaged weights, in evaluation mode."""

    model: VqVae | AdVae
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

    def __init__(
        self, rig: Rig, motions: list[Array], normaliser: Normaliser, here: Processes = ALONE
    ) -> None:
        fields = rig.fields.reshape(len(rig.names), -1) / normaliser.scale
        self.normaliser, self.here = normaliser, here
        self.fields = torch.from_numpy(fields).to(here.device)
        mean = normaliser.mean.reshape(-1) / normaliser.scale
        self.mean = torch.from_numpy(mean).to(here.device)
        self.motions = [torch.from_numpy(motion) for motion in motions]
        self.lengths = torch.tensor([float(len(motion)) for motion in motions])

    def choose(self, rng: torch.Generator, batch: int, frames: int) -> list[crops.Crop]:
        """Random crops for all processes; longer clips come oftener."""
        return crops.draw(rng, self.lengths, batch * self.here.count, frames)

    def cut(self, chosen: list[crops.Crop]) -> tuple[Tensor, Tensor]:
        """This process' motion (B, T, V, 3), and which frames are present (B, T)."""
        frames = crops.longest(chosen)
        pieces = [self.motions[crop.clip][crop.start : crop.stop] for crop in chosen]
        motion = self.vectors(self.here.mine(crops.stack(pieces, frames)))
        present = self.here.mine(crops.present(chosen, frames))
        return motion.reshape(*present.shape, -1, 3), present

    def vectors(self, weights: Tensor) -> Tensor:
        """Shape weights (..., K) -> normalised displacements (..., V * 3)."""
        return weights @ self.fields - self.mean


class Stage1Task:
    """Stage 1 as the training loop sees it."""

    codebook_weight = 1.0

    def __init__(self, section: Stage1Config, rig: Rig, motion: MotionCrops) -> None:
        self.config, self.motion = section, motion
        torch.manual_seed(section.optimiser.seed)
        self.model = self.network(rig)
        self.model.to(motion.here.device)
        self.mouth = losses.Mouth(*map(motion.here.placed, mouth_of(rig)))
        self.upper_face = losses.UpperFace(*map(motion.here.placed, upper_face_of(rig, motion)))

    def network(self, rig: Rig) -> VqVae | AdVae:
        """The network to train, from its random start."""
        return VqVae(self.config, rig.rest, rig.faces)

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        """One batch: paper eq. 6, then the codebook's upkeep."""
        options = self.config.optimiser
        chosen = self.motion.choose(rng, options.batch, options.crop_frames)
        motion, present = self.motion.cut(chosen)
        # An autoencoder first: from a random start the codes would pull all latents to one point.
        quantise = moment.progress >= self.config.quantise_from
        with loop.precision(options, motion.device):
            result = self.model(motion, present, quantise)
        moved = result.motion.float()
        loss = losses.stage1(self.config, moved, motion, present, self.mouth, self.upper_face)
        codebook = torch.zeros((), device=motion.device)
        if quantise:
            self._keep_up(result, present, rng, moment)
            codebook = torch.stack([part.quantised.loss for part in result.parts]).sum()
        usage = torch.cat([quantizer.usage for quantizer in self.model.quantizers])
        figures = {
            "l1_mm": loss.reconstruction.item() * 1000 * self.motion.normaliser.scale,
            "codebook": codebook.item(),
            "used": (usage > 0.1 / self.config.codes).float().mean().item(),
        }
        beside = self.beside(result, present, chosen)
        total = loss.total + self.codebook_weight * codebook + beside.loss
        return loop.Step(total, {**figures, **beside.figures})

    def beside(
        self, result: Reconstruction, present: Tensor, chosen: list[crops.Crop]
    ) -> loop.Step:
        """What a method adds to this loss; GLDiTalker nothing."""
        return loop.Step(torch.zeros((), device=present.device), {})

    def _keep_up(
        self, result: Reconstruction, present: Tensor, rng: torch.Generator, moment: loop.Moment
    ) -> None:
        """Count the codes that all processes used, and revive dead ones alike in each."""
        gathered = self.motion.here.gathered
        there = gathered(present)
        revive = moment.step % REVIVE_EVERY == 0 and moment.progress < REVIVE_UNTIL
        for part, quantizer in zip(result.parts, self.model.quantizers, strict=True):
            quantizer.count(gathered(part.quantised.indices)[there])
            if revive:
                latents = gathered(part.latents.detach())[there]
                quantizer.revive(latents.flatten(0, 1), rng)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    loop.add_arguments(parser)
    loop.add_device_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Train, or continue, WORK/stage1.pt from WORK/rig.npz and WORK/corpus."""
    recipe, here = config.load(args.recipe), processes.start(args.device)
    work = config.work_folder(args, recipe)
    rig = rig_file.read(work / "rig.npz")
    rows = lines.of(work / "corpus", recipe)
    motions = [lines.read_track(work / "corpus", line, recipe).weights for line in rows]
    normaliser = fit_normaliser(rig, motions)
    motion = MotionCrops(rig, motions, normaliser, here)
    if recipe.method == "exptalk":
        from .exptalk import advae_training  # which builds on this module

        task: Stage1Task = advae_training.task(recipe, work, rig, motion, rows)
    else:
        task = Stage1Task(recipe.stage1, rig, motion)
    files = loop.Files(work / "stage1.pt", work / "stage1.jsonl")
    extra = {
        "recipe": config.to_dict(recipe),
        "network": _identity(recipe),
        "mean": torch.from_numpy(normaliser.mean),
        "scale": normaliser.scale,
    }
    loop.fit(task, recipe.stage1.optimiser, files, args, extra, here)


def network(section: Stage1Config) -> dict[str, object]:
    """The settings that a checkpoint's tensors depend on."""
    weights = ("lip_weight", "aperture_weight", "velocity_weight", "upper_weight", "beta")
    free = ("optimiser", "quantise_from", *weights)
    return checkpoint.identity(section, free, younger=("levels", "fusion"))


def _identity(recipe: Recipe) -> dict[str, object]:
    """The settings of all sections that a checkpoint's tensors depend on."""
    shaping = network(recipe.stage1)
    return shaping | ({"exptalk": advae.network(recipe)} if recipe.method == "exptalk" else {})


def load(work: Path, recipe: Recipe, rig: Rig) -> Trained:
    """Read WORK/stage1.pt with its averaged weights; raises CheckpointError."""
    path = work / "stage1.pt"
    state = checkpoint.load(path, "train-stage1")
    checkpoint.check_same(state, {"network": _identity(recipe)}, path)
    model: VqVae | AdVae
    if recipe.method == "exptalk":
        model = advae.of(recipe, rig, state["ema"])
    else:
        model = VqVae(recipe.stage1, rig.rest, rig.faces)
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
    fields = motion.fields.cpu().numpy().reshape(len(rig.names), -1, 3)
    spread = [float(_variance(fields[:, region], moved).sum()) for region in regions]
    weights = [np.full(len(region), 1 / of if of > 0 else 0.0)
               for region, of in zip(regions, spread, strict=True)]  # fmt: skip
    return losses.UpperFace(
        torch.from_numpy(np.concatenate(regions)),
        torch.from_numpy(np.concatenate(weights).astype(np.float32)),
    )
