"""ExpTalk's recipes build what they say, at true size; no weight is ever filled in."""

import pytest
import torch

from training import config
from training.exptalk.rad import GuidedLayer, PlainLayer, Rad, Sizes

SPEECH = {"wavlm-base-plus": 768, "compact": 64}
EMOTION = {"emotion2vec-base": 768, "wav2vec2-base": 768, "compact-emotion": 10}


def rad(name: str) -> Rad:
    recipe = config.load(name)
    latents = 2 * recipe.stage1.components * recipe.stage1.channels
    heard, felt = SPEECH[recipe.speech.encoder], EMOTION[recipe.exptalk.emotion_encoder]
    with torch.device("meta"):
        return Rad(recipe.stage2, recipe.exptalk, Sizes(latents, heard, felt, 10))


@pytest.mark.parametrize("name", ["exptalk-mead-paper", "exptalk-voca-paper"])
def test_the_paper_s_recipes_have_its_numbers(name: str) -> None:
    recipe = config.load(name)
    assert (recipe.method, recipe.fps, recipe.stage2.period) == ("exptalk", 25, 25)
    rates = [stage.optimiser.learning_rate for stage in (recipe.stage1, recipe.stage2)]
    assert rates == [1e-3, 2e-5]
    assert [stage.optimiser.batch for stage in (recipe.stage1, recipe.stage2)] == [1, 1]
    assert (recipe.export.sampler, recipe.export.sampler_steps) == ("ddim", 50)
    assert (recipe.exptalk.decoder, recipe.exptalk.positive_below) == ("spiral", False)
    network = rad(name)
    assert (network.noise_encoder.in_features, network.output.out_features) == (2048, 2048)
    assert network.emotion_projection.in_features == network.speech_projection.in_features == 768


def test_the_shipped_recipe_fits_its_size() -> None:
    weights = sum(weight.numel() for weight in rad("exptalk-flame").parameters())
    assert 2 * weights < 15e6  # bytes, as float16; decoder and encoders need as much again


def test_table_3_has_a_plain_decoder() -> None:
    guided, plain = rad("exptalk-flame"), rad("exptalk-flame+plain-decoder")
    assert all(isinstance(layer, GuidedLayer) for layer in guided.layers)
    assert all(isinstance(layer, PlainLayer) for layer in plain.layers)


def test_table_3_hears_emotion_with_wav2vec() -> None:
    assert rad("exptalk-mead-paper+wav2vec-emotion").options.emotion_encoder == "wav2vec2-base"


def test_table_3_does_without_diffusion() -> None:
    assert not rad("exptalk-flame+no-diffusion").config.diffusion
