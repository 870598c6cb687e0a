"""A captured data set becomes a rig and a corpus that every stage trains on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.training import dataset_files as made
from tests.training import toy
from training import __main__ as training
from training import adopt, config, encoder, rig_file
from training.corpus.clips import Clip, read_clips, read_track
from training.datasets import vocaset, write

SUBJECTS = {"train": vocaset.TRAIN[0], "val": vocaset.VAL[0], "test": vocaset.TEST[0]}
FRAMES = 40
SHORT = "[stage1.optimiser]\nsteps = 2\n[stage2.optimiser]\nsteps = 2\n"


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    """VOCASET as published, of one sentence a split, on the toy's mesh; and the toy's rig."""
    toy.write_rig(tmp_path / "like.npz")
    rig = rig_file.read(tmp_path / "like.npz")
    faces = dict.fromkeys(SUBJECTS.values(), rig.template)
    write.templates(vocaset.LAYOUT, tmp_path / "voca", faces)
    for number, subject in enumerate(SUBJECTS.values()):
        weights = np.random.default_rng(number).random((FRAMES, 3), np.float32)
        moved = rig.template + rig.displacements(weights)
        sentence = f"{subject}_sentence{21 if number else 1:02d}"
        take = write.Take(sentence, moved, 30.0, made.tone(FRAMES / 30, 16000), 16000)
        write.clip(vocaset.LAYOUT, tmp_path / "voca", take)
    return tmp_path


def adopted(folder: Path, *more: str) -> int:
    own = ["--layout", "vocaset", "--rig", str(folder / "like.npz"), "--work", str(folder / "work")]
    return training.main(["adopt", str(folder / "voca"), *own, "--recipe", "tiny", *more])


def test_three_shapes_tell_motion_that_three_shapes_made(captured: Path) -> None:
    assert adopted(captured) == 0
    like, rig = (rig_file.read(captured / name) for name in ("like.npz", "work/rig.npz"))
    assert rig.fields.shape == (3, 42, 3) and np.array_equal(rig.lip_pairs, like.lip_pairs)
    (clip,) = read_clips(captured / "work" / "corpus", "train")
    weights = read_track(captured / "work" / "corpus", clip).weights
    moved = np.random.default_rng(0).random((FRAMES, 3), np.float32)
    expected = like.displacements(moved)[: len(weights)]
    np.testing.assert_allclose(rig.displacements(weights), expected, atol=1e-6)
    assert np.square(weights).mean() == pytest.approx(1, rel=0.01)


def test_what_too_few_shapes_leave_out_is_said(
    captured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adopted(captured, "--shapes", "1") == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert "1 shapes; at most" in said and " 0.000 mm" not in said


def test_subjects_without_a_style_are_unknown_voices(captured: Path) -> None:
    assert adopted(captured) == 0
    found = {clip.split: (clip.voice, clip.style)
             for clip in read_clips(captured / "work" / "corpus")}  # fmt: skip
    assert found["train"] == (SUBJECTS["train"], SUBJECTS["train"])
    assert found["test-voices"] == (SUBJECTS["test"], vocaset.TRAIN[0])
    assert set(found) == {"train", "val", "test-voices"}


def test_both_stages_train_on_it_and_are_measured(captured: Path) -> None:
    assert adopted(captured) == 0
    torch.manual_seed(0)
    work = captured / "work"
    encoder.save(work / "encoder.pt", encoder.CompactEncoder(config.load("tiny").encoder).eval())
    (captured / "short.toml").write_text(SHORT, encoding="utf-8")
    own = ["--recipe", f"tiny+{captured / 'short.toml'}", "--work", str(work)]
    assert [training.main([f"train-stage{n}", *own]) for n in (1, 2)] == [0, 0]
    options = ["--split", "test-voices", "--steps", "2", "--seeds", "2"]
    assert training.main(["evaluate", *own, *options]) == 0


def test_a_run_that_was_stopped_begins_again(
    captured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = adopt.clips.write_clip

    def stopped(corpus: Path, clip: Clip, *more: Any) -> None:
        written(corpus, clip, *more)
        if clip.voice == SUBJECTS["val"]:
            raise KeyboardInterrupt

    monkeypatch.setattr(adopt.clips, "write_clip", stopped)
    assert adopted(captured) == 130
    monkeypatch.undo()
    assert adopted(captured) == 0
    corpus = captured / "work" / "corpus"
    assert len(read_clips(corpus)) == 3 and not list(corpus.glob("*.part"))


def test_a_corpus_is_not_overwritten_and_another_mesh_is_refused(captured: Path) -> None:
    assert [adopted(captured), adopted(captured)] == [0, 2]
    fine = rig_file.read(captured / "like.npz")
    with pytest.raises(adopt.RequestError, match="have 7 vertices, the rig 42"):
        adopt._same_mesh(made.motion(3), fine)
