"""What is left of emotion in motion encodings: how it is measured, and that it can be removed."""

import dataclasses

import torch
from torch import Tensor

from tests.training.test_exptalk_networks import FACES, POINTS
from training import config
from training.exptalk import advae
from training.exptalk.advae import AdVae
from training.exptalk.traces import Traces

ALL = torch.ones(4, 50, dtype=torch.bool)


def voices() -> Tensor:
    return torch.randn(4, 50, 3, generator=torch.Generator().manual_seed(0))


def left(motion: Tensor, voice: Tensor, present: Tensor = ALL) -> float:
    """What one batch says, encodings (4, 50, D) as one component."""
    return Traces(motion.shape[-1], voice.shape[-1])(voice, motion[:, :, None], present).item()


def test_all_of_the_voice_is_found_in_a_linear_map_of_it_and_next_to_nothing_in_noise() -> None:
    voice, rng = voices(), torch.Generator().manual_seed(1)
    mixed = 5 * voice @ torch.randn(3, 6, generator=rng) + 2
    noise = torch.randn(4, 50, 6, generator=rng)
    assert left(mixed, voice) > 0.99
    assert left(noise, voice) < 0.08
    assert left(torch.cat([noise, mixed], dim=2), voice) > 0.99


def test_what_two_of_three_features_tell_is_two_thirds() -> None:
    voice = voices()
    assert abs(left(voice[..., :2], voice) - 2 / 3) < 0.05


def test_padding_tells_nothing() -> None:
    voice, motion = voices(), torch.randn(4, 50, 6, generator=torch.Generator().manual_seed(1))
    present = ALL & (torch.arange(50) < 40)
    padded = torch.where(present[..., None], motion, torch.full_like(motion, 1e3))
    assert left(padded, voice, present) == left(motion, voice, present)


def test_descent_removes_the_voice_and_leaves_the_rest() -> None:
    torch.manual_seed(0)
    encoder, traces = torch.nn.Linear(6, 6), Traces(6, 3)
    search = torch.optim.Adam(encoder.parameters(), lr=0.004)
    found = []
    for _ in range(500):
        voice, words = torch.randn(4, 50, 3), torch.randn(4, 50, 3)
        exact = encoder(torch.cat([words, voice], dim=2))
        encoded = exact + 0.2 * torch.randn_like(exact)  # as coarse as codes are
        kept = (encoded[..., :3] - words).square().mean()
        search.zero_grad()
        (kept + 2 * traces(voice, encoded[:, :, None], ALL)).backward()
        search.step()
        found.append(left(encoded.detach(), voice))
    assert found[0] > 0.5
    assert max(found[-20:]) < 0.3
    assert kept < 0.08


def test_only_recipes_that_ask_for_it_remember() -> None:
    recipe = config.load("exptalk-tiny")
    weighed = dataclasses.replace(recipe.exptalk, traces_weight=0.5)
    for options, there in ((recipe.exptalk, False), (weighed, True)):
        network = AdVae(recipe.stage1, options, POINTS, FACES, emotion_features=5)
        assert any("traces" in name for name in network.state_dict()) == there
        assert ("traces" in advae.network(dataclasses.replace(recipe, exptalk=options))) == there
