"""Learn to imagine latents from speech (paper stage 2): writes stage2.pt.

A recipe whose stage 2 works on vertices is a baseline: the same network and the same training, but
on what the paper's first stage would have quantised.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from . import checkpoint, config, crops, diffusion, latents, loop, losses, rig_file, stage1
from .config import Recipe, Stage2Config
from .denoiser import Denoiser
from .latents import Prepared
from .rig_file import Rig


class Trained(NamedTuple):
    """A trained stage 2, averaged weights, in evaluation mode.

    It predicts stage 1's latents divided by ``scale``, or vertices as the ``normaliser`` has them;
    ``features`` is the features' size F.
    """

    model: Denoiser
    scale: float
    styles: tuple[str, ...]
    features: int
    normaliser: stage1.Normaliser | None


class Batch(NamedTuple):
    """Vectors (B, T, D), features (B, T, F), styles one-hot (B, S), frames present (B, T)."""

    clean: Tensor
    features: Tensor
    style: Tensor
    present: Tensor


class Stage2Task:
    """Stage 2 as the training loop sees it: paper eq. 13 on crops of the examples."""

    def __init__(self, section: Stage2Config, prepared: Prepared, rig: Rig) -> None:
        torch.manual_seed(section.optimiser.seed)
        self.config, self.examples = section, prepared.examples
        self.style_count = len(prepared.styles)
        self.vectors = _vectors(prepared, rig)
        size = self.vectors(self.examples[0].target[:1]).shape[-1]
        self.sizes = (size, self.examples[0].features.shape[-1])
        self.model = Denoiser(section, *self.sizes, self.style_count)
        self.forward = diffusion.Forward(section.diffusion_steps)
        self.lengths = torch.tensor([float(len(example.target)) for example in self.examples])

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        """Noise a batch to random steps and predict it back."""
        options = self.config.optimiser
        clean, heard, style, present = self._draw(rng, options.batch, options.crop_frames)
        step = torch.randint(self.config.diffusion_steps, (len(clean),), generator=rng)
        noise = torch.randn(clean.shape, generator=rng)
        with loop.precision(options):
            predicted = self.model(self.forward.noised(clean, noise, step), heard, style, step)
        loss = losses.stage2(predicted.float(), clean, present, self.config.velocity_weight)
        figures = {"latent": loss.latent.item(), "velocity": loss.velocity.item()}
        return loop.Step(loss.total, figures)

    def _draw(self, rng: torch.Generator, batch: int, frames: int) -> Batch:
        """Random crops, each hearing one of its clip's copies."""
        chosen = crops.draw(rng, self.lengths, batch, frames)
        copies = len(self.examples[0].features)
        copy = torch.randint(copies, (batch,), generator=rng).tolist()
        rows = [self.examples[crop.clip] for crop in chosen]
        cuts = [slice(crop.start, crop.stop) for crop in chosen]
        clean = [row.target[cut] for row, cut in zip(rows, cuts, strict=True)]
        heard = [r.features[c, cut] for r, c, cut in zip(rows, copy, cuts, strict=True)]
        return Batch(
            self.vectors(crops.stack(clean, frames)),
            crops.stack(heard, frames),
            one_hot(torch.tensor([row.style for row in rows]), self.style_count).float(),
            crops.present(chosen, frames),
        )


def _vectors(prepared: Prepared, rig: Rig) -> Callable[[Tensor], Tensor]:
    """Examples' targets (..., T, K) -> the vectors (..., T, D) to predict."""
    if prepared.mean is None:
        return nn.Identity()
    normaliser = stage1.Normaliser(prepared.mean.numpy(), prepared.scale)
    return stage1.MotionCrops(rig, [], normaliser).vectors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    loop.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Train, or continue, WORK/stage2.pt from WORK's rig, corpus, encoder.pt and stage1.pt."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    rig = rig_file.read(work / "rig.npz")
    prepared = latents.prepare(work, recipe, rig)
    task = Stage2Task(recipe.stage2, prepared, rig)
    extra = {
        "recipe": config.to_dict(recipe),
        "network": network(recipe.stage2),
        "inputs": latents.networks(work, recipe),
        "sizes": task.sizes,
        "styles": prepared.styles,
        "scale": prepared.scale,
        "mean": prepared.mean,
    }
    files = loop.Files(work / "stage2.pt", work / "stage2.jsonl")
    loop.fit(task, recipe.stage2.optimiser, files, args, extra)


def network(section: Stage2Config) -> dict[str, object]:
    """The settings that a checkpoint's tensors depend on."""
    free = ("optimiser", "dropout", "velocity_weight", "augmented_copies")
    return checkpoint.identity(section, free, younger=("space",))


def load(work: Path, recipe: Recipe) -> Trained:
    """Read WORK/stage2.pt with its averaged weights; raises CheckpointError."""
    path = work / "stage2.pt"
    state = checkpoint.load(path, "train-stage2")
    checkpoint.check_same(state, {"network": network(recipe.stage2)}, path)
    if state["inputs"] != latents.networks(work, recipe):
        message = f"{path} was trained on another encoder or stage 1 than WORK holds"
        raise checkpoint.CheckpointError(message, "run: python -m training train-stage2 --restart")
    latent_size, features = state["sizes"]
    model = Denoiser(recipe.stage2, latent_size, features, len(state["styles"]))
    model.load_state_dict(state["ema"])
    mean = state.get("mean")
    normaliser = None if mean is None else stage1.Normaliser(mean.numpy(), state["scale"])
    return Trained(model.eval(), state["scale"], tuple(state["styles"]), features, normaliser)
