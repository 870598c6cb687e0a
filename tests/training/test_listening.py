"""A HuBERT that learns along with stage 2, in small: what moves, what stays, where it ends up."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend import features as frame_features
from tests.training import toy
from tests.training.test_encoders import write_small_recipe
from training import __main__ as training
from training import checkpoint, config, encoder, listening, rig_file, speaking
from training.encoders import table
from training.encoders.interface import EncoderFileError

FROZEN = ("feature_extractor.", "feature_projection.", "encoder.layers.0.", "encoder.layers.1.")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose stage 2 trained its small HuBERT along, and its recipe."""
    folder = tmp_path_factory.mktemp("listening")
    recipe = write_small_recipe(folder)
    text = recipe.read_text(encoding="utf-8").replace("side_by_side", "train = true, side_by_side")
    recipe.write_text(text, encoding="utf-8")
    toy.write_rig(folder / "rig.npz")
    toy.write_corpus(folder / "corpus", clips=4)
    options = ["--recipe", str(recipe), "--work", str(folder)]
    assert [training.main([f"train-stage{n}", *options]) for n in (1, 2)] == [0, 0]
    return folder


def encoders(work: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The encoder's weights as published, and as they came out of the training."""
    recipe = config.load(work / "hubert.toml")
    return table.load(recipe, work).state_dict(), listening.ears(work, recipe)[0].state_dict()


def test_what_the_paper_freezes_stays_and_the_rest_moves(work: Path) -> None:
    before, after = encoders(work)
    moved = {name.removeprefix("encoder.network.") for name in before
             if not torch.equal(before[name], after[name])}  # fmt: skip
    assert moved and not [name for name in moved if name.startswith(FROZEN)]
    assert {name for name in moved if name.startswith("encoder.layers.2.")}
    assert "encoder.layer_norm.weight" in moved


def test_the_checkpoint_holds_the_encoder_and_the_network(work: Path) -> None:
    state = checkpoint.load(work / "stage2.pt", "train-stage2")
    parts = {name.split(".")[0] for name in state["ema"]}
    assert parts == {"denoiser", "encoder"} and state["sizes"][1] == 32
    examples = checkpoint.load(work / "latents.pt", "train-stage2")["examples"]
    assert examples[0][1].shape == (2, 32000)  # clean and spoiled, still to be heard


def test_the_trained_encoder_is_what_speaks_and_what_is_exported(work: Path) -> None:
    recipe, rig = config.load(work / "hubert.toml"), rig_file.read(work / "rig.npz")
    _, after = encoders(work)
    spoken = speaking.networks(work, recipe, rig).ears[0].state_dict()
    assert all(torch.equal(after[name], spoken[name]) for name in after)
    np.savez(work / "rest.npz", rest=rig.template)
    arguments = ["export", "--recipe", str(work / "hubert.toml"), "--work", str(work)]
    out = ["--reference", str(work / "rest.npz"), "--out", str(work / "pack")]
    assert training.main([*arguments, *out]) == 0  # it compares the graphs with these networks


def test_frames_for_gradients_are_those_of_the_runtime() -> None:
    heard = np.random.default_rng(0).random((57, 5), np.float32)
    weights = listening.frame_weights(57, 50.0, 34, 30.0).numpy()
    expected = frame_features.to_frames(heard, 50.0, 34, 30.0)
    np.testing.assert_allclose(weights @ heard, expected, atol=1e-6)


def test_a_crop_s_sound_begins_where_its_frames_do() -> None:
    assert listening.samples_of(slice(30, 45), 30) == slice(16000, 24000)
    spans = [listening.samples_of(slice(start, start + 7), 30) for start in range(9)]
    assert {span.stop - span.start for span in spans} == {3733}


def test_compact_does_not_learn_along() -> None:
    compact = encoder.CompactEncoder(config.load("tiny").encoder)
    with pytest.raises(EncoderFileError, match="CompactEncoder does not learn along"):
        listening.Listening(torch.nn.Identity(), compact, 30)
