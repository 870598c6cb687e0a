"""The compact emotion encoder: shapes, labels, learning, files and export."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from training import __main__ as training
from training import checkpoint, emotion_encoder, emotion_training, graphs, loop
from training import config as recipes
from training.config import EmotionConfig, OptimiserConfig
from training.corpus import clips
from training.corpus.clips import Clip, Track
from training.corpus.emotions import EMOTIONS, Span
from training.corpus.phones import SILENCE, Phone
from training.corpus.speech import Speech
from training.emotion_encoder import NAMES, EmotionEncoder, Surroundings
from training.emotion_training import Acted
from training.encoders.interface import EncoderFileError

TINY = EmotionConfig(
    mel_bands=20,
    channels=16,
    dilations=(1, 2),
    optimiser=OptimiserConfig(batch=4, crop_frames=50, learning_rate=0.01),
)


def _encoder(config: EmotionConfig = TINY) -> EmotionEncoder:
    torch.manual_seed(0)
    return EmotionEncoder(config).eval()


def _voice(pitch_hz: float, seconds: float = 2.0) -> np.ndarray:
    time_s = np.arange(int(16000 * seconds)) / 16000
    waves = [np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 12)]
    return (4000 * np.sum(waves, axis=0)).astype(np.int16)


def _acted(pitch_hz: float, name: str, intensity: float) -> Acted:
    samples = _voice(pitch_hz)
    frames = len(samples) // 320
    number = np.full(frames, NAMES.index(name))
    return Acted(samples, number, np.full(frames, intensity, np.float32), np.ones(frames, bool))


def _write_corpus(folder: Path) -> None:
    """A low sad voice and a high happy one, for training and once more for validation."""
    for part in ("wav", "tracks"):
        (folder / part).mkdir(parents=True)
    lines = []
    for split in ("train", "val"):
        for emotion, intensity, pitch_hz in (("sad", 1, 110.0), ("happy", 3, 220.0)):
            name, samples = f"{split}-{emotion}", _voice(pitch_hz) / np.float32(32768)
            clip = Clip(name, f"wav/{name}.wav", f"tracks/{name}.npz", split, "Even", emotion,
                        "aa", "toy", "tone", 2.0, "en", intensity)  # fmt: skip
            spans = [Span(emotion, intensity, 0.0, 2.0)]
            spoken = Speech(samples.astype(np.float32), [Phone("AA", 0.0, 2.0)])
            clips.write_clip(folder, clip, spoken, np.zeros((60, 1), np.float32), spans)
            lines.append(clips.line(clip))
    (folder / "clips.jsonl").write_text("".join(lines), encoding="utf-8")


def _write_recordings(folder: Path, spans: tuple[Span, ...] = ()) -> None:
    """A recording as `synth --recordings` leaves it: without labels, unless it is made to act."""
    clip = Clip("r_a", "wav/r_a.wav", "tracks/r_a.npz", "train", "Even", "neutral", "aa",
                "recording", "somebody", 2.0, "en")  # fmt: skip
    spoken = Speech((_voice(160.0) / 32768).astype(np.float32), [Phone("AA", 0.0, 2.0)])
    clips.write_clip(folder, clip, spoken, np.zeros((60, 1), np.float32), spans)
    (folder / clips.RECORDINGS).write_text(clips.line(clip), encoding="utf-8")


def _write_recipe(path: Path) -> Path:
    path.write_text(
        """name = "tiny-emotion"
[emotion]
mel_bands = 20
channels = 8
dilations = [1]
[emotion.optimiser]
steps = 3
batch = 2
crop_frames = 25
log_every = 1
""",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("samples", [320, 719, 16000])
def test_ten_values_for_each_320_samples(samples: int) -> None:
    with torch.no_grad():
        features = _encoder()(torch.zeros(1, samples)) / 4.0
    assert features.shape == (1, samples // 320, 10) == (1, samples // 320, _encoder().size)
    assert features[..., :8].sum(dim=-1).numpy() == pytest.approx(1.0, abs=1e-5)
    assert float(features.min()) >= 0.0 and float(features.max()) <= 1.0


def test_the_shipped_size_is_under_four_megabytes() -> None:
    model = EmotionEncoder(recipes.load("compact-emotion").emotion)
    assert 4 * sum(p.numel() for p in model.parameters()) < 4e6


def test_the_surroundings_are_a_windows_mean_and_spread() -> None:
    x = torch.zeros(1, 1, 21)
    x[0, 0, 10:] = 2.0
    mean, spread = Surroundings(3)(x)[0]
    assert mean[10].item() == pytest.approx(8 / 7) and mean[0].item() == 0.0
    assert spread[10].item() == pytest.approx(np.std([0, 0, 0, 2, 2, 2, 2]), abs=1e-3)
    assert mean[20].item() == pytest.approx(2.0)  # zeros of padding do not count


def test_harmonics_do_not_tell_the_level() -> None:
    loud = torch.from_numpy(_voice(140.0)[None] / 32768).float()
    network = emotion_encoder.Harmonics()
    difference = network(loud) - network(0.1 * loud)
    assert float(difference[..., 4:-4].abs().max()) < 0.05


def test_what_is_said_later_than_the_memory_reaches_is_not_heard() -> None:
    model = _encoder(dataclasses.replace(TINY, memory_s=0.5))
    sound = 0.1 * torch.randn(1, 6 * 16000, generator=torch.Generator().manual_seed(0))
    changed = sound.clone()
    changed[:, 4 * 16000 :] *= -0.3
    with torch.no_grad():
        apart = (model(sound) - model(changed))[0].abs().amax(dim=-1)
    # Level 1.5 s, memory 0.5 s, convolutions of 3 frames, and the spectrum's 0.05 s.
    heard_from_s = 4.0 - (1.5 + 0.5 + 0.06 + 0.08)
    assert float(apart[: int(50 * heard_from_s)].max()) < 1e-5 < float(apart[150:].max())


def test_a_recording_is_spoiled_or_quieter_never_silent() -> None:
    rng = torch.Generator().manual_seed(1)
    voices = torch.from_numpy(np.stack([_voice(110.0), _voice(220.0)] * 4) / 32768).float()
    heard = emotion_training.recorded(voices, rng)
    gain = (heard * voices).sum(dim=1) / voices.square().sum(dim=1)
    alike = (heard - gain[:, None] * voices).abs().amax(dim=1) < 1e-6
    assert 0 < int(alike.sum()) < 8
    assert float(heard.square().mean(dim=1).min()) > 0.0
    assert float(gain[alike].max()) <= 1.0 and float(gain[alike].min()) >= 10**-1.5


def test_labels_follow_the_spans_and_the_phones() -> None:
    phones = [Phone(SILENCE, 0.0, 0.5), Phone("AA", 0.5, 1.5), Phone(SILENCE, 1.5, 2.0)]
    spans = [Span("happy", 3, 0.0, 1.0), Span("sad", 1, 1.0, 2.0)]
    track = Track(np.zeros((60, 1), np.float32), phones, spans)
    acted = emotion_training.labelled(np.zeros(32000, np.float32), track)
    assert [NAMES[k] for k in acted.emotion[[0, 49, 50, 99]]] == ["happy", "happy", "sad", "sad"]
    assert acted.intensity[[49, 50]].tolist() == pytest.approx([1.0, 0.4])
    assert np.flatnonzero(acted.speaking)[[0, -1]].tolist() == [25, 74]


def test_arousal_goes_from_the_neutral_one_to_the_emotions_own() -> None:
    numbers = torch.tensor([NAMES.index("angry"), NAMES.index("sad"), NAMES.index("neutral")])
    said = emotion_encoder.arousal(numbers, torch.tensor([1.0, 0.5, 0.0]))
    assert said.tolist() == pytest.approx([0.95, 0.25, 0.35])
    assert set(emotion_encoder.AROUSAL) == set(EMOTIONS) == set(NAMES)


def test_every_emotion_is_drawn_alike() -> None:
    said = [_acted(100.0, name, 1.0) for name in ("happy", "happy", "happy", "sad")]
    assert emotion_training.odds(said, 0.0).tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_an_emotion_beyond_doubt_is_its_chance_its_amount_and_its_arousal() -> None:
    network = EmotionEncoder(TINY)
    happy = [0, 4, 0, 0, 0, 0, 0, 0, 4, 4 * 0.7]
    half = [2, 2, 0, 0, 0, 0, 0, 0, 2, 4 * (0.35 + 0.5 * 0.35)]
    neutral = [4, 0, 0, 0, 0, 0, 0, 0, 0, 4 * 0.35]
    for name, amount, meant in (
        ("happy", 1.0, happy), ("happy", 0.5, half), ("happy", 0.0, neutral),
        ("neutral", 0.0, neutral),
    ):  # fmt: skip
        assert network.certain(name, amount).tolist() == pytest.approx(meant)


def test_recordings_are_drawn_by_their_share_beside_the_acted_lines() -> None:
    said = [_acted(100.0, name, 1.0) for name in ("neutral", "sad", "neutral", "neutral")]
    said = [one._replace(recorded=k > 1) for k, one in enumerate(said)]
    assert emotion_training.odds(said, 0.2).tolist() == pytest.approx([0.4, 0.4, 0.1, 0.1])
    assert emotion_training.odds(said, 0.0).tolist() == pytest.approx([0.5, 0.5, 0.0, 0.0])


def test_recordings_are_read_as_neutral_and_reach_the_batches(tmp_path: Path) -> None:
    _write_corpus(tmp_path)
    _write_recordings(tmp_path)
    read = emotion_training.read_split(tmp_path, "train")
    assert [one.recorded for one in read] == [False, False, True]
    assert {NAMES[k] for k in read[2].emotion} == {"neutral"} and not read[2].intensity.any()
    task = emotion_training.EmotionTask(dataclasses.replace(TINY, recorded_share=0.5), read)
    rng = torch.Generator().manual_seed(0)
    batches = [task.draw(rng) for _ in range(40)]
    recorded = torch.cat([batch.recorded for batch in batches])
    neutral = torch.cat([(batch.emotion == 0).all(dim=1) for batch in batches])
    assert float(recorded.float().mean()) == pytest.approx(0.5, abs=0.12)
    assert float(neutral[recorded].float().mean()) == pytest.approx(2 / 3, abs=0.15)
    assert not neutral[~recorded].any()


def test_silence_beyond_a_clip_counts_for_nothing() -> None:
    *_, weight, _ = emotion_training.crop(_acted(100.0, "happy", 1.0), 150, 1.0, 0.0)
    assert weight[:100].min() == 1.0 and weight[100:].max() == 0.0


def test_training_tells_a_high_voice_from_a_low_one() -> None:
    acted = [_acted(110.0, "sad", 0.4), _acted(220.0, "happy", 1.0)]
    task = emotion_training.EmotionTask(TINY, acted)
    optimiser = torch.optim.AdamW(task.model.parameters(), lr=0.01)
    rng = torch.Generator().manual_seed(0)
    for step in range(40):
        optimiser.zero_grad()
        task.step(rng, loop.Moment(step, 0.0)).loss.backward()
        optimiser.step()
    figures = emotion_training.score(task.model.eval(), acted)
    assert figures["emotion accuracy"] > 0.95
    assert figures["intensity correlation"] > 0.9


def test_train_emotion_resumes_and_writes_its_encoder(tmp_path: Path) -> None:
    _write_corpus(tmp_path / "corpus")
    recipe = _write_recipe(tmp_path / "tiny.toml")
    command = ["train-emotion", "--recipe", str(recipe), "--work", str(tmp_path)]
    # So short a time is over after one step; the rest follows by the recipe's own number.
    assert training.main([*command, "--minutes", "1e-9"]) == training.main(command) == 0
    log = (tmp_path / "emotion.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in log] == [1, 2, 3]
    state = checkpoint.load(tmp_path / "emotion_training.pt", "train-emotion")
    written = emotion_encoder.load(tmp_path / "emotion_encoder.pt").state_dict()
    assert all(torch.equal(written[name], value) for name, value in state["ema"].items())


def test_a_recording_that_acts_in_the_corpus_keeps_its_emotion(tmp_path: Path) -> None:
    _write_corpus(tmp_path)
    _write_recordings(tmp_path, (Span("fear", 2, 0.0, 2.0),))
    read = emotion_training.read_split(tmp_path, "train")
    task = emotion_training.EmotionTask(dataclasses.replace(TINY, recorded_share=0.99), read)
    batch = task.draw(torch.Generator().manual_seed(0))
    assert {NAMES[k] for k in batch.emotion[batch.recorded].unique()} == {"fear"}
    assert batch.intensity[batch.recorded].unique().tolist() == pytest.approx([0.7])


def test_a_corpus_of_recordings_alone_teaches_no_emotion(tmp_path: Path) -> None:
    for part in ("wav", "tracks"):
        (tmp_path / part).mkdir()
    _write_recordings(tmp_path)
    (tmp_path / "clips.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(clips.CorpusError, match=r"no line in .* is acted"):
        emotion_training.acted_lines(tmp_path)


def test_a_saved_encoder_says_the_same(tmp_path: Path) -> None:
    model, sound = _encoder(), torch.randn(1, 8000)
    emotion_encoder.save(tmp_path / "e.pt", model, {"validation": {"emotion_accuracy": 0.5}})
    with torch.no_grad():
        assert torch.equal(emotion_encoder.load(tmp_path / "e.pt")(sound), model(sound))


def test_a_missing_and_a_damaged_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(EncoderFileError) as missing:
        emotion_encoder.load(tmp_path / "none.pt")
    (tmp_path / "bad.pt").write_bytes(b"nonsense")
    with pytest.raises(EncoderFileError) as damaged:
        emotion_encoder.load(tmp_path / "bad.pt")
    assert (missing.value.code, damaged.value.code) == ("encoder_missing", "encoder_damaged")


def test_onnx_says_what_torch_says_at_any_length(tmp_path: Path) -> None:
    model = _encoder(dataclasses.replace(TINY, memory_s=0.5))
    dynamic = {"waveform": {1: "samples"}, "features": {1: "frames"}}
    signature = graphs.Signature({"waveform": torch.zeros(1, 16000)}, dynamic, ("features",))
    graphs.export(model, signature, tmp_path / "e.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "e.onnx", providers=["CPUExecutionProvider"])
    for samples in (16000, 40123):
        sound = 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(samples))
        (given,) = session.run(None, {"waveform": sound.numpy()})
        with torch.no_grad():
            np.testing.assert_allclose(given, model(sound).numpy(), atol=1e-5)
