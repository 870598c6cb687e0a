"""Stage 2's crops: features are disturbed in training as the recipe says, and only then."""

import dataclasses

import torch

from training import config
from training.latents import Example
from training.stage2 import Stage2Task


def crop_features(feature_noise: float) -> torch.Tensor:
    """One batch of features from a clip whose features have standard deviation 2."""
    torch.manual_seed(0)
    clip = Example(torch.randn(400, 8), 2.0 * torch.randn(1, 400, 5), 0)
    section = dataclasses.replace(config.load("tiny").stage2, feature_noise=feature_noise)
    task = Stage2Task(section, [clip], styles=1)
    batch = task._draw(torch.Generator().manual_seed(1), batch=4, frames=400)
    return batch.features - clip.features


def test_without_noise_the_features_are_the_clips_own() -> None:
    assert crop_features(0.0).abs().max() == 0.0


def test_noise_is_in_units_of_the_features_own_deviation() -> None:
    assert abs(crop_features(0.5).std().item() - 1.0) < 0.03
