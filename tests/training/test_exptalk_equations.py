"""Equations 3 to 12 of the ExpTalk paper, written out as printed and held against the code."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from backend import sampler, schedule
from training import attention, config, losses, quantizer
from training.exptalk import contrast, guided

SIZES = [(1, 1, 1), (3, 1, 2), (5, 2, 3), (7, 0, 25)]  # T, k, p


@pytest.mark.parametrize(("frames", "_", "period"), SIZES)
def test_eq_10_but_for_its_sign_and_slope(frames: int, _: int, period: int) -> None:
    def printed(i: int, j: int) -> int:
        if j <= 2:
            return 0
        # i counts frames, j also the two tokens before them: frame j is key j + 2.
        own = j - 2
        return math.floor((i - own) / period) if own <= i else math.floor((own - i) / period)

    bias = guided.period_bias(frames, torch.tensor([0.5]), period)[0]
    expected = [[-0.5 * printed(i, j) for j in range(1, frames + 3)] for i in range(1, frames + 1)]
    assert bias.tolist() == expected


@pytest.mark.parametrize(("frames", "window", "_"), SIZES)
def test_eq_11(frames: int, window: int, _: int) -> None:
    def printed(i: int, j: int) -> float:
        return 0 if j in (1, 2) or abs(i - (j - 2)) <= window else attention.BLOCKED

    bias = guided.window_bias(frames, torch.zeros(1), window)
    assert bias.tolist() == [[printed(i, j) for j in range(1, frames + 3)]
                             for i in range(1, frames + 1)]  # fmt: skip


def test_attention_gives_nothing_to_what_is_blocked() -> None:
    torch.manual_seed(0)
    attend, memory = guided.Attention(8, 2), torch.randn(1, 6, 8)
    bias = guided.window_bias(4, torch.zeros(1), 0)
    before = attend(torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(1)), memory, bias)
    memory[0, 4] += 100  # frame 3 of 1..4
    after = attend(torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(1)), memory, bias)
    assert torch.nonzero((after - before).abs().amax(2)[0]).flatten().tolist() == [2]


@pytest.mark.parametrize("positive_below", [False, True])
def test_eq_6_is_a_mean_over_frames_of_a_share_of_exponentials(positive_below: bool) -> None:
    rng = torch.Generator().manual_seed(0)
    voice, near, far = (torch.randn(1, 3, 4, generator=rng) for _ in range(3))

    def likeness(a: Tensor, b: Tensor) -> float:
        return math.exp(float(torch.cosine_similarity(a, b, dim=0)) / 0.2)

    shares = []
    for i in range(3):
        positive = likeness(voice[0, i], near[0, i])
        below = sum(likeness(voice[0, i], far[0, j]) for j in range(3))
        shares.append(positive / (below + positive * positive_below))
    loss = contrast.info_nce(voice, near, far, torch.ones(1, 3, dtype=torch.bool), 0.2,
                             positive_below)  # fmt: skip
    assert loss.item() == pytest.approx(-np.mean(np.log(shares)), rel=1e-5)


def test_eqs_3_and_5_take_the_nearest_code_and_pull_both_ways() -> None:
    book = quantizer.Quantizer(2, 2, beta=0.25)
    book.codes.data = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    vectors = torch.tensor([[[[0.8, 0.6]]]], requires_grad=True)
    found = book(vectors, torch.ones(1, 1, dtype=torch.bool))
    assert found.indices.tolist() == [[[1]]]
    assert found.loss.item() == pytest.approx(1.25 * (0.2**2 + 0.4**2) / 2)  # mean, not sum
    found.loss.backward()
    assert vectors.grad.flatten().tolist() == pytest.approx([0.25 * -0.2, 0.25 * -0.4])
    assert book.codes.grad[1].tolist() == pytest.approx([0.2, 0.4])


def test_eq_12_is_the_huber_loss_of_both_halves() -> None:
    predicted = torch.tensor([[[0.0, 0.0, 0.0, 0.0]]])
    clean = torch.tensor([[[0.5, 3.0, 1.0, 0.0]]])  # motion, motion, emotion, emotion
    motion, emotion = (0.5 * 0.5**2 + (3 - 0.5)) / 2, (0.5 * 1.0**2) / 2
    loss = losses.stage2(predicted, clean, torch.ones(1, 1, dtype=torch.bool), 0.0)
    assert loss.total.item() == pytest.approx((motion + emotion) / 2)


def test_the_paper_s_recipe_samples_by_ddim_whose_steps_add_no_noise() -> None:
    recipe = config.load("exptalk-mead-paper")
    assert (recipe.export.sampler, recipe.export.sampler_steps) == ("ddim", 50)
    assert recipe.stage2.velocity_weight == 0
    plan = schedule.cosine(recipe.stage2.diffusion_steps)
    draw = sampler.gaussian(0, (3, 4))
    asked: list[int] = []

    def denoise(noisy: np.ndarray, step: int) -> np.ndarray:
        asked.append(step)
        return np.full_like(noisy, 0.5)

    clean = sampler.named("ddim")(denoise, draw, plan, 50)
    assert len(asked) == 50 and asked == sorted(asked, reverse=True)
    np.testing.assert_allclose(clean, 0.5, atol=1e-5)


def test_opposite_encodings_gain_nothing_where_unlike_is_enough() -> None:
    voice, there = torch.tensor([[[1.0, 0.0]]]), torch.ones(1, 1, dtype=torch.bool)
    apart = {"opposite": [-3.0, 0.0], "unlike": [0.0, 1.0], "alike": [1.0, 0.0]}
    told = {
        name: contrast.info_nce(voice, voice, torch.tensor([[far]]), there, 0.5, False, True)
        for name, far in apart.items()
    }
    assert told["opposite"].item() == told["unlike"].item() == pytest.approx(-2)
    assert told["alike"].item() == pytest.approx(0)
