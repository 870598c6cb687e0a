"""Stage 2 may learn what latents do to the lips."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training import toy
from training import config, rig_file, stage1, stage2
from training.config import RecipeError
from training.decoded_lips import DecodedLips
from training.latents import Example, Prepared
from training.rig_file import Rig
from training.vqvae import VqVae


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    toy.write_rig(tmp_path / "rig.npz")
    return rig_file.read(tmp_path / "rig.npz")


def first_stage(rig: Rig) -> stage1.Trained:
    torch.manual_seed(0)
    model = VqVae(config.load("tiny").stage1, rig.rest, rig.faces).eval()
    return stage1.Trained(model, stage1.Normaliser(np.zeros_like(rig.template), 1.0))


def test_they_are_those_of_the_whole_decoded_face(rig: Rig) -> None:
    first = first_stage(rig)
    latents = torch.randn(2, 9, int(np.prod(first.model.shape)))
    present = torch.ones(2, 9, dtype=torch.bool)
    lips = DecodedLips(first, 3.0, rig)(latents, present)
    whole = first.model.decode(3.0 * latents, present)
    expected = whole[:, :, torch.from_numpy(rig.masks["mask_lips"])].flatten(2)
    torch.testing.assert_close(lips, expected)


def test_padding_has_no_error_and_no_weight_learns(rig: Rig) -> None:
    lips = DecodedLips(first_stage(rig), 1.0, rig)
    clean = torch.randn(1, 8, lips.from_latents.in_features)
    present = torch.tensor([[True] * 5 + [False] * 3])
    predicted = clean.clone().requires_grad_()
    assert lips.error(predicted, clean, present).item() == 0.0
    beyond = clean + 9.0 * ~present[..., None]
    assert lips.error(beyond, clean, present).item() == pytest.approx(0.0, abs=1e-9)
    lips.error(predicted + 1.0, clean, present).backward()
    assert predicted.grad is not None and predicted.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in lips.parameters())


def task(rig: Rig, weight: float) -> stage2.Stage2Task:
    tiny = config.load("tiny")
    recipe = dataclasses.replace(tiny, stage2=dataclasses.replace(tiny.stage2, lip_weight=weight))
    first = first_stage(rig)
    example = Example(torch.randn(40, int(np.prod(first.model.shape))), torch.randn(1, 40, 8), 0)
    prepared = Prepared([example], ("Even",), 1.0, None, 0)
    return stage2.Stage2Task(recipe, prepared, rig, lips=DecodedLips(first, 1.0, rig))


def test_their_error_is_added_with_its_weight(rig: Rig) -> None:
    steps = []
    for weight in (0.0, 10.0):
        torch.manual_seed(1)
        steps.append(task(rig, weight).step(torch.Generator().manual_seed(0), None))
    added = steps[1].loss.item() - steps[0].loss.item()
    assert steps[0].figures["lips"] > 0
    assert added == pytest.approx(10 * steps[0].figures["lips"], rel=1e-4)


def test_a_baseline_has_no_lips_to_weigh(rig: Rig, tmp_path: Path) -> None:
    recipe = config.load("tiny+baseline-regression")
    section = dataclasses.replace(recipe.stage2, lip_weight=1.0)
    with pytest.raises(RecipeError, match=r"lip_weight is 1"):
        stage2._lips(tmp_path, dataclasses.replace(recipe, stage2=section), rig, None)
