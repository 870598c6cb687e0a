"""The large speech encoders at true size with random weights: files, features, ONNX, errors."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

from backend import audio, pack, pipeline, sessions
from tests.training import toy
from training import __main__ as training
from training import config, graphs, latents, rig_file
from training import encoder as compact
from training.config import EncoderConfig, Recipe, RecipeError, SpeechConfig
from training.encoders import emotion2vec, rate, table, transformers_speech
from training.encoders.interface import (
    EncoderFileError,
    SpeechEncoder,
    standardised,
)

KINDS = {"hubert-base": "hubert", "wavlm-base-plus": "wavlm", "wav2vec2-base": "wav2vec2"}
WAVEFORM = graphs.Signature(
    {"waveform": torch.zeros(1, 16000)},
    {"waveform": {1: "samples"}, "features": {1: "frames"}},
    ("features",),
)


class Local(NamedTuple):
    """Weights as their authors publish them in a folder, and the encoder read from it."""

    name: str
    folder: Path
    written: dict[str, torch.Tensor]
    heard: SpeechEncoder


@pytest.fixture(scope="module", params=[*KINDS, "emotion2vec-base"])
def local(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Local]:
    """One plug-in after another, true size, its files removed at once (380 MB each)."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("weights")
    write = write_emotion2vec if request.param == "emotion2vec-base" else write_transformers
    written = write(request.param, folder)
    yield Local(request.param, folder, written, table.load(recipe(request.param, folder), folder))
    for file in folder.iterdir():
        file.unlink()


def write_transformers(name: str, folder: Path) -> dict[str, torch.Tensor]:
    """As on the hub: WavLM as a .bin with its older names, wav2vec 2.0 under its CTC head."""
    settings = {"model_type": KINDS[name], "gradient_checkpointing": False}
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    preparation = {"do_normalize": name != "wavlm-base-plus", "sampling_rate": 16000}
    (folder / "preprocessor_config.json").write_text(json.dumps(preparation), encoding="utf-8")
    weights = transformers_speech.build(settings).state_dict()
    if name == "wavlm-base-plus":
        weights = {older(key): value for key, value in weights.items()}
        torch.save(weights, folder / "pytorch_model.bin")
        return weights
    if name == "wav2vec2-base":
        weights = {
            f"wav2vec2.{key}": value for key, value in weights.items() if key != "masked_spec_embed"
        } | {"lm_head.weight": torch.zeros(32, 768)}
    save_file(weights, folder / "model.safetensors")
    return weights


def older(name: str) -> str:
    """Weight norm's parameters as torch named them before version 2."""
    return re.sub(
        r"parametrizations\.weight\.original([01])",
        lambda found: "weight_" + "gv"[int(found[1])],
        name,
    )


def write_emotion2vec(name: str, folder: Path) -> dict[str, torch.Tensor]:
    """As fairseq saves it, with what only pretraining needs and the scale of early files."""
    weights = emotion2vec.Emotion2vec().state_dict()
    audio = "modality_encoders.AUDIO."
    early = weights | {audio + "alibi_scale": weights[audio + "alibi_scale"][0]}
    pretraining = {audio + "decoder.proj.weight": torch.zeros(768, 384), "_ema": torch.zeros(2)}
    torch.save({"cfg": {"task": "x"}, "model": early | pretraining}, folder / "emotion2vec_base.pt")
    return weights


def recipe(name: str, folder: Path | str = "", side_by_side: bool = False) -> Recipe:
    return Recipe("test", speech=SpeechConfig(name, str(folder), side_by_side))


def noise(samples: int) -> torch.Tensor:
    return 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(samples))


@torch.no_grad()
def features(heard: SpeechEncoder, waveform: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = heard(waveform)
    return found


def test_a_large_encoder_is_read_frozen_and_whole(local: Local) -> None:
    parameters = dict(local.heard.named_parameters())
    millions = sum(value.numel() for value in parameters.values()) / 1e6
    assert millions == pytest.approx({"emotion2vec-base": 93.2}.get(local.name, 94.4), abs=0.1)
    assert not local.heard.training
    assert not any(value.requires_grad for value in parameters.values())
    last = [key for key in local.written if "layers.11." in key or "blocks.7." in key]
    for key in last:
        bare = re.sub("^(wav2vec2[.])", "", key)
        read = parameters.get(bare, parameters.get(f"network.{bare}"))
        assert read is not None and torch.equal(read, local.written[key])


def test_a_large_encoder_gives_768_values_per_320_samples(local: Local) -> None:
    for samples in (320, 719, 16000, 16319):
        assert features(local.heard, noise(samples)).shape == (1, samples // 320, 768)
    assert local.heard.size == 768 and local.heard.rate_hz == 50


def test_a_large_encoder_hears_loudness_only_where_its_files_say_so(local: Local) -> None:
    sound = noise(8000)
    apart = (features(local.heard, sound) - features(local.heard, 0.1 * sound)).abs().max()
    assert (apart > 0.01) if local.name == "wavlm-base-plus" else (apart < 0.01)


def test_onnx_gives_a_large_encoder_s_features_at_any_length(local: Local) -> None:
    path = local.folder / "audio_encoder.onnx"
    graphs.export(local.heard, WAVEFORM, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for samples in (6400, 16000, 40123):
        got = session.run(None, {"waveform": noise(samples).numpy()})[0]
        expected = features(local.heard, noise(samples)).numpy()
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() < 1e-4


def test_a_large_encoder_is_loaded_frozen_and_for_evaluation(local: Local) -> None:
    assert not any(value.requires_grad for value in local.heard.parameters())
    assert not any(module.training for module in local.heard.modules())


def test_what_the_papers_freeze_stays_frozen(local: Local) -> None:
    if local.name == "emotion2vec-base":  # frozen as a whole: there is nothing to set free
        with pytest.raises(EncoderFileError, match="does not learn along"):
            local.heard.unfreeze()
        return
    assert isinstance(local.heard, transformers_speech.TransformersEncoder)
    local.heard.unfreeze()
    free = sum(value.numel() for value in local.heard.parameters() if value.requires_grad)
    local.heard.requires_grad_(False)
    convolutions, projection, layer = 4_200_448, 395_008, 7_087_872
    lower = convolutions + projection + 2 * layer
    whole = sum(value.numel() for value in local.heard.parameters())
    if local.name == "wavlm-base-plus":  # its attention has gates, and positions in layer 0
        lower += 320 * 12 + 2 * (8 * 64 + 8 + 12)
    assert whole - free == (convolutions if local.name == "wav2vec2-base" else lower)


def test_the_hub_s_cache_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    folder = tmp_path / "hub/models--facebook--hubert-base-ls960/snapshots/abc"
    folder.mkdir(parents=True)
    for name in ("config.json", "pytorch_model.bin"):
        (folder / name).touch()
    assert table.weights_file(recipe("hubert-base"), tmp_path) == folder / "pytorch_model.bin"


@pytest.mark.parametrize("name", table.PLUGINS)
def test_absent_weights_are_named_with_the_place_and_the_way_to_get_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    hub_id = table.PLUGINS[name].published.hub_id
    with pytest.raises(EncoderFileError) as missing:
        table.load(recipe(name, tmp_path / "nowhere"), tmp_path)
    said = str(missing.value)
    assert f"{name} needs " in said and str(tmp_path / "nowhere") in said
    assert f"hf download {hub_id} --local-dir DIR" in said
    with pytest.raises(EncoderFileError, match="models--" + hub_id.replace("/", "--")):
        table.load(recipe(name), tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"blocks.0.norm1.weight": torch.ones(768)}, tmp_path / "emotion2vec_base.pt")
    with pytest.raises(EncoderFileError, match=r"it lacks \S+ and 181 more"):
        table.load(recipe("emotion2vec-base", tmp_path), tmp_path)


def test_weights_that_would_run_code_are_refused(tmp_path: Path) -> None:
    torch.save({"model": {}, "args": pytest.approx(1)}, tmp_path / "emotion2vec_base.pt")
    with pytest.raises(EncoderFileError, match="cannot be read"):
        table.load(recipe("emotion2vec-base", tmp_path), tmp_path)


def test_an_unknown_encoder_is_a_recipe_error(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="must be one of: compact, compact-emotion, hubert-base"):
        table.load(recipe("hubert"), tmp_path)


def test_compact_is_the_default_and_one_of_the_encoders(tmp_path: Path) -> None:
    network = compact.CompactEncoder(EncoderConfig(channels=8, dilations=(1,), features=4))
    compact.save(tmp_path / "encoder.pt", network)
    heard = table.load(Recipe("test"), tmp_path)
    assert isinstance(heard, SpeechEncoder) and heard.size == 4 and heard.rate_hz == 50
    assert features(heard, noise(6400)).shape == (1, 20, 4)
    assert table.load(recipe("compact", tmp_path / "encoder.pt"), tmp_path / "x").size == 4


def test_a_recipe_names_its_encoder(tmp_path: Path) -> None:
    (tmp_path / "paper.toml").write_text(
        'name = "paper"\nbase = "gldi-flame.toml"\n'.replace(
            "gldi-flame.toml", str(config.RECIPES / "gldi-flame.toml").replace("\\", "/")
        )
        + '[speech]\nencoder = "hubert-base"\nweights = "DIR"\nside_by_side = true\n',
        encoding="utf-8",
    )
    assert config.load(tmp_path / "paper.toml").speech == SpeechConfig("hubert-base", "DIR", True)


class Ramp(SpeechEncoder):
    """Feature k is its own time, (k + 0.5) / 50 s."""

    size = 1

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        count = waveform.shape[1] // 320
        return ((torch.arange(count) + 0.5) / 50)[None, :, None]


@pytest.mark.parametrize(("fps", "size"), [(25, 2), (30, 2), (60, 1), (15, 4)])
def test_a_frame_s_neighbouring_features_stand_side_by_side(fps: int, size: int) -> None:
    heard = rate.SideBySide(Ramp(), fps)
    samples = np.zeros(32000, np.float32)
    frames = latents.features_of(heard, samples, 2 * fps, fps)
    moments = (np.arange(size) - (size - 1) / 2) / (size * fps)
    expected = np.arange(2 * fps)[:, None] / fps + moments
    assert frames.shape == (2 * fps, size) and heard.size == size
    np.testing.assert_allclose(
        frames[fps // 2 : -fps // 2], expected[fps // 2 : -fps // 2], atol=1e-5
    )


def test_attention_decays_with_distance_at_each_head_s_slope() -> None:
    assert emotion2vec.alibi_slopes(8) == [2.0**-power for power in range(1, 9)]
    assert emotion2vec.alibi_slopes(12)[8:] == [2.0**-power for power in (0.5, 1.5, 2.5, 3.5)]
    bias = emotion2vec._Audio().bias(torch.zeros(1, 5, 768)).detach()
    assert bias.shape == (12, 15, 15) and float(bias[:, :10].abs().max()) == 0.0
    assert float(bias[0, 10, 14]) == float(bias[0, 14, 10]) == -2.0


def test_a_standardised_waveform_has_mean_0_and_variance_1() -> None:
    sound = standardised(3 + noise(4000), 1e-7)
    assert float(sound.mean()) == pytest.approx(0, abs=1e-5)
    assert float(sound.var()) == pytest.approx(1, abs=1e-3)


SMALL = {
    "model_type": "hubert", "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
    "intermediate_size": 32, "conv_dim": [8] * 7, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


def write_small_recipe(folder: Path) -> Path:
    """A recipe that names a small HuBERT, and its weights."""
    torch.manual_seed(0)
    (folder / "config.json").write_text(json.dumps(SMALL), encoding="utf-8")
    save_file(transformers_speech.build(SMALL).state_dict(), folder / "model.safetensors")
    path = folder / "hubert.toml"
    path.write_text(
        f"base = '{config.RECIPES / 'tiny.toml'}'\n"
        f"speech = {{encoder = 'hubert-base', weights = '{folder}', side_by_side = true}}\n"
        "stage1 = {optimiser = {steps = 4}}\n"
        "stage2 = {augmented_copies = 1, optimiser = {steps = 4}}\n",
        encoding="utf-8",
    )
    return path


def test_a_recipe_with_hubert_trains_and_becomes_a_pack_that_animates(tmp_path: Path) -> None:
    options = ["--recipe", str(write_small_recipe(tmp_path)), "--work", str(tmp_path)]
    toy.write_rig(tmp_path / "rig.npz")
    toy.write_corpus(tmp_path / "corpus")
    np.savez(tmp_path / "rest.npz", rest=rig_file.read(tmp_path / "rig.npz").template)
    assert [training.main([f"train-stage{n}", *options]) for n in (1, 2)] == [0, 0]
    out = ["--reference", str(tmp_path / "rest.npz"), "--out", str(tmp_path / "pack")]
    assert training.main(["export", *options, *out]) == 0
    made = pack.load(tmp_path / "pack")
    assert made.manifest.features == pack.Features(50.0, 32)
    assert made.manifest.training["speech"]["weights"] == ""
    generator = pipeline.Generator(made, sessions.choose_device("cpu"))
    sound = audio.Sound(noise(32000)[0].numpy(), 16000, 2.0)
    assert generator.generate(sound, seed=1).displacements.shape == (60, 42, 3)
    (tmp_path / "model.safetensors").write_bytes(b"another")
    assert training.main(["export", *options, *out]) == 2
