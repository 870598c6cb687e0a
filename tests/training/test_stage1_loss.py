"""Stage 1's loss where the face moves seldom: eyes and brows."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training import toy
from training import config, losses, rig_file, stage1
from training.rig_file import Rig

CONFIG = dataclasses.replace(config.load("tiny").stage1, upper_weight=1.0)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    toy.write_rig(tmp_path / "rig.npz")
    return rig_file.read(tmp_path / "rig.npz")


def _brows(rig: Rig) -> tuple[stage1.MotionCrops, Tensor]:
    """Brows that rise in one frame of ten, and that motion (1, 400, V, 3) normalised."""
    weights = np.zeros((400, 3), np.float32)
    weights[::10, 2] = 1.0
    crops = stage1.MotionCrops(rig, [weights], stage1.Normaliser(np.zeros_like(rig.template), 0.01))
    motion, _ = crops.cut(crops.choose(torch.Generator().manual_seed(0), 1, 400))
    return crops, motion


def _upper_loss(predicted: Tensor, target: Tensor, rig: Rig, crops: stage1.MotionCrops) -> float:
    """What the squared error of eyes and brows adds."""
    regions = stage1.mouth_of(rig), stage1.upper_face_of(rig, crops)
    present = torch.ones(1, target.shape[1], dtype=torch.bool)
    without = dataclasses.replace(CONFIG, upper_weight=0.0)
    both = [losses.stage1(c, predicted, target, present, *regions) for c in (CONFIG, without)]
    return (both[0].total - both[1].total).item()


def test_a_face_that_never_lifts_its_brows_pays_for_all_their_variance(rig: Rig) -> None:
    crops, motion = _brows(rig)
    mean = motion.mean(dim=1, keepdim=True).expand_as(motion)
    # Both regions hold brows on the toy: each pays its whole variance once.
    assert _upper_loss(mean, motion, rig, crops) == pytest.approx(2.0, rel=0.01)
    assert _upper_loss(motion, motion, rig, crops) == 0.0


def test_the_median_costs_more_than_the_mean(rig: Rig) -> None:
    crops, motion = _brows(rig)
    median = motion.median(dim=1, keepdim=True).values.expand_as(motion)
    assert _upper_loss(median, motion, rig, crops) == pytest.approx(2.0 * (1 + 0.1 / 0.9), rel=0.01)


def test_a_region_that_never_moves_weighs_nothing(rig: Rig) -> None:
    still = np.zeros((50, 3), np.float32)
    still[:, 0] = np.linspace(0.0, 1.0, 50)  # the jaw alone
    crops = stage1.MotionCrops(rig, [still], stage1.Normaliser(np.zeros_like(rig.template), 0.01))
    assert float(stage1.upper_face_of(rig, crops).weights.abs().max()) == 0.0
