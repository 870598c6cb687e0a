"""The tiny recipe from a toy corpus to a pack that animates, in seconds."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from backend import audio, pack, pipeline, sessions
from tests.training import toy
from training import __main__ as training
from training import config, encoder, export, parity, rig_file, stage1
from training.corpus.clips import Clip, read_clips, read_track


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with both stages trained and a pack exported."""
    folder = tmp_path_factory.mktemp("work")
    toy.write_rig(folder / "rig.npz")
    toy.write_corpus(folder / "corpus")
    encoder.save(folder / "encoder.pt", random_encoder())
    for command in ("train-stage1", "train-stage2"):
        assert run(command, folder) == 0
    assert run("export", folder, *pack_arguments(folder, folder)) == 0
    return folder


def pack_arguments(work: Path, out: Path) -> list[str]:
    """A reference whose rest pose is not the template, and where the pack goes."""
    template = rig_file.read(work / "rig.npz").template
    np.savez(out / "reference.npz", rest=2 * template)
    return ["--reference", str(out / "reference.npz"), "--out", str(out / "pack")]


def random_encoder() -> encoder.CompactEncoder:
    """An untrained encoder whose normalisation has seen noise."""
    torch.manual_seed(0)
    network = encoder.CompactEncoder(config.load("tiny").encoder)
    for _ in range(20):
        network(0.1 * torch.randn(4, 16000))
    return network.eval()


def run(command: str, work: Path, *more: str) -> int:
    return training.main([command, "--recipe", "tiny", "--work", str(work), *more])


def losses(log: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in log.read_text(encoding="utf-8").splitlines()]


def test_stage_1_reconstructs_the_toy_motion(work: Path) -> None:
    rig = rig_file.read(work / "rig.npz")
    first = stage1.load(work, config.load("tiny"), rig)
    motion = rig.displacements(read_track(work / "corpus", clip(work, "train")).weights)
    latents = first.model.codes_of(first.normalised(motion)).flatten(1)
    error = np.abs(first.displacements(latents) - motion).mean()
    assert error < 0.5 * np.abs(motion - first.normaliser.mean).mean()


def test_stage_2_learns(work: Path) -> None:
    curve = losses(work / "stage2.jsonl")
    assert np.mean(curve[-3:]) < 0.6 * curve[0]


def test_the_pack_animates_with_the_runtime(work: Path) -> None:
    pack = pipeline_of(work)
    sound = audio.load(str(work / "corpus" / clip(work, "test").wav), 16000)
    motion = pack.generate(sound, seed=1)
    assert motion.displacements.shape == (60, 42, 3)
    assert np.array_equal(motion.displacements, pack.generate(sound, seed=1).displacements)
    assert 1e-4 < np.abs(motion.displacements).max() < 0.1


def test_the_pack_moves_as_its_networks_do_over_a_minute(work: Path) -> None:
    recipe, rig = config.load("tiny"), rig_file.read(work / "rig.npz")
    opened = pack.load(work / "pack")
    noise = np.random.default_rng(0).normal(0, 0.1, 60 * 16000).astype(np.float32)
    sound = audio.Sound(noise, 16000, 60.0)
    torch_graphs = parity.in_torch(export.load(work, recipe, rig), half=False)
    shown = parity.spoken(opened, sound, 0)
    same = parity.difference(shown, parity.spoken(opened, sound, 0, torch_graphs))
    assert same.mean_mm < 1e-3 and same.frames_apart < 0.01 and same.codes_unlike < 1e-3
    other = parity.difference(shown, parity.spoken(opened, sound, 1, torch_graphs))
    assert other.largest_mm > parity.UNSEEN_MM and other.codes_unlike > 0.01


def test_evaluate_writes_a_row_for_each_number_of_steps(work: Path) -> None:
    assert run("evaluate", work, "--steps", "1", "2", "--seeds", "2") == 0
    rows = json.loads((work / "evaluation.json").read_text(encoding="utf-8"))
    assert list(rows) == ["quantised truth", "from speech, 1 steps", "from speech, 2 steps"]
    assert 0 < rows["quantised truth"]["codes used"]["value"] <= 1
    assert rows["from speech, 2 steps"]["diversity"]["value"] > 0


def test_the_pack_is_evaluated_as_the_networks_are(work: Path, tmp_path: Path) -> None:
    options = ["--pack", str(work / "pack"), "--seeds", "2"]
    assert run("evaluate", work, *options, "--out", str(tmp_path / "pack.json")) == 0
    rows = json.loads((tmp_path / "pack.json").read_text(encoding="utf-8"))
    assert list(rows) == ["from speech, 4 steps"]
    assert rows["from speech, 4 steps"]["LVE"]["mask"].startswith("mask_lips (")
    assert rows["from speech, 4 steps"]["LVE"]["value"] > 0


def test_the_pack_is_reported_with_pictures(work: Path, tmp_path: Path) -> None:
    options = ["--pack", str(work / "pack"), "--seeds", "2", "--out", str(tmp_path)]
    assert run("report", work, *options) == 0
    assert (tmp_path / "index.html").read_text(encoding="utf-8").count("data:image/png") == 3
    names = sorted(path.name for path in tmp_path.glob("*.png"))
    assert names == ["aperture_clip5.png", "heat.png", "strip_clip5.png"]


def test_a_rig_that_can_blink_gives_its_pack_a_blink(work: Path) -> None:
    rig = rig_file.read(work / "rig.npz")
    lids = rig._replace(names=("eyeBlink_L", "eyeBlink_R", "jaw_open"))
    decoder = export.load(work, config.load("tiny"), rig).decoder
    with_lids = export.reference(lids, rig.template, decoder)
    assert np.array_equal(with_lids["blink"], rig.fields[0] + rig.fields[1])
    assert "blink" not in export.reference(rig, rig.template, decoder)


def test_the_pack_shows_the_reference_and_never_the_template(work: Path) -> None:
    template = rig_file.read(work / "rig.npz").template
    with np.load(work / "pack" / "reference.npz") as arrays:
        np.testing.assert_array_equal(arrays["rest"], 2 * template)


def test_figures_are_written_into_the_manifest_and_change_nothing_else(
    work: Path, tmp_path: Path
) -> None:
    shutil.copytree(work / "pack", tmp_path / "pack")
    before = pack.load(tmp_path / "pack")
    row = {"auc": 0.9694, "corr": 0.816, "lag_ms": 11.2, "closure": 0.93, "closure_ch": 0.48}
    (tmp_path / "lips.json").write_text(json.dumps({"jfk": row, "anna": row, "all": row}))
    given = ["label", "--pack", str(tmp_path / "pack"), "--lipsync", str(tmp_path / "lips.json")]
    assert training.main(given) == 0
    after = pack.load(tmp_path / "pack")
    assert after.manifest.figures == (
        "Real speech, 2 clips: AUC 0.969, correlation 0.816, lag 11 ms, p b m closed 0.93 "
        "(0.48 by chance)",)  # fmt: skip
    assert after.fingerprint == before.fingerprint
    (tmp_path / "lips.json").write_text("{}")
    assert training.main(given) == 2


def test_half_weights_halve_the_graphs_and_keep_parity(work: Path, tmp_path: Path) -> None:
    recipe, rig = config.load("tiny"), rig_file.read(work / "rig.npz")
    section = dataclasses.replace(recipe.export, half_weights=True)
    half = dataclasses.replace(recipe, export=section)
    written = export.write(export.load(work, half, rig), half, rig, rig.template, tmp_path / "p")
    whole = (work / "pack" / "decoder.onnx").stat().st_size
    assert written.manifest.files["decoder.onnx"].bytes < 0.7 * whole


def test_an_export_that_differs_from_torch_is_refused(work: Path) -> None:
    recipe, rig = config.load("tiny"), rig_file.read(work / "rig.npz")
    model = export.load(work, recipe, rig)
    with torch.no_grad():
        model.decoder.mean += 0.001
    with pytest.raises(export.ExportError, match=r"decoder\.onnx differs from torch by 0\.001"):
        export.check_parity(model, work / "pack")


def test_stage_2_does_not_fit_a_retrained_encoder(work: Path, tmp_path: Path) -> None:
    for name in ("rig.npz", "stage1.pt", "stage2.pt"):
        (tmp_path / name).write_bytes((work / name).read_bytes())
    (tmp_path / "encoder.pt").write_bytes(b"another")
    (tmp_path / "reference").mkdir()
    assert run("export", tmp_path, *pack_arguments(work, tmp_path / "reference")) == 2


def clip(work: Path, split: str) -> Clip:
    return read_clips(work / "corpus", split)[0]


def pipeline_of(work: Path) -> pipeline.Generator:
    return pipeline.Generator(pack.load(work / "pack"), sessions.choose_device("cpu"))


def test_the_manifest_says_how_the_encoder_was_really_trained(work: Path) -> None:
    recipe = config.load("tiny")
    other = dataclasses.replace(recipe, encoder=dataclasses.replace(recipe.encoder, dropout=0.77))
    heard = encoder.CompactEncoder(other.encoder)
    assert export._as_heard(recipe, heard) == other != recipe
    told = json.loads((work / "pack" / "manifest.json").read_text(encoding="utf-8"))["training"]
    assert told["encoder"]["channels"] == encoder.load(work / "encoder.pt").config.channels
