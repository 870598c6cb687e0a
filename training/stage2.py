"""Learn to imagine latents from speech (paper stage 2): writes stage2.pt."""

import argparse
import dataclasses
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from . import checkpoint, config, diffusion, latents, loop, losses, rig_file
from .config import Recipe, Stage2Config
from .denoiser import Denoiser
from .latents import Example


class Trained(NamedTuple):
    """A trained stage 2, averaged weights, in evaluation mode.

    It predicts stage 1's latents divided by ``scale``; ``features`` is their size F.
    """

    model: Denoiser
    scale: float
    styles: tuple[str, ...]
    features: int


class Stage2Task:
    """Stage 2 as the training loop sees it: paper eq. 13 on crops of the examples."""

    def __init__(self, section: Stage2Config, examples: list[Example], styles: int) -> None:
        torch.manual_seed(section.optimiser.seed)
        self.config, self.examples, self.style_count = section, examples, styles
        self.sizes = (examples[0].latents.shape[-1], examples[0].features.shape[-1])
        self.model = Denoiser(section, *self.sizes, styles)
        self.forward = diffusion.Forward(section.diffusion_steps)
        self.lengths = torch.tensor([float(len(example.latents)) for example in examples])

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

    def _draw(
        self, rng: torch.Generator, batch: int, frames: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Latents, features, styles one-hot and present frames of random crops."""
        clean, heard = (torch.zeros(batch, frames, size) for size in self.sizes)
        style = torch.zeros(batch, self.style_count)
        present = torch.zeros(batch, frames, dtype=torch.bool)
        chosen = torch.multinomial(self.lengths, batch, replacement=True, generator=rng)
        for row, number in enumerate(chosen.tolist()):
            example = self.examples[number]
            last = max(0, len(example.latents) - frames)
            start = int(torch.randint(last + 1, (1,), generator=rng))
            copy = int(torch.randint(len(example.features), (1,), generator=rng))
            piece = example.latents[start : start + frames]
            clean[row, : len(piece)] = piece
            heard[row, : len(piece)] = example.features[copy, start : start + frames]
            style[row, example.style] = 1.0
            present[row, : len(piece)] = True
        return clean, heard, style, present


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    loop.add_arguments(parser)


def run(args: argparse.Namespace) -> None:
    """Train, or continue, WORK/stage2.pt from WORK's rig, corpus, encoder.pt and stage1.pt."""
    recipe = config.load(args.recipe)
    work = config.work_folder(args, recipe)
    prepared = latents.prepare(work, recipe, rig_file.read(work / "rig.npz"))
    task = Stage2Task(recipe.stage2, prepared.examples, len(prepared.styles))
    extra = {
        "recipe": config.to_dict(recipe),
        "network": network(recipe.stage2),
        "inputs": latents.networks(work),
        "sizes": task.sizes,
        "styles": prepared.styles,
        "scale": prepared.scale,
    }
    files = loop.Files(work / "stage2.pt", work / "stage2.jsonl")
    loop.fit(task, recipe.stage2.optimiser, files, args, extra)


def network(section: Stage2Config) -> dict[str, object]:
    """The settings that a checkpoint's tensors depend on."""
    shaping = dataclasses.asdict(section)
    for free in ("optimiser", "dropout", "velocity_weight", "augmented_copies"):
        del shaping[free]
    return shaping


def load(work: Path, recipe: Recipe) -> Trained:
    """Read WORK/stage2.pt with its averaged weights; raises CheckpointError."""
    path = work / "stage2.pt"
    state = checkpoint.load(path, "train-stage2")
    checkpoint.check_same(state, {"network": network(recipe.stage2)}, path)
    if state["inputs"] != latents.networks(work):
        message = f"{path} was trained on another encoder or stage 1 than WORK holds"
        raise checkpoint.CheckpointError(message, "run: python -m training train-stage2 --restart")
    latent_size, features = state["sizes"]
    model = Denoiser(recipe.stage2, latent_size, features, len(state["styles"]))
    model.load_state_dict(state["ema"])
    return Trained(model.eval(), state["scale"], tuple(state["styles"]), features)
