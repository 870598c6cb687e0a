"""Each overlay of training/recipes/overlays builds the network it claims, and trains."""

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from tests.training import toy
from training import checkpoint, config, loop, rig_file, stage1
from training.spiral_conv import MlpEncoder, SpiralEncoder
from training.vqvae import VqVae

BALL = trimesh.creation.icosphere(subdivisions=3, radius=1.0)
POINTS, FACES = np.asarray(BALL.vertices), np.asarray(BALL.faces, dtype=np.int64)
# Outputs and inputs of gldi-flame's spiral convolutions: inputs are channels times spiral length.
LAYERS = {
    "": [(16, 27), (16, 144), (32, 144), (32, 288)],
    "+spiral-5-1-4": [(16, 15), (16, 80), (32, 80), (32, 160)],
    "+spiral-9-1-2": [(16, 27), (16, 144)],
    "+spiral-9-1-4": [(16, 27), (16, 144), (32, 144), (32, 288)],
    "+spiral-9-2-3": [(16, 27), (16, 144), (32, 144)],
}
FIRST_STAGE = [*(name[1:] for name in LAYERS if name), "mlp-encoder", "all-levels"]


def network(overlay: str) -> VqVae:
    return VqVae(config.load(f"gldi-flame{overlay}").stage1, POINTS, FACES)


def spiral_encoder(overlay: str) -> SpiralEncoder:
    encoder = network(overlay).spatial_encoder
    assert isinstance(encoder, SpiralEncoder)
    return encoder


@pytest.mark.parametrize("overlay", LAYERS)
def test_table_4_sets_kernel_and_levels(overlay: str) -> None:
    weights = [tuple(block.linear.weight.shape) for block in spiral_encoder(overlay).blocks]
    assert weights == LAYERS[overlay]


def test_table_4_sets_the_dilation() -> None:
    dilated, plain = (spiral_encoder(name).blocks[0].spirals.reshape(-1, 9)
                      for name in ("", "+spiral-9-1-4"))  # fmt: skip
    assert torch.equal(dilated[:, 0], plain[:, 0])  # the vertex itself
    assert torch.equal(dilated[:, 1], plain[:, 2])  # every second of the walk


def test_table_3_has_an_encoder_without_the_graph() -> None:
    encoder = network("+mlp-encoder").spatial_encoder
    assert isinstance(encoder, MlpEncoder)
    assert encoder.layers[0].in_features == 3 * len(POINTS)


def test_all_levels_are_fused_beside_each_other() -> None:
    sizes, channels = (161, 41, 11, 3), (16, 16, 32, 32)
    fused = spiral_encoder("+all-levels").fusion[0].in_features
    assert spiral_encoder("").fusion[0].in_features == sizes[-1] * channels[-1]
    assert fused == sum(s * c for s, c in zip(sizes, channels, strict=True))


@pytest.mark.parametrize(
    ("line", "message"),
    [("levels = 3", "levels is 3, spiral_channels has 2"), ('fusion = "some"', "fusion is 'some'")],
)
def test_settings_that_mean_nothing_are_named(tmp_path: Path, line: str, message: str) -> None:
    overlay = tmp_path / "odd.toml"
    overlay.write_text(f"[stage1]\n{line}\n", encoding="utf-8")
    with pytest.raises(config.RecipeError, match=message):
        VqVae(config.load(f"tiny+{overlay}").stage1, POINTS, FACES)


def test_overlays_add_up_and_name_the_recipe() -> None:
    recipe = config.load("tiny+no-diffusion+no-noise-encoder")
    assert recipe.name == "tiny+no-diffusion+no-noise-encoder"
    assert (recipe.stage2.diffusion, recipe.stage2.noise_encoder) == (False, False)
    with pytest.raises(config.RecipeError, match="no overlay no-such"):
        config.load("tiny+no-such")


def test_a_checkpoint_older_than_a_setting_fits_its_default_only() -> None:
    names = ("tiny", "tiny+all-levels")
    plain, fused = (stage1.network(config.load(name).stage1) for name in names)
    assert "fusion" not in plain and fused["fusion"] == "all"
    with pytest.raises(checkpoint.CheckpointError, match="other network settings"):
        checkpoint.check_same({"network": plain}, {"network": fused}, Path("stage1.pt"))


@pytest.mark.parametrize("overlay", FIRST_STAGE)
def test_each_first_stage_trains_two_steps(tmp_path: Path, overlay: str) -> None:
    toy.write_rig(tmp_path / "rig.npz")
    deeper = tmp_path / "deeper.toml"
    deeper.write_text("[stage1]\nspiral_channels = [8, 8, 8, 8]\n", encoding="utf-8")
    section = config.load(f"tiny+{deeper}+{overlay}").stage1
    rig = rig_file.read(tmp_path / "rig.npz")
    motions = [np.random.default_rng(0).random((40, 3), np.float32)]
    crops = stage1.MotionCrops(rig, motions, stage1.fit_normaliser(rig, motions))
    task = stage1.Stage1Task(section, rig, crops)
    files = loop.Files(tmp_path / "stage1.pt", tmp_path / "stage1.jsonl")
    before = [weight.clone() for weight in task.model.spatial_encoder.parameters()]
    loop.Trainer(task, section.optimiser, loop.Budget(2), files).run({})
    after = task.model.spatial_encoder.parameters()
    assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))
