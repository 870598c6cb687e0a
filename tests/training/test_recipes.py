"""The shipped recipes build what they say, at true size; no weight is ever filled in."""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from training import config, vqvae
from training.config import Recipe
from training.denoiser import Denoiser
from training.encoder import CompactEncoder
from training.spiral import Floats, Ints, Level
from training.spiral_conv import SpiralEncoder
from training.vqvae import VqVae

VERTICES = {"flame": 5023, "biwi": 23370}
COARSEST = {"flame": 20, "biwi": 92}
# True size, but a mesh of that size takes its time to be walked: a pyramid of the same shape does.
STYLES = 8


def levels(
    vertices: Floats, faces: Ints, count: int, length: int, dilation: int, factor: int
) -> list[Level]:
    """What `spiral.pyramid` makes of a mesh, without the mesh: sizes alone."""
    sizes = [len(vertices)]
    for _ in range(count):
        sizes.append(math.ceil(sizes[-1] / factor))
    none = np.zeros((0, 3))
    return [Level(fine, np.zeros(coarse, np.int64), np.zeros((coarse, length), np.int64),
                  np.zeros((0, length), np.int64), none, none.astype(np.int64))
            for fine, coarse in itertools.pairwise(sizes)]  # fmt: skip


@pytest.fixture(params=["gldi-biwi-paper", "gldi-voca-paper", "gldi-biwi", "gldi-flame"])
def recipe(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    monkeypatch.setattr(vqvae, "pyramid", levels)
    return config.load(request.param)


@contextmanager
def unfilled() -> Iterator[None]:
    with torch.device("meta"):
        yield


def first_stage(recipe: Recipe) -> VqVae:
    rest = np.zeros((VERTICES[recipe.topology], 3))
    with unfilled():
        return VqVae(recipe.stage1, rest, np.zeros((0, 3), np.int64))


def second_stage(recipe: Recipe) -> Denoiser:
    features = {"hubert-base": 2 * 768}.get(recipe.speech.encoder, 64)
    with unfilled():
        latents = recipe.stage1.components * recipe.stage1.channels
        return Denoiser(recipe.stage2, latents, features, STYLES)


def weights(*networks: nn.Module) -> int:
    return sum(weight.numel() for network in networks for weight in network.parameters())


def test_stage_1_walks_the_whole_mesh_and_speaks_for_every_vertex(recipe: Recipe) -> None:
    network = first_stage(recipe)
    assert isinstance(network.spatial_encoder, SpiralEncoder)
    fused = network.spatial_encoder.fusion[0].in_features
    assert fused == COARSEST[recipe.topology] * recipe.stage1.spiral_channels[-1]
    assert network.spatial_decoder[-1].out_features == 3 * VERTICES[recipe.topology]


def test_stage_2_predicts_those_latents_over_one_second_s_periods(recipe: Recipe) -> None:
    latents = recipe.stage1.components * recipe.stage1.channels
    assert second_stage(recipe).output.out_features == latents
    assert recipe.stage2.period == recipe.fps
    assert recipe.export.sampler_steps <= recipe.stage2.diffusion_steps


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("gldi-biwi-paper", (25, 8, 128, 256, 500, 12)),
        ("gldi-voca-paper", (30, 16, 64, 256, 1000, 6)),
    ],
)
def test_the_paper_s_sizes(name: str, sizes: tuple[int, ...]) -> None:
    recipe = config.load(name)
    first, second = recipe.stage1, recipe.stage2
    assert sizes == (recipe.fps, first.components, first.channels, first.codes,
                     second.diffusion_steps, second.layers)  # fmt: skip
    assert (first.spiral_length, first.dilation, len(first.spiral_channels)) == (9, 2, 4)
    assert (recipe.speech.encoder, recipe.speech.train) == ("hubert-base", True)
    assert (recipe.export.sampler, recipe.export.sampler_steps) == ("ddpm", sizes[4])


def test_the_biwi_pack_fits_into_25_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vqvae, "pyramid", levels)
    recipe = config.load("gldi-biwi")
    first = first_stage(recipe)
    decoder = (first.from_latents, first.temporal_decoder, first.spatial_decoder)
    encoder = CompactEncoder(recipe.encoder)
    halves = 2 * weights(*decoder, second_stage(recipe), encoder)
    reference = VERTICES["biwi"] * (3 * 4 * 3 + 4 + 6)  # rest, mean, blink; scale; masks
    assert recipe.export.half_weights and halves + reference < 24e6
