"""ExpTalk's networks: what looks where, what the losses are, what goes through which codebook."""

import dataclasses
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import trimesh
from torch import Tensor

from training import attention, config, graphs, spiral
from training.exptalk import advae as advae_module
from training.exptalk import contrast, guided, lines
from training.exptalk.advae import AdVae
from training.exptalk.rad import Rad, Sizes
from training.exptalk.spiral_decoder import RisingConv

BALL = trimesh.creation.icosphere(subdivisions=1, radius=1.0)
POINTS, FACES = np.asarray(BALL.vertices), np.asarray(BALL.faces, dtype=np.int64)
SIZES = Sizes(latents=32, speech=8, emotion=5, styles=2)
B = attention.BLOCKED


def advae(**options: bool | int | str) -> AdVae:
    torch.manual_seed(0)
    recipe = config.load("tiny")
    section = dataclasses.replace(recipe.exptalk, **options)
    return AdVae(recipe.stage1, section, POINTS, FACES, emotion_features=5).eval()


def rad(layers: int = 1, **options: bool | int) -> Rad:
    torch.manual_seed(0)
    recipe = config.load("tiny")
    section = dataclasses.replace(recipe.exptalk, **options)
    return Rad(dataclasses.replace(recipe.stage2, layers=layers), section, SIZES).eval()


def inputs(frames: int = 12) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(1)
    return {
        "noisy": torch.randn(1, frames, SIZES.latents, generator=rng),
        "features": torch.randn(1, frames, SIZES.speech + SIZES.emotion, generator=rng),
        "style": torch.tensor([[1.0, 0.0]]),
        "step": torch.tensor([500]),
    }


def moved(network: Rad, name: str, place: tuple[int | slice, ...]) -> Tensor:
    """How much each frame (T,) changes when the input does at one place."""
    given = inputs()
    before = network(**given)
    given[name][place] += 1.0
    return (network(**given) - before).abs().amax((0, 2))


def test_eq_10_is_a_symmetric_decay_by_whole_periods_and_nothing_on_the_tokens() -> None:
    bias = guided.period_bias(4, torch.tensor([1.0, 0.25]), period=2)
    assert bias[0].tolist() == [
        [0, 0, 0, 0, -1, -1],
        [0, 0, 0, 0, 0, -1],
        [0, 0, -1, 0, 0, 0],
        [0, 0, -1, -1, 0, 0],
    ]
    assert bias[1, 0].tolist() == [0, 0, 0, 0, -0.25, -0.25]


def test_eq_10_may_end_at_a_reach() -> None:
    bias = guided.period_bias(4, torch.tensor([1.0]), period=1, reach=2)[0]
    assert bias[0].tolist() == [0, 0, 0, -1, -2, B]


def test_eq_11_opens_a_window_around_each_frame_and_the_tokens() -> None:
    assert guided.window_bias(4, torch.zeros(1), window=1).tolist() == [
        [0, 0, 0, 0, B, B],
        [0, 0, 0, 0, 0, B],
        [0, 0, B, 0, 0, 0],
        [0, 0, B, B, 0, 0],
    ]


def test_speech_and_emotion_reach_the_frames_of_their_window_only() -> None:
    # Only cross-attention is left: self-attention would carry what it found everywhere.
    network = rad(window=1)
    torch.nn.init.zeros_(network.layers[0].own.output.weight)
    for column in (0, SIZES.speech):
        changed = moved(network, "features", (0, 6, column))
        assert torch.nonzero(changed > 1e-6).flatten().tolist() == [5, 6, 7]


def test_self_attention_looks_to_both_sides() -> None:
    changed = moved(rad(), "noisy", (0, 6))
    assert changed.min() > 1e-6


def test_identity_and_step_come_as_tokens() -> None:
    network, given = rad(), inputs()
    before = network(**given)
    for name, other in (("style", torch.tensor([[0.0, 1.0]])), ("step", torch.tensor([3]))):
        assert (network(**{**given, name: other}) - before).abs().max() > 1e-4


@pytest.mark.parametrize("guided_", [True, False])
def test_without_diffusion_the_noise_does_not_matter(guided_: bool) -> None:
    recipe, given = config.load("tiny"), inputs()
    section = dataclasses.replace(recipe.stage2, diffusion=False)
    options = dataclasses.replace(recipe.exptalk, guided=guided_)
    network = Rad(section, options, SIZES).eval()
    assert torch.equal(network(**given), network(**{**given, "noisy": 3 * given["noisy"]}))


def test_the_plain_decoder_looks_everywhere_and_tells_frames_apart() -> None:
    network, given = rad(guided=False), inputs()
    assert moved(network, "features", (0, 6, 0)).min() > 1e-7
    same = {**given, "noisy": torch.zeros_like(given["noisy"]),
            "features": torch.zeros_like(given["features"])}  # fmt: skip
    assert network(**same)[0].std(dim=0).max() > 1e-3


def test_info_nce_as_printed_has_the_negatives_alone_below() -> None:
    voice, near = torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[2.0, 0.0]]])
    far, present = torch.tensor([[[0.0, 3.0]]]), torch.ones(1, 1, dtype=torch.bool)
    printed = contrast.info_nce(voice, near, far, present, temperature=0.5)
    assert printed.item() == pytest.approx(0 / 0.5 - 1 / 0.5)
    usual = contrast.info_nce(voice, near, far, present, 0.5, positive_below=True)
    assert usual.item() == pytest.approx(np.log(np.exp(0) + np.exp(2)) - 2)


def test_negatives_are_the_motion_encodings_of_all_frames_present() -> None:
    rng = torch.Generator().manual_seed(0)
    voice, near, far = (torch.randn(1, 4, 3, generator=rng) for _ in range(3))
    present = torch.tensor([[True, True, True, False]])
    loss = contrast.info_nce(voice, near, far, present, 0.1)
    far[:, 3] = voice[:, 0]
    assert contrast.info_nce(voice, near, far, present, 0.1) == loss
    far[:, 2] = voice[:, 0]
    assert contrast.info_nce(voice, near, far, present, 0.1) > loss


def test_each_branch_draws_from_its_own_codebook() -> None:
    network = advae()
    latents = network.codes_of(torch.randn(5, len(POINTS), 3))
    motion, emotion = (branch.quantizer.codes for branch in network.branches)
    assert latents.shape == (5, 4, 8) == (5, *network.shape)
    for half, codes in ((latents[:, :2], motion), (latents[:, 2:], emotion)):
        assert torch.cdist(half.flatten(0, 1), codes).amin(1).max() < 1e-6
    numbers = network.quantizer.nearest(latents)
    assert numbers[:, :2].max() < 16 <= numbers[:, 2:].min()
    assert torch.equal(network.quantizer.codes[numbers], latents)


def test_without_disentanglement_there_is_one_branch() -> None:
    network = advae(disentangle=False)
    assert (len(network.branches), network.shape, network.contrast) == (1, (2, 8), None)


def test_padding_changes_nothing_in_the_frames_present() -> None:
    network, motion = advae(), torch.randn(1, 10, len(POINTS), 3)
    present = torch.arange(10)[None] < 6
    padded = network(motion, present, quantise=False).motion[:, :6]
    alone = network(motion[:, :6], present[:, :6], quantise=False).motion
    assert torch.allclose(padded, alone, atol=1e-5)


def test_a_long_motion_is_decoded_as_its_pieces_are() -> None:
    network, latents = advae(), torch.randn(1, 80, 32)
    whole, piece = network.decode(latents), network.decode(latents[:, 20:60])
    assert torch.allclose(whole[:, 30:50], piece[:, 10:30], atol=1e-4)


def test_rising_gives_kept_vertices_their_own_value_and_others_a_mean() -> None:
    (level,) = spiral.pyramid(POINTS, FACES, 1, length=9, dilation=1, factor=4)
    up = spiral.rise(level)
    np.testing.assert_allclose(up.weights.sum(1), 1)
    coarse = POINTS[level.kept]
    lifted = (up.weights[..., None] * coarse[up.sources]).sum(1)
    np.testing.assert_allclose(lifted[level.kept], coarse)
    assert np.linalg.norm(lifted - POINTS, axis=1).max() < 0.7
    conv = RisingConv(1, 2, level)
    assert conv(torch.randn(3, len(level.kept), 1)).shape == (3, len(POINTS), 2)


def test_a_face_goes_over_the_seam_without_a_jump() -> None:
    first, second = np.zeros((20, 1), np.float32), np.ones((30, 1), np.float32)
    path = lines.gone_over(first, second, 10)[:, 0]
    assert len(path) == 50 and path[14] == 0 and path[25] == 1
    assert np.diff(path).max() < 0.16
    np.testing.assert_allclose(path[15:25] + path[24:14:-1], 1, atol=1e-6)


def test_the_spiral_decoder_runs_as_a_graph_as_it_does_in_torch(tmp_path: Path) -> None:
    decoder = advae().spatial_decoder
    signature = graphs.Signature({"x": torch.randn(3, 32)}, {"x": {0: "n"}, "y": {0: "n"}}, ("y",))
    graphs.export(decoder, signature, tmp_path / "decoder.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "decoder.onnx")
    given = torch.randn(7, 32)
    made = session.run(None, {"x": given.numpy()})[0]
    np.testing.assert_allclose(made, decoder(given).detach().numpy(), atol=1e-5)


def test_the_face_may_be_decoded_by_an_mlp_and_by_nothing_else() -> None:
    latents = torch.randn(1, 5, 32)
    assert advae(decoder="mlp").decode(latents).shape == (1, 5, len(POINTS), 3)
    with pytest.raises(config.RecipeError, match="decoder is 'magic'"):
        advae(decoder="magic")


def test_a_mean_face_is_of_the_frames_present_around() -> None:
    motion = torch.arange(5.0).reshape(1, 5, 1, 1).expand(1, 5, 2, 3)
    present = torch.tensor([[True, True, True, True, False]])
    found = advae_module.mean_around(motion, present, 1)
    assert found[0, :4, 0, 0].tolist() == [0.5, 1, 2, 2.5]


def test_only_the_emotion_s_encoder_sees_the_mean_face() -> None:
    motion = torch.randn(6, len(POINTS), 3)
    plain, slow = advae().codes_of(motion), advae(emotion_reach=2).codes_of(motion)
    assert torch.equal(plain[:, :2], slow[:, :2])
    assert not torch.equal(plain[:, 2:], slow[:, 2:])
    still = motion.mean(0, keepdim=True).expand(6, -1, -1)
    assert torch.equal(advae(emotion_reach=9).codes_of(motion)[:, 2:],
                       advae().codes_of(still)[:, 2:])  # fmt: skip


def test_latents_of_emotion_go_over_within_the_reach_and_those_of_words_at_once() -> None:
    """A step of all codes at frame 20: the mean begins 4 frames before it and ends 4 after."""
    network = advae(emotion_reach=4)
    latents = torch.zeros(1, 40, 32)
    latents[:, 20:] = 1.0
    words, emotion = network._settled(latents, None)[0].chunk(2, dim=-1)
    assert torch.equal(words, latents[0, :, :16])
    assert emotion[15:26, 0].tolist() == pytest.approx([k / 9 for k in (*range(10), 9)])
    assert torch.equal(advae()._settled(latents, None), latents)
