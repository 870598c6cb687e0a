"""Learn to imagine latents from speech (paper stage 2): writes stage2.pt.

A recipe whose stage 2 works on vertices is a baseline: the same network and the same training, but
on what the paper's first stage would have quantised.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from . import (
    checkpoint,
    config,
    crops,
    diffusion,
    latents,
    listening,
    loop,
    losses,
    processes,
    rig_file,
    stage1,
)
from .config import Recipe, Stage2Config
from .crops import Crop
from .denoiser import Denoiser
from .encoders import table
from .encoders.interface import SpeechEncoder
from .exptalk import rad, told
from .exptalk.rad import Rad, Sizes
from .latents import Prepared
from .listening import Listening, samples_of
from .processes import ALONE, Processes
from .rig_file import Rig


class Trained(NamedTuple):
    """A trained stage 2, averaged weights, in evaluation mode.

    It predicts stage 1's latents divided by ``scale``, or vertices as the ``normaliser`` has them.
    """

    model: Denoiser | Rad
    scale: float
    styles: tuple[str, ...]
    sizes: Sizes
    normaliser: stage1.Normaliser | None


def build(recipe: Recipe, sizes: Sizes) -> Denoiser | Rad:
    """The network of the recipe's method, from its random start."""
    torch.manual_seed(recipe.stage2.optimiser.seed)
    if recipe.method == "exptalk":
        return Rad(recipe.stage2, recipe.exptalk, sizes)
    return Denoiser(recipe.stage2, sizes.latents, sizes.speech, sizes.styles)


class Batch(NamedTuple):
    """Vectors (B, T, D), features (B, T, F), styles one-hot (B, S), frames present (B, T)."""

    clean: Tensor
    features: Tensor
    style: Tensor
    present: Tensor


class Stage2Task:
    """Stage 2 as the training loop sees it: paper eq. 13 on crops of the examples."""

    def __init__(
        self,
        recipe: Recipe,
        prepared: Prepared,
        rig: Rig,
        here: Processes = ALONE,
        encoder: SpeechEncoder | None = None,
        tellings: Sequence[Tensor] = (),
    ) -> None:
        self.config, self.examples, self.here = recipe.stage2, prepared.examples, here
        self.told_share, self.tellings = recipe.exptalk.told_share, tellings
        self.fps, self.encoder = recipe.fps, encoder
        self.vectors = _vectors(prepared, rig, here)
        size = self.vectors(here.placed(self.examples[0].target[:1])).shape[-1]
        heard, felt = self.examples[0].features.shape[-1], prepared.emotion_features
        speech = heard - felt if encoder is None else encoder.size
        self.sizes = Sizes(size, speech, felt, len(prepared.styles))
        network = build(recipe, self.sizes)
        whole = network if encoder is None else Listening(network, encoder, recipe.fps)
        self.model: nn.Module = whole.to(here.device)
        self.forward = diffusion.Forward(self.config.diffusion_steps, here.device)
        self.lengths = torch.tensor([float(len(example.target)) for example in self.examples])

    def step(self, rng: torch.Generator, moment: loop.Moment) -> loop.Step:
        """Noise a batch to random steps and predict it back."""
        options = self.config.optimiser
        whole = options.batch * self.here.count
        clean, heard, style, present = self._draw(rng, whole, options.crop_frames)
        step = torch.randint(self.config.diffusion_steps, (whole,), generator=rng)
        noise = torch.randn((whole, *clean.shape[1:]), generator=rng)
        step, noise = self.here.mine(step), self.here.mine(noise)
        with loop.precision(options, clean.device):
            predicted = self.model(self.forward.noised(clean, noise, step), heard, style, step)
        loss = losses.stage2(predicted.float(), clean, present, self.config.velocity_weight)
        figures = {"latent": loss.latent.item(), "velocity": loss.velocity.item()}
        return loop.Step(loss.total, figures)

    def _draw(self, rng: torch.Generator, batch: int, frames: int) -> Batch:
        """This process' part of random crops, each hearing one of its clip's copies.

        Where an encoder learns along, waveforms (B, N) stand in the features' place.
        """
        chosen = crops.draw(rng, self.lengths, batch, frames)
        frames = crops.longest(chosen)
        copies = len(self.examples[0].features)
        copy = torch.randint(copies, (batch,), generator=rng).tolist()
        rows = [self.examples[crop.clip] for crop in chosen]
        cuts = [slice(crop.start, crop.stop) for crop in chosen]
        clean = [row.target[cut] for row, cut in zip(rows, cuts, strict=True)]
        sounds = [row.features[c] for row, c in zip(rows, copy, strict=True)]
        heard = [self._heard(sound, cut) for sound, cut in zip(sounds, cuts, strict=True)]
        if self.tellings:
            heard = self._some_told(rng, heard, chosen)
        spans = frames if self.encoder is None else samples_of(slice(0, frames), self.fps).stop
        styles = one_hot(torch.tensor([row.style for row in rows]), self.sizes.styles).float()
        mine = self.here.mine
        return Batch(
            self.vectors(mine(crops.stack(clean, frames))),
            mine(crops.stack(heard, spans)),
            mine(styles),
            mine(crops.present(chosen, frames)),
        )


    def _heard(self, features: Tensor, cut: slice) -> Tensor:
        """A crop's frames of features (T, F), or its samples of a waveform (N,)."""
        if self.encoder is None:
            return features[cut]
        return features[samples_of(cut, self.fps)]

    def _some_told(
        self, rng: torch.Generator, heard: list[Tensor], chosen: list[Crop]
    ) -> list[Tensor]:
        """Crops' features (T, F + K), some with told emotions in place of those heard."""
        is_told = torch.rand(len(heard), generator=rng) < self.told_share
        rows = []
        for own, crop, this in zip(heard, chosen, is_told.tolist(), strict=True):
            telling = self.tellings[crop.clip][crop.start : crop.stop] if this else None
            speech = own[:, : self.sizes.speech]
            rows.append(own if telling is None else torch.cat([speech, telling], dim=1))
        return rows


def _vectors(prepared: Prepared, rig: Rig, here: Processes) -> Callable[[Tensor], Tensor]:
    """Examples' targets (..., T, K) -> the vectors (..., T, D) to predict."""
    if prepared.mean is None:
        return nn.Identity()
    normaliser = stage1.Normaliser(prepared.mean.numpy(), prepared.scale)
    return stage1.MotionCrops(rig, [], normaliser, here).vectors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config.add_recipe_arguments(parser)
    loop.add_arguments(parser)
    loop.add_device_argument(parser)


def run(args: argparse.Namespace) -> None:
    """Train, or continue, WORK/stage2.pt from WORK's rig, corpus, encoder.pt and stage1.pt."""
    recipe, here = config.load(args.recipe), processes.start(args.device)
    work = config.work_folder(args, recipe)
    listening.check(recipe)
    loop.use_threads(args, recipe.stage2.optimiser)  # listening takes minutes, too
    rig = rig_file.read(work / "rig.npz")
    with here.first_before_others():
        prepared = latents.prepare(work, recipe, rig)
    encoder = table.load(recipe, work) if recipe.speech.train else None
    task = Stage2Task(recipe, prepared, rig, here, encoder, _tellings(work, recipe, prepared))
    extra = {
        "recipe": config.to_dict(recipe),
        "network": _identity(recipe),
        "inputs": latents.networks(work, recipe),
        "sizes": tuple(task.sizes),
        "styles": prepared.styles,
        "scale": prepared.scale,
        "mean": prepared.mean,
    }
    files = loop.Files(work / "stage2.pt", work / "stage2.jsonl")
    loop.fit(task, recipe.stage2.optimiser, files, args, extra, here)


def _tellings(work: Path, recipe: Recipe, prepared: Prepared) -> list[Tensor]:
    """Emotion features as a lane tells them, of each line, where the recipe has some told."""
    if recipe.method != "exptalk" or not recipe.exptalk.told_share:
        return []
    return told.features(work, recipe, [len(example.target) for example in prepared.examples])


def network(section: Stage2Config) -> dict[str, object]:
    """The settings that a checkpoint's tensors depend on."""
    free = ("optimiser", "dropout", "velocity_weight", "augmented_copies")
    return checkpoint.identity(section, free, younger=("space",))


def _identity(recipe: Recipe) -> dict[str, object]:
    """The settings of all sections that a checkpoint's tensors depend on."""
    shaping = network(recipe.stage2)
    return shaping | ({"exptalk": rad.network(recipe)} if recipe.method == "exptalk" else {})


def load(work: Path, recipe: Recipe) -> Trained:
    """Read WORK/stage2.pt with its averaged weights; raises CheckpointError."""
    path = work / "stage2.pt"
    state = checkpoint.load(path, "train-stage2")
    checkpoint.check_same(state, {"network": _identity(recipe)}, path)
    if state["inputs"] != latents.networks(work, recipe):
        message = f"{path} was trained on another encoder or stage 1 than WORK holds"
        raise checkpoint.CheckpointError(message, "run: python -m training train-stage2 --restart")
    latent_size, features, *_ = state["sizes"]
    # Older checkpoints, which have no emotions, name two sizes.
    felt = state["sizes"][2] if len(state["sizes"]) > 2 else 0
    sizes = Sizes(latent_size, features, felt, len(state["styles"]))
    model = build(recipe, sizes)
    model.load_state_dict(listening.network_part(state["ema"]))
    mean = state.get("mean")
    normaliser = None if mean is None else stage1.Normaliser(mean.numpy(), state["scale"])
    return Trained(model.eval(), state["scale"], tuple(state["styles"]), sizes, normaliser)
