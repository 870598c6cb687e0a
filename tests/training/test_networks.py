"""The networks' promises: what looks where, and where gradients go."""

import dataclasses

import numpy as np
import pytest
import torch
import trimesh

from training import attention, config, losses
from training.denoiser import Denoiser
from training.quantizer import Quantizer
from training.spiral_conv import SpiralConv
from training.vqvae import VqVae

BALL = trimesh.creation.icosphere(subdivisions=1, radius=1.0)
POINTS, FACES = np.asarray(BALL.vertices), np.asarray(BALL.faces, dtype=np.int64)
FEATURES, LATENTS, STYLES = 8, 16, 2


@pytest.fixture
def denoiser() -> Denoiser:
    torch.manual_seed(0)
    return Denoiser(config.load("tiny").stage2, LATENTS, FEATURES, STYLES).eval()


@pytest.fixture
def vqvae() -> VqVae:
    torch.manual_seed(0)
    return VqVae(config.load("tiny").stage1, POINTS, FACES).eval()


def inputs(frames: int = 12) -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(1)
    return {
        "noisy": torch.randn(1, frames, LATENTS, generator=rng),
        "features": torch.randn(1, frames, FEATURES, generator=rng),
        "style": torch.tensor([[1.0, 0.0]]),
        "step": torch.tensor([500]),
    }


def test_spiral_convolution_gathers_and_multiplies() -> None:
    conv = SpiralConv(1, 1, np.array([[0, 2], [1, 0]]))
    with torch.no_grad():
        conv.linear.weight.copy_(torch.tensor([[1.0, 10.0]]))
    assert conv(torch.tensor([[[1.0], [2.0], [3.0]]])).flatten().tolist() == [31.0, 12.0]


def test_future_noise_does_not_reach_earlier_frames(denoiser: Denoiser) -> None:
    given = inputs()
    before = denoiser(**given)
    given["noisy"][:, 7:] += 1.0
    changed = (denoiser(**given) - before).abs().amax((0, 2))
    assert changed[:7].max() == 0 and changed[7:].min() > 1e-4


def test_speech_of_a_frame_reaches_no_earlier_frame(denoiser: Denoiser) -> None:
    given = inputs()
    before = denoiser(**given)
    given["features"][:, 5] += 1.0
    changed = (denoiser(**given) - before).abs().amax((0, 2))
    assert changed[:5].max() == 0 and changed[5] > 1e-4


def test_cross_attention_sees_its_own_speech_frame_alone() -> None:
    speech = torch.randn(1, 6, 4)
    layer = attention.AlignedAttention(4)
    before = layer(speech)
    speech[:, 2] += 1.0
    changed = (layer(speech) - before).abs().amax((0, 2))
    assert torch.nonzero(changed).flatten().tolist() == [2]


def test_style_and_step_change_the_prediction(denoiser: Denoiser) -> None:
    given = inputs()
    before = denoiser(**given)
    other_style = denoiser(**{**given, "style": torch.tensor([[0.0, 1.0]])})
    other_step = denoiser(**{**given, "step": torch.tensor([3])})
    assert (other_style - before).abs().max() > 1e-3
    assert (other_step - before).abs().max() > 1e-3


def test_without_diffusion_the_noise_does_not_matter() -> None:
    section = dataclasses.replace(config.load("tiny").stage2, diffusion=False)
    network = Denoiser(section, LATENTS, FEATURES, STYLES).eval()
    given = inputs()
    before = network(**given)
    assert torch.equal(network(**{**given, "noisy": given["noisy"] * 3}), before)


def test_without_the_noise_encoder_the_width_is_that_of_the_latents() -> None:
    section = dataclasses.replace(config.load("tiny").stage2, noise_encoder=False)
    network = Denoiser(section, LATENTS, FEATURES, STYLES).eval()
    assert network.output.in_features == LATENTS
    assert network(**inputs()).shape == (1, 12, LATENTS)


def test_the_causal_bias_decays_by_whole_periods_and_blocks_the_future() -> None:
    bias = attention.causal_bias(5, torch.tensor([0.25]), period=2)[0]
    assert bias[4].tolist() == [-0.5, -0.25, -0.25, 0.0, 0.0]
    assert (bias[0, 1:] == attention.BLOCKED).all()


def test_the_slopes_are_those_of_alibi() -> None:
    assert attention.slopes(4).tolist() == [1 / 4, 1 / 16, 1 / 64, 1 / 256]


def test_padding_changes_nothing_in_the_frames_present(vqvae: VqVae) -> None:
    motion = torch.randn(1, 10, len(POINTS), 3)
    present = torch.arange(10)[None] < 6
    padded = vqvae.encode(motion, present)[:, :6]
    assert torch.allclose(padded, vqvae.encode(motion[:, :6]), atol=1e-6)


def test_a_long_motion_is_decoded_as_its_pieces_are(vqvae: VqVae) -> None:
    latents = torch.randn(1, 80, LATENTS)
    whole = vqvae.decode(latents)
    piece = vqvae.decode(latents[:, 20:60])
    assert torch.allclose(whole[:, 30:50], piece[:, 10:30], atol=1e-5)


def test_the_quantiser_takes_the_nearest_code_and_passes_gradients_straight() -> None:
    quantizer = Quantizer(codes=2, channels=1, beta=0.25)
    with torch.no_grad():
        quantizer.codes.copy_(torch.tensor([[0.0], [1.0]]))
    vectors = torch.tensor([[[[0.8]]]], requires_grad=True)
    result = quantizer(vectors, torch.ones(1, 1, dtype=torch.bool))
    assert result.latents.item() == pytest.approx(1.0)
    assert result.loss.item() == pytest.approx(1.25 * 0.2**2)
    (gradient,) = torch.autograd.grad(result.latents.sum() * 3, vectors)
    assert gradient.item() == 3.0


def test_commitment_pulls_latents_with_beta_and_codes_with_one() -> None:
    quantizer = Quantizer(codes=1, channels=1, beta=0.25)
    with torch.no_grad():
        quantizer.codes.fill_(1.0)
    vectors = torch.tensor([[[[0.5]]]], requires_grad=True)
    quantizer(vectors, torch.ones(1, 1, dtype=torch.bool)).loss.backward()
    assert vectors.grad is not None and quantizer.codes.grad is not None
    assert vectors.grad.item() == pytest.approx(-0.25)
    assert quantizer.codes.grad.item() == pytest.approx(1.0)


def test_a_dead_code_moves_onto_a_latent() -> None:
    quantizer = Quantizer(codes=2, channels=1, beta=0.25)
    for _ in range(100):
        quantizer.count(torch.zeros(1, 4, dtype=torch.int64))
    moved = quantizer.revive(torch.tensor([[7.0]]), torch.Generator().manual_seed(0))
    assert moved == 1 and quantizer.codes[1].item() == 7.0


def test_padded_frames_count_in_no_loss() -> None:
    present = torch.tensor([[True, True, False]])
    predicted, target = torch.zeros(1, 3, 4), torch.zeros(1, 3, 4)
    predicted[:, :2] += 0.1
    clean = losses.stage2(predicted, target, present, weight=1.0).total.item()
    predicted[:, 2] = 50.0
    assert losses.stage2(predicted, target, present, weight=1.0).total.item() == clean
    assert clean == pytest.approx(0.5 * 0.1**2)
