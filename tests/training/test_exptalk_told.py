"""Told emotions in stage 2: what a lane puts in the voice's place, as often as asked for."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.emotions import Palette
from training import config, latents, rig_file, stage2
from training.config import Recipe
from training.corpus.emotions import Span
from training.exptalk import lines, told
from training.latents import Prepared
from training.rig_file import Rig

COLOURS = Palette(("neutral", "sad"), np.array([0, 1], np.float32),
                  np.array([[[1, 0], [1, 0]], [[1, 0], [0, 2]]], np.float32))  # fmt: skip


@pytest.fixture(scope="module")
def rig(exptalk_work: Path) -> Rig:
    """Of the toy."""
    return rig_file.read(exptalk_work / "rig.npz")


@pytest.fixture(scope="module")
def prepared(exptalk_work: Path, rig: Rig) -> Prepared:
    """The toy's training examples."""
    return latents.prepare(exptalk_work, told_by(0.0), rig)


def told_by(share: float) -> Recipe:
    """The toy's recipe with so much of it told."""
    recipe = config.load("exptalk-tiny")
    exptalk = dataclasses.replace(recipe.exptalk, told_share=share)
    return dataclasses.replace(recipe, exptalk=exptalk)


def test_a_lane_is_its_prototypes_and_goes_over_at_the_seam() -> None:
    lane = told.lane_of([Span("neutral", 0, 0.0, 2.0), Span("sad", 3, 2.0, 4.0)])
    features = told.painted(lane, 40, COLOURS, fps=10)
    assert features[[0, 15]].tolist() == [[1, 0], [1, 0]]
    assert features[[25, 39]].tolist() == [[0, 2], [0, 2]]
    assert features[20].tolist() == [0.5, 1.0]


def test_what_nobody_acts_is_told_as_neutral() -> None:
    assert told.painted((), 3, COLOURS, fps=10).tolist() == [[1, 0]] * 3


def test_every_line_is_told_what_it_acts(exptalk_work: Path, prepared: Prepared) -> None:
    recipe = told_by(1.0)
    frames = [len(example.target) for example in prepared.examples]
    features = told.features(exptalk_work, recipe, frames)
    colours = told.palette(exptalk_work, recipe)
    assert [len(each) for each in features] == frames
    for line, each in zip(lines.of(exptalk_work / "corpus", recipe), features, strict=True):
        first = lines.read_track(exptalk_work / "corpus", line, recipe).spans[0]
        meant = colours.features(first.emotion, {0: 0.0, 2: 0.7, 3: 1.0}[first.intensity])
        np.testing.assert_allclose(each[0].numpy(), meant, atol=1e-6)


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 60, 140), (1.0, 200, 200)])
def test_so_many_crops_are_told(
    prepared: Prepared, rig: Rig, share: float, least: int, most: int
) -> None:
    """Of 200; their speech stays what was heard."""
    marked: list[Tensor] = [
        torch.full((len(example.target), prepared.emotion_features), 7.0)
        for example in prepared.examples
    ]
    task = stage2.Stage2Task(told_by(share), prepared, rig, tellings=marked)
    batch = task._draw(torch.Generator().manual_seed(0), 200, 20)
    felt = batch.features[..., task.sizes.speech :]
    is_told = (felt == 7).all(dim=-1).all(dim=-1)
    assert least <= int(is_told.sum()) <= most
    assert not (batch.features[..., : task.sizes.speech] == 7).any()
    assert not (felt[~is_told] == 7).any()
