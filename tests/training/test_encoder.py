"""The compact encoder: shapes, invariances, labels, files and export."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from training import config as recipes
from training import encoder, encoder_augment, encoder_sounds, encoder_training
from training.config import EncoderConfig, OptimiserConfig
from training.corpus.phones import PHONE_INDEX, PHONES, SILENCE, VISEMES, Phone
from training.encoder import CompactEncoder, mel_filters
from training.encoder_labels import frame_labels
from training.encoders.interface import EncoderFileError
from training.loop import Moment

TINY = EncoderConfig(
    mel_bands=20,
    channels=16,
    dilations=(1, 2),
    features=8,
    optimiser=OptimiserConfig(batch=4, crop_frames=50, learning_rate=0.01),
)


def _encoder(config: EncoderConfig = TINY) -> CompactEncoder:
    torch.manual_seed(0)
    return CompactEncoder(config).eval()


def _voice(samples: int = 16000) -> torch.Tensor:
    time = torch.arange(samples) / 16000
    return (0.3 * torch.sin(2 * torch.pi * 150 * time) * torch.sin(8 * time)).float()[None]


@pytest.mark.parametrize("samples", [320, 719, 16000, 16319])
def test_one_feature_per_320_samples(samples: int) -> None:
    with torch.no_grad():
        assert _encoder()(torch.zeros(1, samples)).shape == (1, samples // 320, 8)


def test_the_default_encoder_is_small_and_its_features_count_64() -> None:
    model = CompactEncoder(EncoderConfig())
    assert sum(p.numel() for p in model.parameters()) < 1_500_000
    assert model.config.features == 64


def test_the_compact_recipe_fits_12_mb_and_hears_at_most_0_4_s_ahead() -> None:
    config = recipes.load("compact").encoder
    model = _encoder(config)
    parameters = sum(p.numel() for p in model.parameters())
    assert 4 * (parameters + 2 * 257 * 400) < 12e6
    sound = 0.1 * torch.randn(1, 48000, generator=torch.Generator().manual_seed(0))
    later = sound.clone()
    later[:, 32000 + 6400 :] = 0.0
    with torch.no_grad():
        before, after = model(sound)[0, :100], model(later)[0, :100]
    torch.testing.assert_close(before, after, atol=1e-5, rtol=0)


def test_posterior_features_are_the_heads_probabilities() -> None:
    model = _encoder(dataclasses.replace(TINY, posteriors=True))
    with torch.no_grad():
        features = model(_voice())[0] / 4.0
        heads = model.listen(model.log_mel(_voice()))
    assert features.shape == (50, model.size) == (50, len(PHONES) + len(VISEMES) + 4)
    assert features[:, : len(PHONES)].sum(dim=1).numpy() == pytest.approx(np.ones(50), abs=1e-5)
    torch.testing.assert_close(features[:, -4:-3], heads.aperture[0])
    assert float(features.min()) >= 0.0 and float(features.max()) <= 1.0


def test_a_block_of_the_past_hears_nothing_ahead() -> None:
    block = encoder.Block(4, 3, 0.0, past=True).eval()
    sound = torch.randn(1, 4, 40)
    changed = sound.clone()
    changed[..., 20:] = 0.0
    with torch.no_grad():
        torch.testing.assert_close(block(sound)[..., :20], block(changed)[..., :20])
        assert (block(sound)[..., 20:26] - block(changed)[..., 20:26]).abs().min() > 0


def test_recordings_are_drawn_as_often_as_their_share_says() -> None:
    labels = frame_labels([Phone(SILENCE, 0.0, 1.0)], 1.0)
    said = [(16000, False), (48000, False), (8000, True), (24000, True)]
    heard = [encoder_training.Heard(np.zeros(n, np.int16), labels, r) for n, r in said]
    odds = encoder_training.odds(heard, 0.25)
    assert odds.tolist() == pytest.approx([0.1875, 0.5625, 0.0625, 0.1875])
    assert encoder_training.odds(heard[:2], 0.25).tolist() == [16000.0, 48000.0]


def test_log_mel_finds_a_tone_in_its_band() -> None:
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16000) / 16000)[None]
    power = encoder.LogMel(80).power(tone)[0, :, 50]
    assert int(power.argmax()) == 32  # 32 * 31.25 Hz
    assert mel_filters(80).sum(axis=1) == pytest.approx(np.ones(80), abs=1e-5)


def test_gain_hardly_changes_the_relative_spectrum() -> None:
    level, noise = encoder.Level(2.0, 0.1), torch.randn(1, 16000)
    mel = encoder.LogMel(20)(0.3 * noise)
    assert float((level(mel) - level(mel * 0.01)).abs().max()) < 0.06


def test_digital_silence_stays_lower_than_any_speech() -> None:
    level, mel = encoder.Level(2.0, 0.1), encoder.LogMel(20)
    assert float(level(mel(torch.zeros(1, 8000))).max()) < -3.0


def test_what_lies_more_than_04_s_ahead_is_not_heard() -> None:
    model = _encoder(EncoderConfig())
    changed = _voice(32000).clone()
    changed[:, 16000 + 6400 :] = 0.0
    with torch.no_grad():
        difference = (model(_voice(32000)) - model(changed)).abs().amax(dim=-1)[0]
    assert float(difference[:51].max()) == 0.0
    assert float(difference[80:].max()) > 0.0


def test_labels_are_shut_on_bilabials_and_silence_and_open_on_aa() -> None:
    phones = [Phone(SILENCE, 0, 0.5), Phone("M", 0.5, 0.7), Phone("AA", 0.7, 1.0, 1)]
    labels = frame_labels(phones, 1.0)
    assert labels.phone[[10, 120, 180]].tolist() == [PHONE_INDEX[n] for n in (SILENCE, "M", "AA")]
    assert labels.aperture[[50, 120, 180]] == pytest.approx([0.0, 0.0, 1.0], abs=1e-6)
    assert labels.stress[180] and not labels.stress[120]


def test_a_faster_crop_reads_its_labels_further_on() -> None:
    phones = [Phone("M", 0.0, 1.0), Phone("AA", 1.0, 2.0)]
    samples = np.arange(32000).astype(np.int16)
    heard = encoder_training.Heard(samples, frame_labels(phones, 2.0))
    waveform, phone, _, _ = encoder_training.crop(heard, frames=60, speed=1.25, place=0.0)
    assert float(waveform[8000]) == pytest.approx(10000 / 32768, abs=1e-4)
    assert int((phone == PHONE_INDEX["M"]).sum()) == 40


def test_spoiling_keeps_samples_in_range_and_depends_on_the_seed_only() -> None:
    clean = _voice().repeat(6, 1)
    spoiled = [encoder_augment.spoil(clean, torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert torch.equal(spoiled[0], spoiled[1]) and not torch.equal(spoiled[0], spoiled[2])
    assert float(spoiled[0].abs().max()) <= 1.0


@pytest.mark.parametrize("kind", ["coloured_noise", "tones", "buzz", "breath", "wordless"])
def test_wordless_sounds_have_unit_power(kind: str) -> None:
    rng = torch.Generator().manual_seed(0)
    sounds = getattr(encoder_sounds, kind)(torch.Size((12, 16000)), rng)
    assert sounds.square().mean(dim=1).numpy() == pytest.approx(np.ones(12), abs=1e-3)


def test_a_buzz_repeats_itself_and_a_breath_swells() -> None:
    rng = torch.Generator().manual_seed(1)
    size = torch.Size((8, 32000))
    loudness = [make(size, rng).reshape(8, 20, 1600).square().mean(dim=2)
                for make in (encoder_sounds.buzz, encoder_sounds.breath)]  # fmt: skip
    steadiness = [(x.std(dim=1) / x.mean(dim=1)).median() for x in loudness]
    assert steadiness[0] < 0.1 < 0.3 < steadiness[1]


def test_a_narrow_band_has_nothing_above_4500_hz_and_all_below_3000() -> None:
    noise = torch.randn(4, 16000, generator=torch.Generator().manual_seed(0))
    narrow = encoder_augment.narrow_band(noise, torch.Generator().manual_seed(0))
    kept = torch.fft.rfft(narrow).abs() / torch.fft.rfft(noise).abs()
    assert float(kept[:, 4501:].max()) < 1e-4
    assert float((kept[:, 1:3001] - 1).abs().max()) < 1e-2


def test_silent_stretches_are_labelled_so_and_hold_no_speech() -> None:
    frames, rng = 50, torch.Generator().manual_seed(3)
    said = torch.full((200, frames), PHONE_INDEX["AA"])
    batch = encoder_training.Batch(
        torch.full((200, 320 * frames), 7.0), said, torch.ones(200, frames), torch.ones(200, frames)
    )
    silent = encoder_training.some_silent(batch, rng)
    quiet = silent.phone == PHONE_INDEX[SILENCE]
    assert 0.03 < float(quiet.float().mean()) < 0.15
    assert torch.equal(quiet, silent.aperture == 0) and torch.equal(quiet, silent.stress == 0)
    assert (silent.waveforms.reshape(200, frames, 320)[quiet][:, 160] != 7.0).float().mean() > 0.9


def test_breaths_come_in_pauses_only_and_below_the_speech() -> None:
    phone = torch.full((40, 50), PHONE_INDEX["AA"])
    phone[:, 20:40] = PHONE_INDEX[SILENCE]
    still = torch.zeros(40, 50)
    voice = 0.1 * torch.ones(40, 16000)
    heard = encoder_training.breathing(
        encoder_training.Batch(voice, phone, still, still), torch.Generator().manual_seed(0)
    )
    added = (heard.waveforms - voice).reshape(40, 50, 320).square().mean(dim=2).sqrt()
    assert float(added[:, :19].max()) == 0.0 and float(added[:, 41:].max()) == 0.0
    assert 4 <= int((added.amax(dim=1) > 0).sum()) <= 20
    assert float(added.mean()) < 0.1 * 10 ** (-5 / 20)


def test_closures_are_favoured_by_their_log_odds_alone() -> None:
    model = _encoder(dataclasses.replace(TINY, closure_bias=0.8))
    with torch.no_grad():
        before = model.listen(model.log_mel(_voice()))
        encoder_training.favour_closures(model)
        after = model.listen(model.log_mel(_voice()))
    closing = [PHONE_INDEX[name] for name in ("P", "B", "M")]
    added = (after.phones - before.phones)[0, 0]
    assert added[closing].tolist() == pytest.approx([0.8] * 3, abs=1e-5)
    assert float(added.abs().sum()) == pytest.approx(2.4, abs=1e-4)
    assert float((after.visemes - before.visemes)[0, 0].abs().sum()) == pytest.approx(0.8, abs=1e-4)
    assert torch.equal(after.aperture, before.aperture)


def test_twins_that_agree_cost_nothing_and_others_do() -> None:
    model, mel = _encoder(), torch.rand(2, 20, 100)
    with torch.no_grad():
        heads = model.listen(mel[[0, 1, 0]])
    first, second, third = torch.tensor([0]), torch.tensor([1]), torch.tensor([2])
    assert float(encoder_training.disagreement(heads, first, third)) == pytest.approx(0.0, abs=1e-6)
    assert float(encoder_training.disagreement(heads, first, second)) > 1e-3


def test_training_learns_two_phones_apart() -> None:
    time = np.arange(32000) / 16000
    hum, hiss = np.sin(2 * np.pi * 200 * time), np.random.default_rng(0).normal(size=32000)
    samples = (3000 * np.where(time < 1.0, hum, hiss)).astype(np.int16)
    labels = frame_labels([Phone("M", 0.0, 1.0), Phone("S", 1.0, 2.0)], 2.0)
    task = encoder_training.EncoderTask(TINY, [encoder_training.Heard(samples, labels)])
    optimiser = torch.optim.AdamW(task.model.parameters(), lr=0.01)
    rng, seen = torch.Generator().manual_seed(0), []
    for _ in range(30):
        result = task.step(rng, Moment(0, 0.0))
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
        seen.append(result.loss.item())
    assert np.mean(seen[-5:]) < 0.75 * np.mean(seen[:3])


def test_an_encoder_survives_its_file(tmp_path: Path) -> None:
    model = _encoder()
    encoder.save(tmp_path / "encoder.pt", model)
    loaded = encoder.load(tmp_path / "encoder.pt")
    with torch.no_grad():
        assert torch.equal(loaded(_voice()), model(_voice()))
    assert loaded.config == TINY and not any(p.requires_grad for p in loaded.parameters())


def test_a_file_that_is_no_encoder_is_named(tmp_path: Path) -> None:
    (tmp_path / "encoder.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(EncoderFileError, match=r"encoder\.pt holds no compact encoder"):
        encoder.load(tmp_path / "encoder.pt")
    with pytest.raises(EncoderFileError, match="train-encoder"):
        encoder.load(tmp_path / "absent.pt")


def test_onnx_gives_the_same_features_at_any_length(tmp_path: Path) -> None:
    model, path = _encoder(), tmp_path / "encoder.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's word on its older exporter
        torch.onnx.export(
            model, (_voice(4800),), path, dynamo=False, opset_version=17,
            input_names=["waveform"], output_names=["features"],
            dynamic_axes={"waveform": {1: "samples"}, "features": {1: "frames"}},
        )  # fmt: skip
    session = onnxruntime.InferenceSession(path)
    for samples in (4800, 16001, 40000):
        got = session.run(None, {"waveform": _voice(samples).numpy()})[0]
        with torch.no_grad():
            assert np.abs(got - model(_voice(samples)).numpy()).max() < 1e-4


def test_the_large_recipe_has_at_most_six_million_parameters() -> None:
    model = CompactEncoder(recipes.load("compact-large").encoder)
    assert 5e6 < sum(p.numel() for p in model.parameters()) < 6e6
