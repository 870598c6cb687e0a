"""ExpTalk from a toy corpus to a pack whose emotions can be painted, in seconds."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import audio, motion, pack, pipeline, sessions
from backend.__main__ import main as backend
from backend.messages import EmotionSpan
from training import __main__ as training
from training import config, emotion_encoder, export, rig_file, speaking, stage1, stage2
from training.corpus.clips import Track, read_clips, read_samples, read_track
from training.corpus.emotions import Span
from training.corpus.phones import SILENCE
from training.encoders import table
from training.exptalk import lines, probe, prototypes


@pytest.fixture(scope="module")
def work(exptalk_work: Path) -> Path:
    """The folder that every test here reads."""
    return exptalk_work


def run(command: str, work: Path, *more: str) -> int:
    return training.main([command, "--recipe", "exptalk-tiny", "--work", str(work), *more])


def losses(log: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in log.read_text(encoding="utf-8").splitlines()]


def test_stage_1_reconstructs_the_toy_motion(work: Path) -> None:
    rig = rig_file.read(work / "rig.npz")
    first = stage1.load(work, config.load("exptalk-tiny"), rig)
    clip = read_clips(work / "corpus", "train")[1]
    moved = rig.displacements(read_track(work / "corpus", clip).weights)
    latents = first.model.codes_of(first.normalised(moved)).flatten(1)
    error = np.abs(first.displacements(latents) - moved).mean()
    assert error < 0.6 * np.abs(moved - first.normaliser.mean).mean()


def test_both_stages_learn(work: Path) -> None:
    for stage in ("stage1", "stage2"):
        curve = losses(work / f"{stage}.jsonl")
        assert np.mean(curve[-3:]) < 0.7 * curve[0]


def test_lines_go_on_in_another_emotion_of_the_same_speaker(work: Path) -> None:
    recipe = config.load("exptalk-tiny")
    rows = lines.of(work / "corpus", recipe)
    joined = [line for line in rows if len(line.clips) == 2]
    assert joined and len(rows) == 4
    assert all(a.emotion != b.emotion and a.style == b.style for a, b in (j.clips for j in joined))
    track = lines.read_track(work / "corpus", joined[0], recipe)
    samples = lines.read_samples(work / "corpus", joined[0], recipe)
    assert len(track.weights) == 120 and len(samples) == 64000
    assert [span.start_s for span in track.spans] == [0, 2]
    assert np.abs(np.diff(track.weights[:, 2])).max() < 0.1


def test_the_other_method_s_lines_are_the_clips(work: Path) -> None:
    rows = lines.of(work / "corpus", config.load("tiny"))
    assert [line.clips for line in rows] == [(c,) for c in read_clips(work / "corpus", "train")]


def test_the_pack_says_what_it_is(work: Path) -> None:
    manifest = pack.load(work / "pack").manifest
    assert (manifest.method, manifest.latent_shape) == ("exptalk", (2, 8))
    assert manifest.emotions == ("neutral", "happy", "sad")
    assert manifest.emotion_features == pack.Features(50.0, 10)
    with np.load(work / "pack" / "codebook.npz") as books:
        assert {name: book.shape for name, book in books.items()} == {
            "codes": (16, 8), "emotion_codes": (16, 8)}  # fmt: skip


def test_intensities_that_nobody_acts_lie_between_their_neighbours(work: Path) -> None:
    recipe = config.load("exptalk-tiny")
    feeling = export.load(work, recipe, rig_file.read(work / "rig.npz")).feeling
    assert feeling is not None
    found: prototypes.Prototypes = feeling.prototypes
    neutral, mild, medium, full = found.features[found.names.index("happy")]
    np.testing.assert_allclose(mild, neutral + 0.4 * (full - neutral), atol=1e-5)
    np.testing.assert_allclose(medium, neutral + 0.7 * (full - neutral), atol=1e-5)
    assert np.abs(found.features[found.names.index("neutral")] - neutral).max() == 0


def test_a_classifier_s_prototypes_are_what_it_says_beyond_doubt(work: Path) -> None:
    recipe = config.load("exptalk-tiny")
    encoder = emotion_encoder.load(work / "emotion_encoder.pt")
    found = prototypes.of(work / "corpus", recipe, encoder)
    assert found.names == ("neutral", "happy", "sad")
    for row, name in zip(found.features, found.names, strict=True):
        said = encoder.certain(name, 0.0 if name == "neutral" else 1.0)
        np.testing.assert_allclose(row[-1], said.numpy(), atol=1e-6)


def test_other_encoders_prototypes_are_means_of_what_they_hear(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = config.load("exptalk-tiny")
    encoder = table.load_emotion(recipe, work)
    monkeypatch.setattr(prototypes, "EmotionEncoder", ())  # it is none of its kind then
    found = prototypes.of(work / "corpus", recipe, encoder)
    neutral, *_, full = found.features[found.names.index("happy")]
    (clip,) = [c for c in read_clips(work / "corpus", "train") if c.emotion == "happy"]
    with torch.inference_mode():
        heard = encoder(torch.from_numpy(read_samples(work / "corpus", clip))[None])[0].numpy()
    times_s, spoken = (np.arange(len(heard)) + 0.5) / encoder.rate_hz, np.zeros(len(heard), bool)
    for phone in read_track(work / "corpus", clip).phones:
        if phone.name != SILENCE:
            spoken |= (times_s >= phone.start_s) & (times_s < phone.end_s)
    np.testing.assert_allclose(full, heard[spoken].mean(axis=0), atol=1e-5)
    assert np.abs(full - neutral).max() > 1e-4


def test_the_runtime_makes_what_the_networks_do(work: Path) -> None:
    recipe, rig = config.load("exptalk-tiny"), rig_file.read(work / "rig.npz")
    networks = speaking.networks(work, recipe, rig)
    sound = audio.load(str(work / "corpus" / read_clips(work / "corpus", "test")[0].wav), 16000)
    generator = pipeline.Generator(pack.load(work / "pack"), sessions.choose_device("cpu"))
    made = generator.generate(sound, seed=1).displacements
    np.testing.assert_allclose(networks.speak(sound.samples, "Even", 1, None), made, atol=1e-4)


def test_a_painted_emotion_reaches_what_is_imagined(work: Path) -> None:
    # Not the motion: so small a network may choose the same codes for both.
    sound = audio.load(str(work / "corpus" / read_clips(work / "corpus", "test")[0].wav), 16000)
    generator = pipeline.Generator(pack.load(work / "pack"), sessions.choose_device("cpu"))
    heard = generator.listen(sound)
    painted = generator.painted(heard, [EmotionSpan("happy", 1.5, 1.0, 2.0)])
    auto, happy = (generator.imagine(each, 1) for each in (heard, painted))
    assert np.abs(happy - auto)[40:].max() > 1e-3


def test_an_emotion_is_painted_from_the_command_line(work: Path, tmp_path: Path) -> None:
    wav = str(work / "corpus" / read_clips(work / "corpus", "test")[0].wav)
    given = ["animate", wav, "--model", str(work / "pack"), "--quiet", "--out"]
    assert backend([*given, str(tmp_path / "happy"), "--emotion", "happy:1.5@1-2"]) == 0
    assert motion.load(tmp_path / "happy").displacements.shape == (60, 42, 3)
    assert backend([*given, str(tmp_path / "bored"), "--emotion", "bored:1"]) == 2
    assert not (tmp_path / "bored").exists()


def test_evaluate_measures_it_as_it_does_the_other_method(work: Path) -> None:
    assert run("evaluate", work, "--steps", "2", "--seeds", "2") == 0
    rows = json.loads((work / "evaluation.json").read_text(encoding="utf-8"))
    assert 0 < rows["quantised truth"]["codes used"]["value"] <= 1
    assert rows["from speech, 2 steps"]["EVE"]["value"] > 0


def test_a_probe_reads_what_is_linearly_there_and_only_that() -> None:
    rng = torch.Generator().manual_seed(0)

    def clip(frames: int) -> probe.Encoded:
        emotion = torch.randint(3, (frames,), generator=rng)
        noise = torch.randn(frames, 6, generator=rng)
        told = torch.nn.functional.one_hot(emotion, 6).float() + 0.1 * noise
        return probe.Encoded((noise, told), Track(np.zeros((frames, 1)), []), emotion.numpy())

    known, tested = [clip(900)], [clip(600)]
    blind, seeing = (probe.figures(probe.probe(known, tested, part))[1] for part in (0, 1))
    assert seeing.value > 0.98 and 0.2 < blind.value < 0.5


def test_frames_in_which_a_face_goes_over_have_no_label() -> None:
    spans = [Span("sad", 2, 0.0, 1.0), Span("happy", 3, 1.0, 3.0)]
    found = probe.labels(Track(np.zeros((90, 1)), [], spans), fps=30)
    assert set(found[:30]) == {probe.NAMES.index("sad")}
    assert set(found[30:66]) == {probe.UNKNOWN}
    assert set(found[66:]) == {probe.NAMES.index("happy")}


def test_the_probe_and_the_swap_are_reported(work: Path) -> None:
    assert run("probe-emotion", work, "--split", "train") == 0
    rows = json.loads((work / "disentanglement.json").read_text(encoding="utf-8"))
    assert rows["emotion z_e"]["emotions read rightly"]["value"] > 0.9
    assert rows["swapped z_e"]["upper face moved"]["value"] > 0
    assert run("probe-emotion", work, "--recipe", "exptalk-tiny+no-disentanglement") == 2


@pytest.mark.parametrize("overlay", ["plain-decoder", "wav2vec-emotion", "no-disentanglement"])
def test_the_ablations_of_table_3_are_other_networks(work: Path, overlay: str) -> None:
    recipe = config.load(f"exptalk-tiny+{overlay}")
    plain = config.load("exptalk-tiny")
    stage = stage1._identity if overlay != "plain-decoder" else stage2_identity
    assert stage(recipe) != stage(plain)


def stage2_identity(recipe: config.Recipe) -> dict[str, object]:
    return stage2._identity(recipe)


@pytest.mark.parametrize(("overlay", "shared"), [("plain-decoder", True),
                                                 ("no-disentanglement", False)])  # fmt: skip
def test_an_ablation_borrows_stage_1_where_it_would_be_the_same(
    work: Path, tmp_path: Path, overlay: str, shared: bool
) -> None:
    given = ["borrow", "--recipe", f"exptalk-tiny+{overlay}", "--work", str(tmp_path)]
    assert training.main([*given, "--from", str(work)]) == 0
    assert (tmp_path / "emotion_encoder.pt").is_symlink()
    assert (tmp_path / "stage1.pt").is_symlink() == shared
